import { randomUUID } from 'node:crypto';
import { openAiResponses, type ClientCodecContext } from '@zai2api/dialects';
import type { CreateEvent } from './read-client-event.ts';

/** Nothing of a prewarm is sealed: it has no output. */
const context: ClientCodecContext = {
  now: () => Date.now(),
  newId: () => randomUUID().replaceAll('-', ''),
  seal: (text) => text,
  unseal: () => undefined,
};

const usage = {
  inputTokens: 0,
  outputTokens: 0,
  cachedInputTokens: 0,
  reasoningTokens: 0,
  exactness: 'exact',
} as const;

/**
 * The answer to `generate: false`, as an event stream: a response with an id, no output and no usage, which can be gone on from (contract 2.8).
 * Nobody else is asked. Throws a TurnError for a body that would be refused.
 */
export function answerPrewarm({ body, items }: CreateEvent): string {
  const input: unknown = items === undefined || items === '' ? body['input'] : JSON.parse(`[${items}]`);
  const decoded = openAiResponses.decodeRequest({ ...body, input }, context);
  const encoder = decoded.createStreamEncoder({ countInput: () => 0 });
  const { model } = decoded.request;
  return (
    encoder.push({ type: 'turn-start', id: context.newId(), model, createdAt: context.now(), warnings: [] }) +
    encoder.push({ type: 'turn-end', reason: 'stop', usage })
  );
}
