import { TurnError } from '@zai2api/turn';
import type { IgnoredFields } from './ignored-fields.ts';
import { partSchema, type WireMessage, type WirePart } from './wire-schema.ts';

/** Kinds of parts that are understood but cannot be given to a model: told as such, never dropped in silence (contract 1.2). */
const refusedParts: ReadonlyMap<string, string> = new Map([
  ['image_url', 'image_input_not_supported'],
  ['input_image', 'image_input_not_supported'],
  ['image', 'image_input_not_supported'],
  ['input_audio', 'audio_input_not_supported'],
  ['audio_url', 'audio_input_not_supported'],
  ['file', 'file_input_not_supported'],
  ['input_file', 'file_input_not_supported'],
  ['file_url', 'file_input_not_supported'],
  ['video_url', 'video_input_not_supported'],
  ['input_video', 'video_input_not_supported'],
]);

/** The text of a message, or `undefined` when it has no content. Parts are joined by {@link joinParts}. */
export function decodeContent(message: WireMessage, path: string, ignored: IgnoredFields): string | undefined {
  const { content } = message;
  if (content === undefined || typeof content === 'string') return content;
  return joinParts(content.map((part, index) => decodePart(message, part, `${path}.content[${index}]`, ignored)));
}

function decodePart(message: WireMessage, part: WirePart, path: string, ignored: IgnoredFields): string {
  if (part.type === 'text' || part.type === 'refusal') {
    ignored.addUnknown(part, partSchema.shape, 'messages[].content[].');
    const text = part[part.type];
    if (text !== undefined) return text;
    throw new TurnError('invalid_request', `Missing required parameter: '${path}.${part.type}'.`, {
      layer: 'client',
      param: `${path}.${part.type}`,
      reason: 'missing_required_parameter',
    });
  }
  const reason = refusedParts.get(part.type);
  if (reason === undefined) {
    throw new TurnError('invalid_request', `Unknown kind of content part in '${path}.type'.`, {
      layer: 'client',
      param: `${path}.type`,
      reason: 'invalid_value',
    });
  }
  // Some clients attach a screenshot to a tool result whose text says the same (contract 1.2).
  if (message.role === 'tool') {
    ignored.add(`messages[].content[].${part.type}`);
    return '';
  }
  throw new TurnError(
    'unsupported',
    `The content part '${path}' of type '${part.type}' is not supported; only text is.`,
    {
      layer: 'client',
      param: path,
      reason,
    },
  );
}

/** One text out of several parts: a line break goes between two of them unless one side brings its own. */
export function joinParts(parts: readonly string[]): string {
  return parts.reduce((joined, part) => {
    const separate = joined !== '' && part !== '' && !joined.endsWith('\n') && !part.startsWith('\n');
    return separate ? `${joined}\n${part}` : joined + part;
  }, '');
}
