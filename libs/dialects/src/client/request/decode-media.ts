import type { TurnAttachment } from '@zai2api/turn';
import { decodeText, fileTypeOf, isTextType } from './file-types.ts';
import { inlineDocument } from './inline-document.ts';
import { isWebAddress } from './is-web-address.ts';
import { parseBase64, parseDataUrl } from './parse-data-url.ts';
import { invalidValue, missingParameter, unsupportedPart } from './request-fault.ts';

/** What a part of another kind than text becomes: something that goes along with the message, or text after all. */
export type DecodedPart = { readonly attachment: TurnAttachment } | { readonly text: string };

/** Wire codes of parts that no upstream here can take (contract 1.2). */
export const imageRefused = 'image_input_not_supported';
/** Reason of the refusal of audio, which no model here takes. */
export const audioRefused = 'audio_input_not_supported';
/** Reason of the refusal of a file that cannot be taken. */
export const fileRefused = 'file_input_not_supported';

/** A picture or film by its address: bytes out of a `data:` URL, or an address that nobody has followed yet. Throws with `path`. */
export function decodeMediaAddress(kind: 'image' | 'video', url: string, path: string): DecodedPart {
  if (isWebAddress(url)) return { attachment: { kind, source: { type: 'url', url }, param: path } };
  const data = parseDataUrl(url);
  if (!data?.mediaType.startsWith(`${kind}/`)) {
    const rule = `expected an http(s) address or a base64 data URL of type ${kind}/*.`;
    throw invalidValue(path, rule, `invalid_${kind}_url`);
  }
  return { attachment: { kind, source: { type: 'data', ...data }, param: path } };
}

/** What a part says about a file. */
export interface FileWords {
  /** Bare Base64, or a `data:` URL. */
  readonly data?: string | undefined;
  readonly url?: string | undefined;
  /** Of a file that was uploaded to its own provider: never to be had here. */
  readonly id?: string | undefined;
  readonly filename?: string | undefined;
}

/** A document, or whatever else was sent as a file. Documents that are text are inlined. Throws with `path`; `filePath` is where the words stand. */
export function decodeFile({ data, url, id, filename }: FileWords, path: string, filePath: string): DecodedPart {
  if (data === undefined) {
    if (url === undefined) throw id ? unsupportedPart(path, fileRefused) : missingParameter(`${filePath}.file_data`);
    if (!isWebAddress(url)) throw invalidValue(path, 'expected an http(s) address.', 'invalid_file_url');
    return { attachment: { kind: 'document', source: { type: 'url', url }, filename, param: path } };
  }
  const bare = parseBase64(data);
  const parsed = bare === undefined ? parseDataUrl(data) : { mediaType: '', base64: bare };
  if (!parsed) throw invalidValue(path, 'expected base64 or a base64 data URL.', 'invalid_file_data');
  const { base64 } = parsed;
  const mediaType = fileTypeOf(parsed.mediaType, filename);
  if (isTextType(mediaType)) {
    const text = decodeText(base64);
    if (text !== undefined) return { text: inlineDocument(text, filename) };
  }
  if (mediaType.startsWith('audio/')) throw unsupportedPart(path, audioRefused);
  // Some clients send every upload as a file.
  const kind = mediaType.startsWith('image/') ? 'image' : mediaType.startsWith('video/') ? 'video' : 'document';
  return { attachment: { kind, source: { type: 'data', mediaType, base64 }, filename, param: path } };
}
