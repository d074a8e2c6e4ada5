import type { ReceivedRequest } from '../received-request.ts';

const capacity = 10_000;

type Match = (request: ReceivedRequest) => boolean;

/** The bounded log of received requests, and waits on it that need no polling. */
export interface RequestLog {
  readonly entries: readonly ReceivedRequest[];
  readonly add: (request: ReceivedRequest) => void;
  /** To be called after every change of a logged record, so that waits see it. */
  readonly changed: (request: ReceivedRequest) => void;
  readonly waitFor: (match: Match, withinMs: number) => Promise<ReceivedRequest>;
  readonly clear: () => void;
  /** Rejects every wait. */
  readonly close: () => void;
}

interface Wait {
  readonly match: Match;
  readonly settle: (outcome: ReceivedRequest | Error) => void;
}

export function createRequestLog(): RequestLog {
  const entries: ReceivedRequest[] = [];
  const waits = new Set<Wait>();

  const changed = (request: ReceivedRequest): void => {
    for (const wait of waits) if (wait.match(request)) wait.settle(request);
  };

  return {
    entries,
    changed,
    add(request) {
      entries.push(request);
      if (entries.length > capacity) entries.shift();
      changed(request);
    },
    waitFor(match, withinMs) {
      const known = entries.find(match);
      if (known) return Promise.resolve(known);
      return new Promise((resolve, reject) => {
        const wait: Wait = {
          match,
          settle(outcome) {
            clearTimeout(timer);
            waits.delete(wait);
            if (outcome instanceof Error) reject(outcome);
            else resolve(outcome);
          },
        };
        const timer = setTimeout(() => {
          const seen = entries
            .map((request) => `${request.method} ${request.path} ${request.status ?? '-'}`)
            .slice(-20);
          wait.settle(new Error(`No such request within ${withinMs} ms. The last ones: ${seen.join(', ') || 'none'}`));
        }, withinMs);
        waits.add(wait);
      });
    },
    clear() {
      entries.length = 0;
    },
    close() {
      for (const wait of waits) wait.settle(new Error('The fake upstream was closed.'));
    },
  };
}
