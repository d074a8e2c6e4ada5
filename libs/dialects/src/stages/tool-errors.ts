import { TurnError } from '@zai2api/turn';
import { INVALID_STRUCTURED_OUTPUT } from './json-answer.ts';

/** The wire reasons of tool calls that cannot be delivered (contract 1.5, 5.1). */
export const TOOL_CHOICE_NOT_SATISFIED = 'tool_choice_not_satisfied';
/** Reason of the error when a call stayed wrong after it was asked for once more. */
export const INVALID_TOOL_CALL = 'invalid_tool_call';
/** Reason of the error when the model makes the same call again and again. */
export const TOOL_CALL_LOOP = 'tool_call_loop';

/** Reasons of an answer that is not what the request demanded, though the upstream did its part: the model's words were at fault. */
export const unusableAnswerReasons: readonly string[] = [
  TOOL_CHOICE_NOT_SATISFIED,
  INVALID_TOOL_CALL,
  TOOL_CALL_LOOP,
  INVALID_STRUCTURED_OUTPUT,
];

/** True while nothing but thinking was sent. */
interface Repeatable {
  readonly isRepeatable: boolean;
}

/** The answer lacks the call that was demanded. Its text was held back. */
export function unmetToolChoice(names: readonly string[]): TurnError {
  const what = names.length === 1 ? `the tool ${names.join('')}` : 'one of the tools';
  return new TurnError('upstream_failed', `The answer had to call ${what}, and did not.`, {
    layer: 'upstream',
    reason: TOOL_CHOICE_NOT_SATISFIED,
    cause: { isRepeatable: true } satisfies Repeatable,
  });
}

/** A call that cannot be delivered. `isRepeatable`: nothing but thinking was sent before it. */
export function invalidToolCall(fault: string, isRepeatable: boolean): TurnError {
  return new TurnError('upstream_failed', `The model’s tool call is not valid: ${fault}.`, {
    layer: 'upstream',
    reason: INVALID_TOOL_CALL,
    cause: { isRepeatable } satisfies Repeatable,
  });
}

/** The same call once too often. */
export function toolCallLoop(name: string, times: number): TurnError {
  return new TurnError(
    'upstream_failed',
    `The model called ${name} with the same arguments ${times + 1} times in a row, each time with the same result.`,
    { layer: 'upstream', reason: TOOL_CALL_LOOP },
  );
}

/**
 * True when the upstream may be asked once more for what the request demanded and the answer was not: a tool call that is missing or not
 * valid, or JSON that is none, while the client has seen nothing but thinking.
 */
export function isUnmetDemand({ details: { reason, cause } }: TurnError): boolean {
  if (reason === INVALID_STRUCTURED_OUTPUT) return true;
  if (reason !== TOOL_CHOICE_NOT_SATISFIED && reason !== INVALID_TOOL_CALL) return false;
  return typeof cause === 'object' && cause !== null && 'isRepeatable' in cause && cause.isRepeatable === true;
}
