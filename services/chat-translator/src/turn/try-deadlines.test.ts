import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { createTryDeadlines, createTurnDeadline } from './try-deadlines.ts';

const off = { ms: 0, variable: 'NONE' };
const limit = (ms: number): { ms: number; variable: string } => ({ ms, variable: 'ZAI_LIMIT' });
const caller = (): AbortSignal => new AbortController().signal;
const pass = (ms: number): unknown => jest.advanceTimersByTime(ms);

beforeEach(() => void jest.useFakeTimers());
afterEach(() => {
  expect(jest.getTimerCount()).toBe(0);
  jest.useRealTimers();
});

describe('createTryDeadlines', () => {
  it('ends a silence, and says which limit that was', () => {
    const deadlines = createTryDeadlines({ idle: limit(20), firstToken: off }, caller());
    deadlines.listen();
    pass(19);
    expect(deadlines.signal.aborted).toBe(false);
    pass(1);
    expect(deadlines.signal.reason).toMatchObject({
      code: 'upstream_timeout',
      message: 'The upstream was silent for 0.02 seconds (idle timeout, ZAI_LIMIT).',
      details: { layer: 'upstream' },
    });
    deadlines.close();
  });

  it('begins a silence anew with whatever is heard', () => {
    const deadlines = createTryDeadlines({ idle: limit(80), firstToken: off }, caller());
    for (let count = 0; count < 4; count += 1) {
      deadlines.listen();
      pass(79);
      deadlines.hear();
    }
    expect(deadlines.signal.aborted).toBe(false);
    deadlines.close();
  });

  it('does not count the time in which nobody listens, but counts again after it', () => {
    const deadlines = createTryDeadlines({ idle: limit(20), firstToken: off }, caller());
    deadlines.listen();
    deadlines.hear();
    pass(60);
    expect(deadlines.signal.aborted).toBe(false);
    deadlines.listen();
    pass(19);
    expect(deadlines.signal.aborted).toBe(false);
    pass(1);
    expect(deadlines.signal.aborted).toBe(true);
    deadlines.close();
  });

  it('ends a wait for the first content, however much else is heard', () => {
    const deadlines = createTryDeadlines({ idle: limit(1_000), firstToken: limit(30) }, caller());
    deadlines.listen();
    deadlines.hear();
    pass(30);
    expect(deadlines.signal.reason).toMatchObject({
      message: 'The upstream sent no content within 0.03 seconds (first token timeout, ZAI_LIMIT).',
    });
    deadlines.close();
  });

  it('knows no first-token limit behind the first content, and none when it is closed', () => {
    const begun = createTryDeadlines({ idle: off, firstToken: limit(10) }, caller());
    begun.begin();
    const closed = createTryDeadlines({ idle: limit(10), firstToken: limit(10) }, caller());
    closed.listen();
    closed.close();
    pass(40);
    expect([begun.signal.aborted, closed.signal.aborted]).toEqual([false, false]);
    begun.close();
  });

  it('passes on the caller’s reason, before and while it runs', () => {
    const gone = new Error('gone');
    const late = new AbortController();
    const deadlines = [AbortSignal.abort(gone), late.signal].map((signal) =>
      createTryDeadlines({ idle: off, firstToken: off }, signal),
    );
    late.abort(gone);
    for (const each of deadlines) {
      expect(each.signal.reason).toBe(gone);
      each.close();
    }
  });
});

describe('createTurnDeadline', () => {
  it('ends a turn that takes too long', () => {
    const deadline = createTurnDeadline(limit(20), caller());
    pass(20);
    expect(deadline.signal.reason).toMatchObject({
      code: 'upstream_timeout',
      message: 'The answer took longer than 0.02 seconds (total timeout, ZAI_LIMIT).',
    });
    deadline.close();
  });

  it('without a limit is the caller’s own signal', () => {
    const signal = caller();
    expect(createTurnDeadline(off, signal).signal).toBe(signal);
  });

  it('passes on the caller’s reason', () => {
    const controller = new AbortController();
    const deadline = createTurnDeadline(limit(10_000), controller.signal);
    controller.abort('gone');
    expect(deadline.signal.reason).toBe('gone');
  });
});
