import type { TurnMessage, TurnToolCall } from '@zai2api/turn';
import { isRecord } from '../is-record.ts';

/** The calls that end a conversation again and again, with the same results. */
export interface RepeatedCalls {
  readonly calls: readonly Pick<TurnToolCall, 'name' | 'argumentsText'>[];
  /** How many rounds in a row. */
  readonly times: number;
}

/** From the second time on the model is told; it may be waiting for something, and then repeating is right. */
export const LOOP_NOTICE_TIMES = 2;
/**
 * From here on the same call again is an error. Far above what a patient poll needs (each round costs a whole answer), and a bound all
 * the same: an agent without one of its own would go on for ever.
 */
export const LOOP_ERROR_TIMES = 30;

/** The calls that the last rounds of a conversation have in common, arguments and results too; undefined when there was one round only. */
export function findRepeatedCalls(messages: readonly TurnMessage[]): RepeatedCalls | undefined {
  let at = messages.length;
  let repeated: { readonly signature: string; readonly calls: readonly TurnToolCall[] } | undefined;
  let times = 0;
  for (;;) {
    const results = new Map<string, string>();
    for (at -= 1; at >= 0; at--) {
      const message = messages[at];
      if (message?.role !== 'tool') break;
      results.set(message.callId, message.text);
    }
    const message = messages[at];
    if (message?.role !== 'assistant' || message.toolCalls.length === 0 || results.size === 0) break;
    const calls = message.toolCalls;
    const signature = JSON.stringify(calls.map((call) => [...keyOf(call), results.get(call.callId)]));
    if (repeated && repeated.signature !== signature) break;
    repeated ??= { signature, calls };
    times += 1;
  }
  return repeated && times >= LOOP_NOTICE_TIMES ? { calls: repeated.calls, times } : undefined;
}

/** True when this call is one of the repeated ones. */
export function isRepeatedCall(
  repeated: RepeatedCalls | undefined,
  call: Pick<TurnToolCall, 'name' | 'argumentsText'>,
): boolean {
  const key = JSON.stringify(keyOf(call));
  return repeated?.calls.some((each) => JSON.stringify(keyOf(each)) === key) ?? false;
}

const keyOf = ({ name, argumentsText }: Pick<TurnToolCall, 'name' | 'argumentsText'>): [string, string] => [
  name,
  canonicalJson(argumentsText),
];

function canonicalJson(text: string): string {
  try {
    return JSON.stringify(sorted(JSON.parse(text)));
  } catch {
    return text;
  }
}

/** The same value with its keys in order: `{"a":1,"b":2}` and `{"b":2,"a":1}` ask for the same. */
function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (!isRecord(value)) return value;
  return Object.fromEntries(
    Object.entries(value)
      .map(([key, member]) => [key, sorted(member)] as const)
      .sort(byKey),
  );
}

const byKey = ([a]: readonly [string, unknown], [b]: readonly [string, unknown]): number =>
  a < b ? -1 : a > b ? 1 : 0;
