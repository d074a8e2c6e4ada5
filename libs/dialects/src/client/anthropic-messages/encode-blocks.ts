import { TurnError, type TurnSource } from '@zai2api/turn';
import { isRecord } from '../../is-record.ts';
import { INVALID_TOOL_CALL } from '../../stages/tool-errors.ts';

/** The longest id that every client takes (contract 0.16). */
const MAX_ID_CHARACTERS = 40;

/** A `text` block, with the pages that it rests on. */
export const encodeText = (text: string, sources: readonly TurnSource[] = []) => ({
  type: 'text',
  text,
  citations: sources.length > 0 ? sources.map(encodeCitation) : null,
});

/** A page as this API cites it. What of the page is cited nobody tells us, and there is nothing to look up by an index. */
export const encodeCitation = ({ url, title }: TurnSource) => ({
  type: 'web_search_result_location',
  url,
  title: title === '' ? null : title,
  cited_text: '',
  encrypted_index: '',
});

/** A `thinking` block. */
export const encodeThinking = (thinking: string, signature: string) => ({ type: 'thinking', thinking, signature });

/** A `tool_use` block. The prefix of the id is what clients of this API look for; results bring it back as it is. */
export const encodeToolUse = (callId: string, name: string, input: Readonly<Record<string, unknown>>) => ({
  type: 'tool_use',
  id: `toolu_${callId.replace(/^(?:call|toolu)_/, '')}`.slice(0, MAX_ID_CHARACTERS),
  name,
  input,
  caller: { type: 'direct' },
});

/** The arguments of a call as the object that this API answers with. No text at all means none. Throws `invalid_tool_call`. */
export function parseInput(argumentsText: string): Record<string, unknown> {
  try {
    const input: unknown = JSON.parse(argumentsText === '' ? '{}' : argumentsText);
    if (isRecord(input)) return input;
  } catch {
    // Said below: arguments that are no object are as wrong as those that are no JSON.
  }
  throw new TurnError('upstream_failed', 'The arguments of the model’s tool call are no JSON object.', {
    layer: 'upstream',
    reason: INVALID_TOOL_CALL,
  });
}
