import type { ToolDefinition, TurnError } from '@zai2api/turn';
import { isRecord } from '../is-record.ts';
import { invalidToolCall, toolCallLoop } from './tool-errors.ts';
import { tryParseJson } from '../try-parse-json.ts';
import { repairJson } from './tool-json-repair.ts';
import { isRepeatedCall, LOOP_ERROR_TIMES, type RepeatedCalls } from './tool-loop.ts';

/** One call on its way to the client. */
export interface CallDelivery {
  /** False: nothing of it may be sent before the whole is known to be good. */
  readonly streams: boolean;
  /** More of the arguments was sent. */
  sent(argumentsText: string): void;
  readonly sentCharacters: number;
  /** The whole arguments as they may be delivered, or why the call cannot be. */
  judge(argumentsText: string | undefined): string | ((isRepeatable: boolean) => TurnError);
}

/** What a call has to keep to before it is delivered. */
export interface CallRules {
  /** What the tool's schema finds wrong with the arguments. */
  readonly checkArguments?: ((tool: ToolDefinition, value: unknown) => readonly string[]) | undefined;
  readonly repeated: RepeatedCalls | undefined;
}

const MAX_FAULTS = 5;

/** Follows one call of a declared tool. */
export function createCallDelivery(tool: ToolDefinition, { checkArguments, repeated }: CallRules): CallDelivery {
  const { name } = tool;
  const check = tool.strict ? checkArguments : undefined;
  const times = repeated?.times ?? 0;
  const mayLoop = times >= LOOP_ERROR_TIMES && (repeated?.calls.some((call) => call.name === name) ?? false);
  let sent = '';

  return {
    streams: check === undefined && !mayLoop,
    sent(argumentsText) {
      sent += argumentsText;
    },
    get sentCharacters() {
      return sent.length;
    },
    judge(argumentsText) {
      const json = argumentsText === undefined ? undefined : toObjectText(argumentsText);
      if (json?.startsWith(sent) !== true)
        return (isRepeatable) =>
          invalidToolCall(`the arguments of ${name} are not one complete JSON object`, isRepeatable);
      const faults = check?.(tool, tryParseJson(json)) ?? [];
      if (faults.length > 0)
        return (isRepeatable) =>
          invalidToolCall(
            `the arguments of ${name} do not match its schema: ${faults.slice(0, MAX_FAULTS).join('; ')}`,
            isRepeatable,
          );
      if (mayLoop && isRepeatedCall(repeated, { name, argumentsText: json })) return () => toolCallLoop(name, times);
      return json;
    },
  };
}

/** The text of an object, also when it was put into a string or needs repair; nothing at all is the empty object. */
function toObjectText(text: string): string | undefined {
  if (text.trim() === '') return '{}';
  const json = repairJson(text);
  if (json === undefined) return undefined;
  const value = tryParseJson(json);
  if (value === null) return '{}';
  if (typeof value === 'string') {
    const inner = repairJson(value);
    return inner !== undefined && isRecord(tryParseJson(inner)) ? inner : undefined;
  }
  return isRecord(value) ? json : undefined;
}
