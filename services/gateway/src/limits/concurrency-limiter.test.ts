import { describe, expect, it } from '@jest/globals';
import { createConcurrencyLimiter } from './concurrency-limiter.ts';

const never = new AbortController().signal;
const make = (options: Partial<Parameters<typeof createConcurrencyLimiter>[0]> = {}) =>
  createConcurrencyLimiter({ limit: 1, limitPerKey: 0, queueSize: 10, queueTimeoutMs: 5_000, ...options });

describe('the memory concurrency limiter', () => {
  it('refuses at once when the queue is full, with a time to come back', async () => {
    const limiter = make({ queueSize: 1 });
    const slot = await limiter.acquire('a', never);
    const waiting = limiter.acquire('a', never);
    await expect(limiter.acquire('a', never)).rejects.toMatchObject({
      code: 'rate_limited',
      details: { reason: 'concurrency_limit_exceeded', retryAfterSeconds: expect.any(Number) },
    });
    slot.release();
    (await waiting).release();
  });

  it('refuses at once when nobody may wait', async () => {
    for (const options of [{ queueSize: 0 }, { queueTimeoutMs: 0 }]) {
      const limiter = make(options);
      const slot = await limiter.acquire('a', never);
      await expect(limiter.acquire('a', never)).rejects.toMatchObject({ code: 'rate_limited' });
      slot.release();
      (await limiter.acquire('a', never)).release();
    }
  });

  it('refuses a waiter whose time is up, and keeps no place for it', async () => {
    const limiter = make({ queueTimeoutMs: 30 });
    const slot = await limiter.acquire('a', never);
    await expect(limiter.acquire('a', never)).rejects.toMatchObject({ code: 'rate_limited' });
    expect(limiter.waiting()).toBe(0);
    slot.release();
    (await limiter.acquire('a', never)).release();
  });

  it('lets a waiter leave at once, and serves the next in order', async () => {
    const limiter = make();
    const slot = await limiter.acquire('a', never);
    const leaver = new AbortController();
    const left = limiter.acquire('a', leaver.signal);
    const order: string[] = [];
    const second = limiter.acquire('a', never).then((each) => (order.push('second'), each));
    const third = limiter.acquire('a', never).then((each) => (order.push('third'), each));
    expect(limiter.waiting()).toBe(3);
    leaver.abort();
    await expect(left).rejects.toHaveProperty('name', 'AbortError');
    expect(limiter.waiting()).toBe(2);
    slot.release();
    (await second).release();
    (await third).release();
    expect(order).toEqual(['second', 'third']);
  });

  it('does not take a client that has already left', async () => {
    const limiter = make();
    await expect(limiter.acquire('a', AbortSignal.abort())).rejects.toHaveProperty('name', 'AbortError');
    (await limiter.acquire('a', never)).release();
  });

  it('keeps the slot of a running turn whose signal aborts, until it is released, and counts a release once', async () => {
    const limiter = make({ queueTimeoutMs: 20 });
    const client = new AbortController();
    const slot = await limiter.acquire('a', client.signal);
    client.abort();
    await expect(limiter.acquire('a', never)).rejects.toMatchObject({ code: 'rate_limited' });
    slot.release();
    slot.release();
    const next = await limiter.acquire('a', never);
    await expect(limiter.acquire('a', never)).rejects.toMatchObject({ code: 'rate_limited' });
    next.release();
  });

  /** Asks for a slot and gives it back at once; the order of the starts is written down. */
  function queue(limiter: ReturnType<typeof make>, order: string[], ...names: string[]): Promise<unknown>[] {
    return names.map((name) =>
      limiter.acquire(name.slice(0, 1), never).then((slot) => {
        order.push(name);
        slot.release();
      }),
    );
  }

  it('lets keys take turns, so that one with many waiters does not hold up the others', async () => {
    const limiter = make();
    const slot = await limiter.acquire('a', never);
    const order: string[] = [];
    const all = queue(limiter, order, 'a1', 'a2', 'a3', 'b1', 'b2', 'c1');
    slot.release();
    await Promise.all(all);
    expect(order).toEqual(['b1', 'c1', 'a1', 'b2', 'a2', 'a3']);
  });

  it('runs no more turns of one key than allowed, while others go on', async () => {
    const limiter = make({ limit: 3, limitPerKey: 1 });
    const slot = await limiter.acquire('a', never);
    const order: string[] = [];
    const [second] = queue(limiter, order, 'a2');
    await Promise.all(queue(limiter, order, 'b1', 'c1'));
    expect([order, limiter.waiting()]).toEqual([['b1', 'c1'], 1]);
    slot.release();
    await second;
    expect([order, limiter.waiting()]).toEqual([['b1', 'c1', 'a2'], 0]);
  });

  it('refuses at once beyond the limit of a key when nobody may wait', async () => {
    const limiter = make({ limit: 3, limitPerKey: 1, queueTimeoutMs: 0 });
    await limiter.acquire('a', never);
    await expect(limiter.acquire('a', never)).rejects.toMatchObject({ code: 'rate_limited' });
    await limiter.acquire('b', never);
  });

  it('gives the last place of the key with most waiters to one with fewer, when the queue is full', async () => {
    const limiter = make({ queueSize: 3 });
    const slot = await limiter.acquire('a', never);
    const order: string[] = [];
    const [first, second, third] = queue(limiter, order, 'a1', 'a2', 'a3');
    const refused = expect(third).rejects.toMatchObject({ code: 'rate_limited' });
    const other = queue(limiter, order, 'b1');
    await refused;
    // Two against one: nobody is better off.
    await expect(limiter.acquire('b', never)).rejects.toMatchObject({ code: 'rate_limited' });
    await expect(limiter.acquire('a', never)).rejects.toMatchObject({ code: 'rate_limited' });
    expect(limiter.waiting()).toBe(3);
    slot.release();
    await Promise.all([first, second, ...other]);
    expect(order).toEqual(['b1', 'a1', 'a2']);
  });
});
