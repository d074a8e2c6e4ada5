import { Readable } from 'node:stream';
import type { CodecContext } from '@zai2api/dialects';
import type { TurnEvent } from '@zai2api/turn';
import { estimateInput } from '../answer/estimate-input.ts';
import type { DriverTurn } from '../upstream-driver.ts';
import type { RunningTurn } from './run-turn.ts';

/** True when the client wants no output: some ask so, to have their prompt read before its time (contract 3.2). */
export function asksForNothing({ request }: DriverTurn): boolean {
  return request.sampling.maxOutputTokens === 0;
}

/** The answer to such a request: complete, empty, and without an upstream, which has nothing to read ahead. */
export function runEmptyTurn({ request, warnings }: DriverTurn, context: CodecContext): RunningTurn {
  const inputTokens = estimateInput(request, context.countTokens);
  const usage = {
    inputTokens,
    outputTokens: 0,
    cachedInputTokens: 0,
    reasoningTokens: 0,
    exactness: 'estimated',
  } as const;
  const events: TurnEvent[] = [
    { type: 'turn-start', id: context.newId(), model: request.model, createdAt: context.now(), warnings },
    { type: 'turn-end', reason: 'length', usage },
  ];
  const batches = Readable.from([events]) as AsyncIterable<TurnEvent[]>;
  const opened = { [Symbol.asyncIterator]: () => batches[Symbol.asyncIterator](), upstream: 'none', warnings };
  return { opened: Promise.resolve(opened), close: () => undefined };
}
