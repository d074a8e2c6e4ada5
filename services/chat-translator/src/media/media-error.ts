import type { UpstreamModel } from '@zai2api/dialects';
import { TurnError, type TurnAttachment } from '@zai2api/turn';
import type { MediaFault, MediaFaultKind } from './media-fault.ts';

const inputNames: Record<TurnAttachment['kind'], string> = { image: 'image', video: 'video', document: 'file' };

const acceptedByKind: Record<TurnAttachment['kind'], string> = {
  image: 'an image (PNG, JPEG, GIF, WebP, BMP, AVIF, HEIC or TIFF)',
  video: 'a video (MP4, WebM, QuickTime, Matroska, MPEG, AVI or 3GP)',
  document: 'a document (PDF, Word, Excel, PowerPoint, OpenDocument, EPUB, RTF or UTF-8 text)',
};

/** The client's error for an attachment that cannot be used (contract 1.2); the log gets the fault itself. */
export function mediaError(attachment: TurnAttachment, fault: MediaFault, maxBytes: number): TurnError {
  const { kind, source, param } = attachment;
  const messages: Record<MediaFaultKind, string> = {
    unreachable:
      `The ${inputNames[kind]} at '${param}' could not be fetched. Its address must be a public https URL that answers quickly with ` +
      'the file itself; otherwise send it as Base64.',
    'too-large': `The ${inputNames[kind]} at '${param}' is too large: a file may have ${maxBytes} bytes, and all of them together no more than a request.`,
    'wrong-type': `The content at '${param}' is not ${acceptedByKind[kind]}.`,
    'not-base64': `The data at '${param}' is not valid Base64.`,
  };
  const field = kind === 'document' && source.type === 'data' ? 'file_data' : `${inputNames[kind]}_url`;
  return new TurnError('invalid_request', messages[fault.kind], {
    layer: 'client',
    param,
    reason: `invalid_${field}`,
    cause: fault,
  });
}

/** The model has no eyes: told, never dropped in silence (contract 1.2). */
export function mediaNotSupported({ kind, param }: TurnAttachment, model: UpstreamModel): TurnError {
  const name = inputNames[kind];
  return new TurnError(
    'unsupported',
    `The model ${JSON.stringify(model.id)} takes no ${name} input. Use a vision model, such as glm-4.6v.`,
    { layer: 'client', param, reason: `${name}_input_not_supported` },
  );
}

/** More files than one request may have. */
export function tooManyMedia({ param }: TurnAttachment, max: number): TurnError {
  return new TurnError('invalid_request', `A request may have ${max} files in all its messages.`, {
    layer: 'client',
    param,
    reason: 'too_many_files',
  });
}

/** The upstream takes files from signed-in users only (protocol 7). */
export function mediaNeedsUser({ kind, param }: Pick<TurnAttachment, 'kind' | 'param'>, cause: unknown): TurnError {
  const name = inputNames[kind];
  return new TurnError(
    'upstream_forbidden',
    `The upstream takes ${name} input from signed-in users only. Configure a user token (ZAI_UPSTREAM_TOKEN).`,
    { layer: 'upstream', param, reason: `${name}_input_needs_user_token`, cause },
  );
}
