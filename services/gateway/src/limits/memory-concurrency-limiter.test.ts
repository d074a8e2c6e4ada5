import { describe, expect, it } from '@jest/globals';
import { createMemoryConcurrencyLimiter } from './memory-concurrency-limiter.ts';

const never = new AbortController().signal;
const make = (options: Partial<Parameters<typeof createMemoryConcurrencyLimiter>[0]> = {}) =>
  createMemoryConcurrencyLimiter({ limit: 1, queueSize: 10, queueTimeoutMs: 5_000, ...options });

describe('the memory concurrency limiter', () => {
  it('refuses at once when the queue is full, with a time to come back', async () => {
    const limiter = make({ queueSize: 1 });
    const slot = await limiter.acquire(never);
    const waiting = limiter.acquire(never);
    await expect(limiter.acquire(never)).rejects.toMatchObject({
      code: 'rate_limited',
      details: { reason: 'concurrency_limit_exceeded', retryAfterSeconds: expect.any(Number) },
    });
    slot.release();
    (await waiting).release();
  });

  it('refuses at once when nobody may wait', async () => {
    for (const options of [{ queueSize: 0 }, { queueTimeoutMs: 0 }]) {
      const limiter = make(options);
      const slot = await limiter.acquire(never);
      await expect(limiter.acquire(never)).rejects.toMatchObject({ code: 'rate_limited' });
      slot.release();
      (await limiter.acquire(never)).release();
    }
  });

  it('refuses a waiter whose time is up, and keeps no place for it', async () => {
    const limiter = make({ queueTimeoutMs: 30 });
    const slot = await limiter.acquire(never);
    await expect(limiter.acquire(never)).rejects.toMatchObject({ code: 'rate_limited' });
    expect(limiter.waiting()).toBe(0);
    slot.release();
    (await limiter.acquire(never)).release();
  });

  it('lets a waiter leave at once, and serves the next in order', async () => {
    const limiter = make();
    const slot = await limiter.acquire(never);
    const leaver = new AbortController();
    const left = limiter.acquire(leaver.signal);
    const order: string[] = [];
    const second = limiter.acquire(never).then((each) => (order.push('second'), each));
    const third = limiter.acquire(never).then((each) => (order.push('third'), each));
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
    await expect(limiter.acquire(AbortSignal.abort())).rejects.toHaveProperty('name', 'AbortError');
    (await limiter.acquire(never)).release();
  });

  it('keeps the slot of a running turn whose signal aborts, until it is released, and counts a release once', async () => {
    const limiter = make({ queueTimeoutMs: 20 });
    const client = new AbortController();
    const slot = await limiter.acquire(client.signal);
    client.abort();
    await expect(limiter.acquire(never)).rejects.toMatchObject({ code: 'rate_limited' });
    slot.release();
    slot.release();
    const next = await limiter.acquire(never);
    await expect(limiter.acquire(never)).rejects.toMatchObject({ code: 'rate_limited' });
    next.release();
  });
});
