import type { OpenedStore } from '../support/open-redis-store.ts';

/** What is found in Redis while everything goes on. */
export interface SlotWatch {
  /** Looks once. A Redis that does not answer is passed over. */
  look(): Promise<void>;
  readonly figures: { looks: number; readonly faults: string[] };
}

/** Leases are swept by whoever comes next, and somebody comes several times a second; a paused Redis may hold that up. */
const SWEEP_SLACK_MS = 5_000;

/**
 * Holds the books of the pool to each other: as many running turns as leases and holders, no lease that is past its deadline and still
 * counts, none that holds for longer than a lease does.
 */
export function watchSlots({ commands, settings }: OpenedStore, leaseMs: number): SlotWatch {
  const keyOf = (name: string): string => `{${settings.REDIS_KEY_PREFIX}:credentials}:${name}`;
  const figures: SlotWatch['figures'] = { looks: 0, faults: [] };

  return {
    figures,
    async look() {
      const replies = await commands
        .multi()
        .hvals(keyOf('entries'))
        .zrange(keyOf('leases'), '0', '-1', 'WITHSCORES')
        .hlen(keyOf('holders'))
        .time()
        .exec()
        .catch(() => null);
      if (!replies) return;
      const [entries, leases, holders, time] = replies.map(([, reply]) => reply) as [
        string[],
        string[],
        number,
        [string, string],
      ];
      const nowMs = Number(time[0]) * 1000 + Number(time[1]) / 1000;
      const deadlines = leases.filter((_, index) => index % 2 === 1).map(Number);
      const running = entries.reduce((sum, text) => sum + (JSON.parse(text) as { running: number }).running, 0);
      figures.looks++;
      if (running !== deadlines.length || holders !== deadlines.length) {
        figures.faults.push(`${running} running, ${deadlines.length} leases, ${holders} holders`);
      }
      const first = Math.min(...deadlines, nowMs);
      const last = Math.max(...deadlines, nowMs);
      if (first < nowMs - SWEEP_SLACK_MS) figures.faults.push(`a lease is ${nowMs - first} ms past its deadline`);
      if (last > nowMs + leaseMs + 1) figures.faults.push(`a lease holds for ${last - nowMs} ms`);
    },
  };
}
