import { eventSchema, type WireEvent, type WireResponseObject } from './response-schemas.ts';

/**
 * The events of a stream of the Responses API, each held to its schema and all of them to the rules of contract 2.7: the name of a frame is
 * the type of its event, numbers have no gaps, `[DONE]` is last. Throws at the first fault.
 */
export function readResponseEvents(sse: string, firstNumber = 0): WireEvent[] {
  const blocks = sse.split('\n\n').filter((block) => block !== '' && !block.startsWith(':'));
  if (blocks.pop() !== 'data: [DONE]') throw new Error('The stream does not end with [DONE].');
  return blocks.map((block, index) => {
    const [name, data, ...rest] = block.split('\n');
    if (rest.length > 0) throw new Error(`An event has more than one line of data: ${block}`);
    const parsed: unknown = JSON.parse(data?.slice('data: '.length) ?? '');
    const event = eventSchema.parse(parsed);
    if (name !== `event: ${event.type}`) throw new Error(`${name} is not the type of its event, ${event.type}.`);
    if (event.sequence_number !== firstNumber + index) throw new Error(`A gap before ${block}`);
    return event;
  });
}

/** The response that ends a stream. */
export function lastResponse(events: readonly WireEvent[]): WireResponseObject {
  const last = events.at(-1);
  if (last === undefined || !('response' in last)) throw new Error('The last event holds no response.');
  return last.response;
}
