import { describe, expect, it } from '@jest/globals';
import { createBackgroundTasks } from './background-tasks.ts';

const never = new AbortController().signal;

describe('background tasks', () => {
  it('are waited for by the stop', async () => {
    const tasks = createBackgroundTasks(() => undefined);
    const [one, other] = [Promise.withResolvers<undefined>(), Promise.withResolvers<undefined>()];
    tasks.run(() => one.promise);
    tasks.run(() => other.promise);
    let hasStopped = false;
    const stopped = tasks.stop(never).then(() => (hasStopped = true));
    one.resolve(undefined);
    await new Promise(setImmediate);
    expect(hasStopped).toBe(false);
    other.resolve(undefined);
    await stopped;
  });

  it('that are begun while it stops are waited for too', async () => {
    const tasks = createBackgroundTasks(() => undefined);
    const [one, other] = [Promise.withResolvers<undefined>(), Promise.withResolvers<undefined>()];
    tasks.run(() => one.promise);
    let hasStopped = false;
    const stopped = tasks.stop(never).then(() => (hasStopped = true));
    tasks.run(() => other.promise);
    one.resolve(undefined);
    await new Promise(setImmediate);
    expect(hasStopped).toBe(false);
    other.resolve(undefined);
    await stopped;
  });

  it('that fail are reported and end like others', async () => {
    const failures: unknown[] = [];
    const tasks = createBackgroundTasks((reason) => failures.push(reason));
    tasks.run(() => Promise.reject(new Error('no')));
    await tasks.stop(never);
    expect(failures).toEqual([new Error('no')]);
  });

  it('do not hold up a stop whose deadline is over, or passes', async () => {
    const tasks = createBackgroundTasks(() => undefined);
    tasks.run(() => new Promise(() => undefined));
    await tasks.stop(AbortSignal.abort());
    const deadline = new AbortController();
    const stopped = tasks.stop(deadline.signal);
    deadline.abort();
    await stopped;
  });

  it('stop at once when none was started', async () => {
    await createBackgroundTasks(() => undefined).stop(never);
  });
});
