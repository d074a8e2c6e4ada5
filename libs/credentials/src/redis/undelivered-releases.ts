import type { LeaseOutcome } from '../credential-store.ts';

/** Releases that could not be delivered, kept until they can be or until the deadline of their lease makes them pointless. */
export interface UndeliveredReleases {
  /** `leaseMs`: after this time the slot is free without it. */
  add(leaseId: string, outcome: LeaseOutcome, leaseMs: number): void;
  /** Tries each of them once more; what fails is kept. */
  deliver(): void;
}

/** An outage in which more leases end than this leaves the rest to their deadlines. */
const MAX_KEPT = 1_000;

/** `send` delivers one release; it may be told of the same one twice. */
export function createUndeliveredReleases(
  send: (leaseId: string, outcome: LeaseOutcome) => Promise<void>,
): UndeliveredReleases {
  const kept = new Map<string, { readonly outcome: LeaseOutcome; readonly untilMs: number }>();

  return {
    add(leaseId, outcome, leaseMs) {
      if (kept.size < MAX_KEPT) kept.set(leaseId, { outcome, untilMs: performance.now() + leaseMs });
    },
    deliver() {
      const nowMs = performance.now();
      for (const [leaseId, { outcome, untilMs }] of kept) {
        if (untilMs <= nowMs) kept.delete(leaseId);
        else
          send(leaseId, outcome).then(
            () => kept.delete(leaseId),
            () => undefined,
          );
      }
    },
  };
}
