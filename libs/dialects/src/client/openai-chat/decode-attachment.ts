import {
  audioRefused,
  decodeFile,
  decodeMediaAddress,
  fileRefused,
  imageRefused,
  type DecodedPart,
} from '../request/decode-media.ts';
import type { IgnoredFields } from '../request/ignored-fields.ts';
import { invalidValue, required, unsupportedPart } from '../request/request-fault.ts';
import {
  addressSchema,
  fileSchema,
  partSchema,
  type WireAddress,
  type WireFile,
  type WirePart,
} from './wire-schema.ts';

type PartDecoder = (part: WirePart, path: string, ignored: IgnoredFields) => DecodedPart;

const decoders: ReadonlyMap<string, PartDecoder> = new Map<string, PartDecoder>([
  ['image_url', decodeImage],
  ['input_image', decodeImage],
  ['video_url', decodeVideo],
  ['input_video', decodeVideo],
  ['file', decodeFilePart],
  ['input_file', (part, path, ignored) => decodeFileFields(part, path, path, ignored)],
  ['file_url', (part, path, ignored) => decodeFileFields(part, path, path, ignored)],
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
  return decodeFileFields(file, path, `${path}.file`, ignored);
}

function decodeMedia(kind: 'image' | 'video', address: WireAddress, path: string, ignored: IgnoredFields): DecodedPart {
  return decodeMediaAddress(kind, urlOf(required(address, `${path}.${kind}_url`), `${kind}_url`, ignored), path);
}

function decodeFileFields(file: WireFile, path: string, filePath: string, ignored: IgnoredFields): DecodedPart {
  const { file_data: data, file_url: address, file_id: id, filename } = file;
  const url = address === undefined ? undefined : urlOf(address, 'file_url', ignored);
  return decodeFile({ data, url, id, filename }, path, filePath);
}

function urlOf(address: NonNullable<WireAddress>, field: string, ignored: IgnoredFields): string {
  if (typeof address === 'string') return address;
  ignored.addUnknown(address, addressSchema.shape, `messages[].content[].${field}.`);
  return address.url;
}

function refuse(reason: string): PartDecoder {
  return (_part, path) => {
    throw unsupportedPart(path, reason);
  };
}
