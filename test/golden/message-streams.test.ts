import { readdirSync, readFileSync } from 'node:fs';
import { MessageStream } from '@anthropic-ai/sdk/lib/MessageStream';
import { describe, expect, it } from '@jest/globals';
import { foldMessageEvents, readMessageEvents } from '../support/message-events.ts';
import { messageSchema } from '../support/message-schemas.ts';

const root = new URL('../../libs/dialects/fixtures/turns/', import.meta.url);
const read = (name: string, file: string): string => readFileSync(new URL(`${name}/${file}`, root), 'utf8');
const names = readdirSync(root);
const isFailed = (name: string): boolean => read(name, 'anthropic-messages.sse').includes('event: error\n');

it.each(names)('M03, M05, M09: the stream of turn %s holds to the grammar of events', (name) => {
  const events = readMessageEvents(read(name, 'anthropic-messages.sse'));
  expect(events.at(-1)?.type).toBe(isFailed(name) ? 'error' : 'message_stop');
});

describe.each(names.filter((name) => !isFailed(name)))('M04: the message of turn %s', (name) => {
  it('is the same streamed and whole', () => {
    const whole = messageSchema.parse(JSON.parse(read(name, 'anthropic-messages.json')));
    expect(foldMessageEvents(readMessageEvents(read(name, 'anthropic-messages.sse')))).toEqual(whole);
  });

  it('is understood by the official client', async () => {
    const events = readMessageEvents(read(name, 'anthropic-messages.sse'));
    const spoken = events.filter(({ type }) => type !== 'ping');
    const lines = spoken.map((event) => `${JSON.stringify(event)}\n`).join('');
    const stream = MessageStream.fromReadableStream(new Blob([lines]).stream());
    expect(JSON.parse(JSON.stringify(await stream.finalMessage()))).toMatchObject(foldMessageEvents(events));
  });
});
