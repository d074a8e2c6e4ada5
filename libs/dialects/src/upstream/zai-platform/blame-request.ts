import { TurnError, type TurnRequest } from '@zai2api/turn';
import { isRecord } from '../../is-record.ts';

/** A bad call, a missing, an invalid and a conflicting field (protocol 10.4): they may speak of values, where the others speak of the call itself. */
const valueCodes: ReadonlySet<string> = new Set(['1210', '1213', '1214', '1215']);

/**
 * The error as it is to be told of this request: a refused field is the request's own fault where it brought something that goes up as it
 * came, and a change of the contract where all the fields are ours.
 */
export function blameRequest(error: TurnError, request: TurnRequest): TurnError {
  const { cause } = error.details;
  const code = isRecord(cause) ? cause['code'] : undefined;
  if (error.code !== 'upstream_drifted' || typeof code !== 'string' || !valueCodes.has(code)) return error;
  const suspects = suspectsIn(request);
  if (suspects.length === 0) return error;
  return new TurnError(
    'invalid_request',
    `The official API refused a value of this request. Possible causes: ${suspects.join(', ')}.`,
    { layer: 'upstream', reason: 'refused_by_upstream', cause },
  );
}

/** What goes up as the client said it and may be refused for its form: all but plain words and the switches that we set ourselves. */
function suspectsIn({ messages, tools }: TurnRequest): string[] {
  const hasFiles = messages.some((message) => 'attachments' in message && (message.attachments?.length ?? 0) > 0);
  const hasCalls = messages.some(
    (message) => message.role === 'tool' || (message.role === 'assistant' && message.toolCalls.length > 0),
  );
  const hasEmpty = messages.some(({ role, text }) => role !== 'assistant' && role !== 'tool' && text.trim() === '');
  return [
    ...(hasFiles ? ['a file'] : []),
    ...(tools.length > 0 ? ['a tool'] : []),
    ...(hasCalls ? ['an earlier tool call or its result'] : []),
    ...(hasEmpty && !hasFiles ? ['an empty message'] : []),
  ];
}
