import type { TurnAttachment } from '@zai2api/turn';
import {
  audioRefused,
  decodeFile,
  decodeMediaAddress,
  fileRefused,
  type DecodedPart,
} from '../request/decode-media.ts';
import type { IgnoredFields } from '../request/ignored-fields.ts';
import { joinParts } from '../request/join-parts.ts';
import { invalidValue, required, unsupportedPart } from '../request/request-fault.ts';
import { partSchema, type WirePart } from './wire-schema.ts';

/** Text and attachments of one item. */
export interface DecodedContent {
  readonly text: string;
  readonly attachments: readonly TurnAttachment[];
}

/** Who speaks in an item: only users and tools may bring attachments. */
export type Speaker = 'user' | 'assistant' | 'system' | 'tool';

const textFields: ReadonlyMap<string, 'text' | 'refusal'> = new Map([
  ['input_text', 'text'],
  ['output_text', 'text'],
  ['text', 'text'],
  ['summary_text', 'text'],
  ['reasoning_text', 'text'],
  ['refusal', 'refusal'],
]);
const mediaTypes: ReadonlySet<string> = new Set(['input_image', 'input_file', 'input_audio']);

/** The content of an item (contract 2.4), whichever way it is written. Throws with the path of a part that cannot be given to a model. */
export function decodeContent(
  content: string | readonly WirePart[] | undefined,
  speaker: Speaker,
  path: string,
  ignored: IgnoredFields,
): DecodedContent {
  if (content === undefined || typeof content === 'string') return { text: content ?? '', attachments: [] };
  const parts = content.map((part, index) => decodePart(part, speaker, `${path}[${index}]`, ignored));
  return {
    text: joinParts(parts.map((part) => ('text' in part ? part.text : ''))),
    attachments: parts.flatMap((part) => ('attachment' in part ? [part.attachment] : [])),
  };
}

function decodePart(part: WirePart, speaker: Speaker, path: string, ignored: IgnoredFields): DecodedPart {
  ignored.addUnknown(part, partSchema.shape, 'input[].content[].');
  const field = textFields.get(part.type);
  if (field !== undefined) return { text: required(part[field], `${path}.${field}`) };
  if (!mediaTypes.has(part.type)) throw invalidValue(`${path}.type`, 'unknown kind of content part.');
  if (speaker === 'assistant') {
    ignored.add(`input[].content[].${part.type}`);
    return { text: '' };
  }
  // Instructions must not be cut.
  if (speaker === 'system') throw invalidValue(`${path}.type`, 'only users and tools may send anything but text.');
  return decodeMedia(part, path);
}

function decodeMedia(part: WirePart, path: string): DecodedPart {
  if (part.type === 'input_audio') throw unsupportedPart(path, audioRefused);
  if (part.type === 'input_file') {
    const { file_data: data, file_url: url, file_id: id, filename } = part;
    return decodeFile({ data, url, id, filename }, path, path);
  }
  const { image_url: address, file_id: id } = part;
  if (id !== undefined && address === undefined) throw unsupportedPart(path, fileRefused);
  const url = required(address, `${path}.image_url`);
  return decodeMediaAddress('image', typeof url === 'string' ? url : url.url, path);
}
