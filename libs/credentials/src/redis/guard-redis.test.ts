import { afterEach, describe, expect, it } from '@jest/globals';
import { guardRedis, type RedisGuard } from './guard-redis.ts';

const TIMEOUT_MS = 30;
const hang = (): Promise<never> => new Promise(() => undefined);
const replyError = (message: string): Error => Object.assign(new Error(message), { name: 'ReplyError' });

const guards: RedisGuard[] = [];
afterEach(() => {
  for (const guard of guards.splice(0)) guard.stop();
});

function open(probe: () => Promise<unknown> = hang): { guard: RedisGuard; up: Promise<void>; lines: string[] } {
  const up = Promise.withResolvers<undefined>();
  const lines: string[] = [];
  const log = (_fields: object, message: string): void => void lines.push(message);
  const guard = guardRedis({
    timeoutMs: TIMEOUT_MS,
    probe,
    logger: { info: log, warn: log },
    onDown: () => lines.push('down'),
    onUp: () => up.resolve(undefined),
  });
  guards.push(guard);
  return { guard, up: up.promise, lines };
}

describe('guardRedis', () => {
  it('gives the answer', async () => {
    expect(await open().guard.run(() => Promise.resolve(1))).toBe(1);
  });

  it('refuses after the time, then at once without sending anything, until a probe is answered', async () => {
    let probes = 0;
    const { guard, up, lines } = open(() => (++probes < 2 ? hang() : Promise.resolve()));
    const refused = { code: 'no_capacity', details: { reason: 'store_unavailable' } };
    await expect(guard.run(hang)).rejects.toMatchObject(refused);
    expect(guard.isDown).toBe(true);
    let sent = 0;
    await expect(guard.run(() => Promise.resolve(++sent))).rejects.toMatchObject(refused);
    expect(sent).toBe(0);
    await up;
    expect([guard.isDown, probes]).toEqual([false, 2]);
    expect(await guard.run(() => Promise.resolve(2))).toBe(2);
    expect(lines).toEqual(['the credential store does not answer', 'down', 'the credential store answers again']);
  });

  it('takes a refusal by Redis for an answer, and shows none of its text', async () => {
    const { guard } = open();
    const refusing = guard.run(() => Promise.reject(replyError("OOM command not allowed, args 'token'")));
    await expect(refusing).rejects.toMatchObject({ details: { cause: { message: 'redis: OOM' } } });
    expect(guard.isDown).toBe(false);
  });

  it('is up again when the probe is refused by Redis itself', async () => {
    const { guard, up } = open(() => Promise.reject(replyError('NOPERM no')));
    await expect(guard.run(() => Promise.reject(new Error('Connection is closed.')))).rejects.toThrow();
    await up;
    expect(guard.isDown).toBe(false);
  });

  it('probes no more once it is stopped', async () => {
    let probes = 0;
    const { guard } = open(() => Promise.resolve(++probes));
    await expect(guard.run(hang)).rejects.toThrow();
    guard.stop();
    await expect(guard.run(hang)).rejects.toThrow();
    expect(probes).toBe(0);
  });
});
