import { once } from 'node:events';
import http from 'node:http';
import { text } from 'node:stream/consumers';
import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { streamHeaders, type StreamEncoder } from '@zai2api/dialects';
import { abortOnClose, listen, type RunningServer } from '@zai2api/runtime';
import { TurnError, type TurnEvent } from '@zai2api/turn';
import { createEventStreamResponse, type EventStreamResponse } from './send-stream.ts';

const delta = (length: number): TurnEvent[] => [{ type: 'text-delta', block: 0, text: 'x'.repeat(length) }];
const usage = {
  inputTokens: 1,
  outputTokens: 1,
  cachedInputTokens: 0,
  reasoningTokens: 0,
  exactness: 'exact',
} as const;
const end: TurnEvent[] = [{ type: 'turn-end', reason: 'stop', usage }];

/** One word per event, so that a test sees what was written. */
function createEncoder(): StreamEncoder {
  let ended = false;
  return {
    push(event) {
      ended ||= event.type === 'turn-end' || event.type === 'turn-error';
      if (event.type === 'turn-error') return `[error ${event.error.code}]`;
      if (event.type === 'turn-end') return '[end]';
      return event.type === 'text-delta' ? event.text : '';
    },
    end: () => (ended ? '' : '[cut]'),
  };
}

interface Exchange {
  readonly stream: EventStreamResponse;
  readonly response: http.ServerResponse;
  readonly signal: AbortSignal;
  readonly client: http.ClientRequest;
}

describe('an event stream', () => {
  let server: RunningServer;
  let arrived: PromiseWithResolvers<http.ServerResponse>;
  const clients: http.ClientRequest[] = [];

  beforeEach(async () => {
    arrived = Promise.withResolvers();
    server = await listen((_request, response) => arrived.resolve(response), { host: '127.0.0.1', port: 0 });
  });
  afterEach(async () => {
    jest.useRealTimers();
    for (const client of clients.splice(0)) client.destroy();
    await server.stop(AbortSignal.abort());
  });

  async function exchange(heartbeatMs = 0): Promise<Exchange> {
    const client = http.get({ host: '127.0.0.1', port: server.port });
    client.on('error', () => undefined);
    clients.push(client);
    const response = await arrived.promise;
    const signal = abortOnClose(response);
    const stream = createEventStreamResponse(response, { encoder: createEncoder(), heartbeatMs, signal });
    return { stream, response, signal, client };
  }

  async function answerTo(client: http.ClientRequest): Promise<http.IncomingMessage> {
    const [answer] = (await once(client, 'response')) as [http.IncomingMessage];
    answer.on('error', () => undefined);
    return answer;
  }

  it('has the headers of one, and writes nothing for batches that say nothing', async () => {
    const { stream, response, client } = await exchange();
    const writes = jest.spyOn(response, 'write');
    const pumped = stream.pump(
      (async function* () {
        yield [];
        yield [{ type: 'text-start', block: 0 }] as TurnEvent[];
        yield delta(2);
        yield end;
      })(),
    );
    const answer = await answerTo(client);
    expect(answer.headers).toMatchObject(streamHeaders);
    expect(await text(answer)).toBe('xx[end]');
    await pumped;
    expect(writes).toHaveBeenCalledTimes(2);
  });

  it('begins with a comment when it is told to, once', async () => {
    const { stream, client } = await exchange();
    stream.begin();
    stream.begin();
    const answer = await answerTo(client);
    stream.fail(new TurnError('upstream_failed', 'x', { layer: 'upstream' }));
    expect([answer.statusCode, await text(answer)]).toEqual([200, ': keep-alive\n\n[error upstream_failed]']);
  });

  describe('ends', () => {
    it.each<[string, () => AsyncGenerator<TurnEvent[]>, string]>([
      [
        'with an error when its source throws one',
        async function* () {
          yield delta(1);
          throw new TurnError('upstream_timeout', 'x', { layer: 'upstream' });
        },
        'x[error upstream_timeout]',
      ],
      [
        'with an error of ours when its source throws anything',
        async function* () {
          yield delta(1);
          throw new Error('secret');
        },
        'x[error internal]',
      ],
      [
        'with an error when its source throws at once',
        async function* () {
          yield [];
          throw new Error('secret');
        },
        '[error internal]',
      ],
      [
        'as cut when its source ends too early',
        async function* () {
          yield delta(1);
        },
        'x[cut]',
      ],
    ])('%s', async (_name, source, written) => {
      const { stream, client } = await exchange();
      const pumped = stream.pump(source());
      expect(await text(await answerTo(client))).toBe(written);
      await pumped;
    });
  });

  it('sends a comment after each silence, until it ends', async () => {
    jest.useFakeTimers({
      doNotFake: [
        'setTimeout',
        'clearTimeout',
        'setImmediate',
        'clearImmediate',
        'nextTick',
        'queueMicrotask',
        'Date',
        'performance',
        'hrtime',
      ],
    });
    const { stream, response, client } = await exchange(15_000);
    const writes = jest.spyOn(response, 'write');
    const written = (): unknown[] => writes.mock.calls.map(([chunk]): unknown => chunk);
    const further = Promise.withResolvers<undefined>();
    const isOver = Promise.withResolvers<undefined>();
    const pumped = stream.pump(
      (async function* () {
        yield delta(1);
        await further.promise;
        yield delta(2);
        await isOver.promise;
        yield end;
      })(),
    );
    const answer = await answerTo(client);
    jest.advanceTimersByTime(14_999);
    further.resolve(undefined);
    await new Promise(setImmediate);
    jest.advanceTimersByTime(14_999);
    expect(written()).toEqual(['x', 'xx']);
    jest.advanceTimersByTime(15_001);
    expect(written()).toEqual(['x', 'xx', ': keep-alive\n\n', ': keep-alive\n\n']);
    isOver.resolve(undefined);
    expect(await text(answer)).toMatch(/keep-alive\n\n\[end\]$/);
    await pumped;
    expect(jest.getTimerCount()).toBe(0);
  });

  it('sends none when that is switched off', async () => {
    jest.useFakeTimers({ doNotFake: ['setTimeout', 'setImmediate', 'nextTick', 'queueMicrotask'] });
    const { stream, client } = await exchange(0);
    stream.begin();
    await answerTo(client);
    expect(jest.getTimerCount()).toBe(0);
  });

  describe('to a client that does not read', () => {
    const count = 400;
    const size = 128 * 1024;
    let pulled: number;
    let isLeft: boolean;
    beforeEach(() => {
      [pulled, isLeft] = [0, false];
    });

    async function* flood(): AsyncGenerator<TurnEvent[]> {
      try {
        for (; pulled < count; pulled += 1) yield delta(size);
        yield end;
      } finally {
        isLeft = true;
      }
    }

    /** Resolves when the kernel takes no more and the source is left alone. */
    async function blocked(response: http.ServerResponse): Promise<void> {
      for (let before = -1; before !== pulled || !response.writableNeedDrain;) {
        before = pulled;
        for (let tick = 0; tick < 20; tick += 1) await new Promise(setImmediate);
      }
    }

    it('asks for no more until it reads', async () => {
      const { stream, response, client } = await exchange();
      const pumped = stream.pump(flood());
      const answer = await answerTo(client);
      await blocked(response);
      expect(pulled).toBeLessThan(count);
      expect(response.writableLength).toBeLessThan(4 * size);
      expect((await text(answer)).length).toBe(count * size + '[end]'.length);
      await pumped;
    });

    it('lets its source go when the client leaves', async () => {
      const { stream, response, client } = await exchange();
      const pumped = stream.pump(flood());
      await answerTo(client);
      await blocked(response);
      client.destroy();
      await pumped;
      expect([isLeft, pulled < count]).toEqual([true, true]);
    });
  });

  it('lets its source go when the client leaves, and writes nothing more', async () => {
    const { stream, response, signal, client } = await exchange(15_000);
    const writes = jest.spyOn(response, 'write');
    const ends = jest.spyOn(response, 'end');
    let isLeft = false;
    const pumped = stream.pump(
      (async function* () {
        try {
          yield delta(1);
          if (!signal.aborted) await once(signal, 'abort');
          yield delta(1);
        } finally {
          isLeft = true;
        }
      })(),
    );
    await answerTo(client);
    client.destroy();
    await pumped;
    stream.begin();
    stream.fail(new TurnError('internal', 'x', { layer: 'internal' }));
    expect([isLeft, writes.mock.calls.length, ends.mock.calls.length]).toEqual([true, 1, 0]);
  });

  it('never rejects, also when its source fails as the client leaves', async () => {
    const { stream, signal, client } = await exchange();
    const pumped = stream.pump(
      (async function* () {
        yield delta(1);
        if (!signal.aborted) await once(signal, 'abort');
        throw TurnError.from(signal.reason);
      })(),
    );
    await answerTo(client);
    client.destroy();
    await expect(pumped).resolves.toBeUndefined();
  });
});
