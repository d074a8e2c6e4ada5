import { isUtf8 } from 'node:buffer';
import { fileTypeFromBuffer } from 'file-type';
import type { TurnAttachment } from '@zai2api/turn';

type Kind = TurnAttachment['kind'];

/** What a kind may be in truth. No SVG: it is text that browsers run. */
const acceptedTypes: Record<Kind, ReadonlySet<string>> = {
  image: new Set([
    'image/png',
    'image/apng',
    'image/jpeg',
    'image/gif',
    'image/webp',
    'image/bmp',
    'image/avif',
    'image/heic',
    'image/heif',
    'image/tiff',
  ]),
  video: new Set([
    'video/mp4',
    'video/x-m4v',
    'video/webm',
    'video/quicktime',
    'video/matroska',
    'video/mpeg',
    'video/vnd.avi',
    'video/3gpp',
  ]),
  document: new Set([
    'application/pdf',
    'application/epub+zip',
    'application/rtf',
    'application/vnd.openxmlformats-officedocument.wordprocessingml.document',
    'application/vnd.openxmlformats-officedocument.presentationml.presentation',
    'application/vnd.openxmlformats-officedocument.spreadsheetml.sheet',
    'application/vnd.oasis.opendocument.text',
    'application/vnd.oasis.opendocument.spreadsheet',
    'application/vnd.oasis.opendocument.presentation',
    // The older office formats all look the same from outside.
    'application/x-cfb',
  ]),
};

/** What the bytes are, whoever declared what, or `undefined` when that is none of what the kind may be. */
export async function detectMediaType(
  kind: Kind,
  bytes: Uint8Array,
): Promise<{ readonly mediaType: string; readonly extension: string } | undefined> {
  const found = await fileTypeFromBuffer(bytes);
  return found && acceptedTypes[kind].has(found.mime) ? { mediaType: found.mime, extension: found.ext } : undefined;
}

/** The text that the bytes are, or `undefined` when they are something else. */
export function decodeText(bytes: Uint8Array): string | undefined {
  return isUtf8(bytes) && !bytes.includes(0)
    ? Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString()
    : undefined;
}
