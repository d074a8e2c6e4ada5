import { attachmentsOf, TurnError, type TurnAttachment, type TurnMessage } from '@zai2api/turn';
import { isRecord } from '../../is-record.ts';
import { encodeCommonHeaders } from './encode-common-headers.ts';
import type { WebProfile } from './web-profile.ts';

/** A file that the upstream has taken, as a completion refers to it. */
export interface CompletionFile {
  readonly kind: TurnAttachment['kind'];
  readonly id: string;
  readonly filename: string;
  /** In bytes. */
  readonly size: number;
  /** Any id that no other file of the completion has. */
  readonly itemId: string;
}

/** What the upstream calls the kinds; a document has no content part of its own (protocol 7). */
const wireNames = {
  image: { type: 'image', media: 'image', part: 'image_url' },
  video: { type: 'video', media: 'video', part: 'video_url' },
  document: { type: 'file', media: 'doc', part: undefined },
} as const satisfies Record<TurnAttachment['kind'], unknown>;

/** Servers that vision requests of the web client name (protocol 7). */
const visionServers = ['vlm-image-search', 'vlm-image-recognition', 'vlm-image-processing'];

/**
 * `POST /api/v1/files/` (protocol 7). Its body is a multipart form with one part, `file`; the form's own content type goes with it, so there
 * is none here.
 */
export function encodeFileUpload(input: { profile: WebProfile; token: string }): {
  readonly method: 'POST';
  readonly url: string;
  readonly headers: Record<string, string>;
} {
  return {
    method: 'POST',
    url: `${input.profile.base}/api/v1/files/`,
    headers: encodeCommonHeaders(input.profile, input.token),
  };
}

/** The id of a file that was taken. Throws `upstream_drifted` for an answer without one. */
export function decodeFileId(body: unknown): string {
  const id = isRecord(body) ? body['id'] : undefined;
  if (typeof id === 'string' && id !== '') return id;
  throw new TurnError('upstream_drifted', 'The upstream took a file without giving it an id.', { layer: 'upstream' });
}

/** The `files` of a completion body (protocol 7). */
export function encodeFiles(files: readonly CompletionFile[], userMessageId: string): unknown[] {
  return files.map(({ kind, id, filename, size, itemId }) => ({
    type: wireNames[kind].type,
    file: { id, filename, meta: { size } },
    id,
    url: `/api/v1/files/${id}/content`,
    name: filename,
    status: 'uploaded',
    size,
    error: '',
    itemId,
    media: wireNames[kind].media,
    ref_user_msg_id: userMessageId,
  }));
}

/** The content of the one user message: the prompt as it is, or parts when pictures or films come with it (protocol 7). */
export function encodeContent(prompt: string, files: readonly CompletionFile[]): unknown {
  const parts = files.flatMap(({ kind, id }) => {
    const { part } = wireNames[kind];
    return part === undefined ? [] : [{ type: part, [part]: { url: id } }];
  });
  return parts.length === 0 ? prompt : [{ type: 'text', text: prompt }, ...parts];
}

/** Whether the model has something to look at. */
export function isVisionRequest(files: readonly CompletionFile[]): boolean {
  return files.some(({ kind }) => kind !== 'document');
}

/** The `mcp_servers` of a chat and its completion; empty when it needs none. */
export function encodeServers({ search, files }: { search: boolean; files: readonly CompletionFile[] }): string[] {
  return [...(search ? ['deep-web-search'] : []), ...(isVisionRequest(files) ? visionServers : [])];
}

/**
 * The messages of a conversation whose files all go up with one flattened message: each message with files ends in their names, such as
 * `[image 1]`, numbered by kind over the whole conversation in the order in which the files are sent. A lone message is left as it is: its
 * files can be nobody else's.
 */
export function nameAttachments(messages: readonly TurnMessage[]): readonly TurnMessage[] {
  if (messages.length < 2) return messages;
  const counts = { image: 0, video: 0, document: 0 };
  return messages.map((message) => {
    const attachments = attachmentsOf(message);
    if (attachments.length === 0) return message;
    const names = attachments.map(({ kind, filename = '' }) => {
      counts[kind] += 1;
      const title = filename.replaceAll(/[\s[\]]+/g, ' ').trim();
      return `[${kind} ${counts[kind]}${title === '' ? '' : `: ${title}`}]`;
    });
    return { ...message, text: [message.text, names.join(' ')].filter((part) => part !== '').join('\n') };
  });
}
