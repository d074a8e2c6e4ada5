import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import { ResponseStream } from 'openai/lib/responses/ResponseStream';
import { lastResponse, readResponseEvents } from '../support/response-events.ts';
import { responseSchema } from '../support/response-schemas.ts';

const root = new URL('../../libs/dialects/fixtures/turns/', import.meta.url);
const read = (name: string, file: string): string => readFileSync(new URL(`${name}/${file}`, root), 'utf8');
const isFailed = (name: string): boolean => /"type":"response.failed"/.test(read(name, 'openai-responses.sse'));

describe.each(readdirSync(root))('the responses of turn %s', (name) => {
  const sse = read(name, 'openai-responses.sse');

  it('R02: hold to the grammar of events', () => {
    const events = readResponseEvents(sse);
    expect(events[0]?.type).toBe('response.created');
    const ids = events.flatMap((event) => ('response' in event ? [event.response.id] : []));
    expect(new Set(ids).size).toBe(1);
    // Every item that began has ended, or is what the answer broke off in.
    const count = (type: string): number => events.filter((event) => event.type === type).length;
    const [added, done] = [count('response.output_item.added'), count('response.output_item.done')];
    expect(added - done).toBeGreaterThanOrEqual(0);
    expect(added - done).toBeLessThanOrEqual(isFailed(name) ? 1 : 0);
    expect(lastResponse(events).output).toHaveLength(added);
  });

  it('R03: are understood by the official client', async () => {
    const events = readResponseEvents(sse);
    const lines = events.map((event) => `${JSON.stringify(event)}\n`).join('');
    const stream = ResponseStream.fromReadableStream(new Blob([lines]).stream());
    const { output_text: text, ...response } = await stream.finalResponse();
    expect(JSON.parse(JSON.stringify(response))).toMatchObject(lastResponse(events));
    expect(text).toBe(textOf(lastResponse(events)));
  });

  it('are the same streamed and whole', () => {
    if (isFailed(name)) return;
    const whole = responseSchema.parse(JSON.parse(read(name, 'openai-responses.json')));
    expect(lastResponse(readResponseEvents(sse))).toEqual(whole);
  });
});

const textOf = ({ output }: ReturnType<typeof lastResponse>): string =>
  output
    .flatMap((item) => (item.type === 'message' ? item.content : []))
    .map((part) => (part.type === 'output_text' ? part.text : ''))
    .join('');
