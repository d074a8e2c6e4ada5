import { once } from 'node:events';
import { setImmediate as nextTurn, setTimeout as wait } from 'node:timers/promises';
import { cutConnection, startAnswer } from './exchange.ts';
import type { Scenario, ScenarioContext } from '../scenarios/scenario.ts';
import type { Exchange } from './exchange.ts';

const streamHeaders = { 'content-type': 'text/event-stream; charset=utf-8', 'cache-control': 'no-cache' };

/**
 * Answers with a scenario, no faster than the client reads. Rejects when the client leaves; then nothing of the scenario
 * runs any more.
 */
export async function playScenario(exchange: Exchange, scenario: Scenario, context: ScenarioContext): Promise<void> {
  const { response, signal, settings } = exchange;
  const { head } = scenario;
  startAnswer(exchange, head?.status ?? 200, head ? { 'content-type': head.contentType } : streamHeaders);
  response.flushHeaders();
  if (head && head.body !== '') response.write(head.body);

  const write = async (content: string | Uint8Array): Promise<void> => {
    if (!response.write(content)) await once(response, 'drain', { signal });
  };
  for (const step of scenario.steps(context)) {
    signal.throwIfAborted();
    if (typeof step === 'string') {
      await write(step);
      if (settings.frameDelayMs > 0) await wait(settings.frameDelayMs, undefined, { signal });
    } else if (step.type === 'bytes') {
      await write(step.bytes);
      // What is written in one turn of the event loop leaves as one network chunk.
      await nextTurn(undefined, { signal });
    } else if (step.type === 'wait') {
      await wait(step.waitMs, undefined, { signal });
    } else if (step.type === 'stall') {
      await once(response, 'close', { signal });
    } else {
      await nextTurn(undefined, { signal });
      cutConnection(exchange, 'close');
      return;
    }
  }
  response.end();
}
