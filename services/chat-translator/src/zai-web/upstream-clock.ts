/** The upstream's clock: signatures are only valid near its own time, and neighbouring buckets are not relied on (protocol 12.10). */
export interface UpstreamClock {
  /** Milliseconds since the epoch, by the upstream's `Date` headers as far as they are known. */
  now(): number;
  /** Takes the `Date` header of an answer that was asked for at `askedAtMs` (local time). */
  learn(dateHeader: string | undefined, askedAtMs: number): void;
}

/** Below this difference the header's resolution of a second and the way there explain everything. */
const MIN_SKEW_MS = 2_000;

/** A clock that starts as the local one. */
export function createUpstreamClock(localNow: () => number): UpstreamClock {
  let skewMs = 0;
  return {
    now: () => Math.round(localNow() + skewMs),
    learn(dateHeader, askedAtMs) {
      const date = dateHeader === undefined ? Number.NaN : Date.parse(dateHeader);
      if (Number.isNaN(date)) return;
      // The header was written somewhere on the way there and back, and cut to its second. What lies within that is no news.
      const least = date - localNow();
      const most = date + 1_000 - askedAtMs;
      if (skewMs >= least && skewMs <= most) return;
      const measured = (least + most) / 2;
      skewMs = Math.abs(measured) < MIN_SKEW_MS ? 0 : measured;
    },
  };
}
