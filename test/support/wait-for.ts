import { setTimeout as wait } from 'node:timers/promises';

const POLL_MS = 5;

/**
 * Resolves with the first value of `condition` that is neither false nor undefined; asks again every few milliseconds. Rejects when
 * there is none within the deadline, with the last failure of the condition as cause.
 */
export async function waitFor<T>(
  condition: () => T | false | undefined | Promise<T | false | undefined>,
  { withinMs, what = 'the condition' }: { readonly withinMs: number; readonly what?: string },
): Promise<T> {
  const deadlineMs = performance.now() + withinMs;
  let failure: unknown;
  for (;;) {
    try {
      const value = await condition();
      if (value !== false && value !== undefined) return value;
    } catch (reason) {
      failure = reason;
    }
    if (performance.now() > deadlineMs) {
      throw new Error(`Waited ${withinMs} ms in vain for ${what}.`, failure === undefined ? {} : { cause: failure });
    }
    await wait(POLL_MS);
  }
}
