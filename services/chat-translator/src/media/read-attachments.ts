import type { UpstreamModel } from '@zai2api/dialects';
import { attachmentsOf, TurnError, type TurnAttachment, type TurnMessage } from '@zai2api/turn';
import { mapWithConcurrency } from '../map-with-concurrency.ts';
import { decodeBase64 } from './decode-base64.ts';
import type { MediaFetcher } from './fetch-media.ts';
import { mediaError, mediaNotSupported, tooManyMedia } from './media-error.ts';
import { MediaFault } from './media-fault.ts';
import { decodeText, detectMediaType } from './media-type.ts';
import { nameFile } from './name-file.ts';

/** A file of the conversation, its bytes at hand. */
export interface Media {
  readonly kind: TurnAttachment['kind'];
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** By content, not as declared. */
  readonly mediaType: string;
  /** A plain name with an extension. */
  readonly filename: string;
  /** Path of the part in the client's request, for its errors. */
  readonly param: string;
}

/** A conversation and the files that its messages name as attachments, in the same order. */
export interface ReadConversation {
  /** Without the Base64 of the request, which nobody needs any more. */
  readonly messages: readonly TurnMessage[];
  readonly media: readonly Media[];
}

/** How files of a request are fetched, and how large they may be. */
export interface AttachmentReaderOptions {
  readonly fetchMedia: MediaFetcher;
  readonly maxBytesPerFile: number;
  /** Of all files of one request. */
  readonly maxBytes: number;
  /** For all files of one request that must be fetched. */
  readonly timeoutMs: number;
}

/** Reads what the messages bring along, before anything is asked of an upstream. */
export type AttachmentReader = (
  messages: readonly TurnMessage[],
  model: UpstreamModel,
  signal: AbortSignal,
) => Promise<ReadConversation>;

/** Of one request; the official API takes as many pictures for each of its models. */
const MAX_FILES = 50;
/** Fetched or decoded at the same time. */
const CONCURRENCY = 4;

/**
 * A reader within limits. Its TurnErrors name the part: a model that cannot see (`image_input_not_supported`), an address that cannot be
 * fetched and content of the wrong kind or size (`invalid_image_url` and the like). A document that turns out to be text is put into its
 * message.
 */
export function createAttachmentReader(options: AttachmentReaderOptions): AttachmentReader {
  const { fetchMedia, maxBytesPerFile, timeoutMs } = options;

  return async (messages, model, signal) => {
    const attachments = messages.flatMap(attachmentsOf);
    if (attachments.length === 0) return { messages, media: [] };
    for (const attachment of attachments) {
      if (attachment.kind !== 'document' && !model.capabilities.vision) throw mediaNotSupported(attachment, model);
    }
    const beyond = attachments[MAX_FILES];
    if (beyond) throw tooManyMedia(beyond, MAX_FILES);

    const bounded = AbortSignal.any([signal, AbortSignal.timeout(Math.ceil(timeoutMs))]);
    let bytesLeft = options.maxBytes;

    async function readBytes({ source }: TurnAttachment): Promise<Uint8Array<ArrayBuffer>> {
      const maxBytes = Math.min(maxBytesPerFile, bytesLeft);
      const bytes =
        source.type === 'data'
          ? decodeBase64(source.base64, maxBytes)
          : await fetchMedia(source.url, maxBytes, bounded);
      bytesLeft -= bytes.length;
      if (bytesLeft < 0) throw new MediaFault('too-large', 'all files together');
      return bytes;
    }

    async function read(attachment: TurnAttachment, index: number): Promise<Media | string> {
      try {
        const bytes = await readBytes(attachment);
        const type = await detectMediaType(attachment.kind, bytes);
        if (type) {
          const { kind, param } = attachment;
          const filename = nameFile(attachment.filename, `${kind}-${index + 1}`, type.extension);
          return { kind, bytes, mediaType: type.mediaType, filename, param };
        }
        const text = attachment.kind === 'document' ? decodeText(bytes) : undefined;
        if (text !== undefined) return text;
        throw new MediaFault('wrong-type', 'by content');
      } catch (reason) {
        if (signal.aborted) throw TurnError.from(signal.reason);
        throw reason instanceof MediaFault ? mediaError(attachment, reason, maxBytesPerFile) : reason;
      }
    }

    const results = await mapWithConcurrency(attachments, CONCURRENCY, read);
    return takeApart(messages, new Map(attachments.map((attachment, index) => [attachment, results[index]])));
  };
}

function takeApart(
  messages: readonly TurnMessage[],
  results: ReadonlyMap<TurnAttachment, Media | string | undefined>,
): ReadConversation {
  const media: Media[] = [];
  const taken = messages.map((message): TurnMessage => {
    if ((message.role !== 'user' && message.role !== 'tool') || attachmentsOf(message).length === 0) return message;
    const attachments: TurnAttachment[] = [];
    const texts = [message.text];
    for (const attachment of attachmentsOf(message)) {
      const result = results.get(attachment);
      if (typeof result === 'string') {
        texts.push(inlineDocument(result, attachment.filename));
      } else if (result) {
        media.push(result);
        attachments.push({ ...attachment, source: { type: 'data', mediaType: result.mediaType, base64: '' } });
      }
    }
    return { ...message, text: texts.filter((text) => text !== '').join('\n'), attachments };
  });
  return { messages: taken, media };
}

/** As the client's own text documents are, so that the model knows where each one ends. */
function inlineDocument(text: string, filename = 'document'): string {
  const name = filename.replaceAll(/[\s"<>]+/g, ' ').trim();
  return `<document name="${name}">\n${text}${text.endsWith('\n') ? '' : '\n'}</document>`;
}
