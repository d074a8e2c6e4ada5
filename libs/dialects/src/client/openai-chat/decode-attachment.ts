import type { TurnAttachment } from '@zai2api/turn';
import { decodeText, fileTypeOf, isTextType } from '../request/file-types.ts';
import type { IgnoredFields } from '../request/ignored-fields.ts';
import { parseBase64, parseDataUrl } from '../request/parse-data-url.ts';
import { invalidValue, missingParameter, required, unsupportedPart } from '../request/request-fault.ts';
import {
  addressSchema,
  fileSchema,
  partSchema,
  type WireAddress,
  type WireFile,
  type WirePart,
} from './wire-schema.ts';

/** What a part of another kind than text becomes: something that goes along with the message, or text after all. */
export type DecodedPart = { readonly attachment: TurnAttachment } | { readonly text: string };

const imageRefused = 'image_input_not_supported';
const audioRefused = 'audio_input_not_supported';
const fileRefused = 'file_input_not_supported';

type PartDecoder = (part: WirePart, path: string, ignored: IgnoredFields) => DecodedPart;

const decoders: ReadonlyMap<string, PartDecoder> = new Map<string, PartDecoder>([
  ['image_url', decodeImage],
  ['input_image', decodeImage],
  ['video_url', decodeVideo],
  ['input_video', decodeVideo],
  ['file', decodeFilePart],
  ['input_file', (part, path, ignored) => decodeFile(part, path, path, ignored)],
  ['file_url', (part, path, ignored) => decodeFile(part, path, path, ignored)],
  ['image', refuse(imageRefused)],
  ['input_audio', refuse(audioRefused)],
  ['audio_url', refuse(audioRefused)],
]);

/** True for the kinds of parts that are understood, also where they are refused. */
export function isAttachmentPart(type: string): boolean {
  return decoders.has(type);
}

/**
 * A picture, film or document of a user message (contract 1.2): bytes out of a `data:` URL, or an address that nobody has followed yet.
 * Documents that are text are inlined. Whether the model can take the part is decided where the model is known. Throws with `path`.
 */
export function decodeAttachment(part: WirePart, path: string, ignored: IgnoredFields): DecodedPart {
  const decode = decoders.get(part.type);
  if (!decode) throw invalidValue(`${path}.type`, 'unknown kind of content part.');
  ignored.addUnknown(part, partSchema.shape, 'messages[].content[].');
  return decode(part, path, ignored);
}

function decodeImage(part: WirePart, path: string, ignored: IgnoredFields): DecodedPart {
  if (part.file_id !== undefined && part.image_url === undefined) throw unsupportedPart(path, fileRefused);
  return decodeMedia('image', part.image_url, path, ignored);
}

function decodeVideo(part: WirePart, path: string, ignored: IgnoredFields): DecodedPart {
  return decodeMedia('video', part.video_url, path, ignored);
}

function decodeFilePart(part: WirePart, path: string, ignored: IgnoredFields): DecodedPart {
  const file = required(part.file, `${path}.file`);
  ignored.addUnknown(file, fileSchema.shape, 'messages[].content[].file.');
  return decodeFile(file, path, `${path}.file`, ignored);
}

function decodeMedia(kind: 'image' | 'video', address: WireAddress, path: string, ignored: IgnoredFields): DecodedPart {
  const url = urlOf(required(address, `${path}.${kind}_url`), `${kind}_url`, ignored);
  if (isWebAddress(url)) return { attachment: { kind, source: { type: 'url', url }, param: path } };
  const data = parseDataUrl(url);
  if (!data?.mediaType.startsWith(`${kind}/`)) {
    const rule = `expected an http(s) address or a base64 data URL of type ${kind}/*.`;
    throw invalidValue(path, rule, `invalid_${kind}_url`);
  }
  return { attachment: { kind, source: { type: 'data', ...data }, param: path } };
}

function decodeFile(file: WireFile, path: string, filePath: string, ignored: IgnoredFields): DecodedPart {
  const { file_data: data, file_url: address, file_id: id, filename } = file;
  if (data === undefined) {
    if (address === undefined)
      throw id ? unsupportedPart(path, fileRefused) : missingParameter(`${filePath}.file_data`);
    const url = urlOf(address, 'file_url', ignored);
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

/** The text between two lines that name it, so that the model knows where the client's own words go on. */
function inlineDocument(text: string, filename = 'document'): string {
  const name = filename.replaceAll(/[\s"<>]+/g, ' ').trim();
  return `<document name="${name}">\n${text}${text.endsWith('\n') ? '' : '\n'}</document>`;
}

function urlOf(address: NonNullable<WireAddress>, field: string, ignored: IgnoredFields): string {
  if (typeof address === 'string') return address;
  ignored.addUnknown(address, addressSchema.shape, `messages[].content[].${field}.`);
  return address.url;
}

function isWebAddress(address: string): boolean {
  return /^https?:\/\//i.test(address) && URL.canParse(address);
}

function refuse(reason: string): PartDecoder {
  return (_part, path) => {
    throw unsupportedPart(path, reason);
  };
}
