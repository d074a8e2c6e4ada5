import { randomUUID } from 'node:crypto';
import { createSseDecoder, openAiResponses } from '@zai2api/dialects';
import type { TurnEvent } from '@zai2api/turn';

const nothing = {
  inputTokens: 0,
  outputTokens: 0,
  cachedInputTokens: 0,
  reasoningTokens: 0,
  exactness: 'exact',
} as const;

/**
 * The events that answer a request with `generate: false`: a response with an id and without output, for which no upstream is asked
 * (contract 2.8). Throws the TurnError of a request that could not be answered otherwise either.
 */
export function answerPrewarm(body: Readonly<Record<string, unknown>>): {
  readonly id: string;
  readonly events: string[];
} {
  const newId = (): string => randomUUID().replaceAll('-', '');
  const context = { now: Date.now, newId, seal: (text: string) => text, unseal: () => undefined };
  const decoded = openAiResponses.decodeRequest(body, context);
  const encoder = decoded.createStreamEncoder({ countInput: () => 0 });
  const turn: TurnEvent[] = [
    { type: 'turn-start', id: newId(), model: decoded.request.model, createdAt: Date.now(), warnings: [] },
    { type: 'turn-end', reason: 'stop', usage: nothing },
  ];
  const events: string[] = [];
  const decoder = createSseDecoder({
    frame: ({ event, data }) => {
      if (event !== undefined) events.push(data);
    },
    run: () => false,
  });
  decoder.push(new TextEncoder().encode(turn.map((event) => encoder.push(event)).join('')));
  const { response } = JSON.parse(events.at(-1) ?? '') as { readonly response: { readonly id: string } };
  return { id: response.id, events };
}
