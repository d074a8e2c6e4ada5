import { TurnError } from '@zai2api/turn';

/** Bounds what the creates of all connections hold in memory together, those that wait for others in their lane included. */
export interface FrameBudget {
  /** Takes up `size` UTF-16 units until what it returns is called. Throws a TurnError `no_capacity` when there is no room; one alone has always room. */
  claim(size: number): () => void;
}

/** A budget of so many UTF-16 units. */
export function createFrameBudget(limit: number): FrameBudget {
  let held = 0;
  return {
    claim(size) {
      if (held > 0 && held + size > limit) {
        throw new TurnError('no_capacity', 'Too many large requests are being answered. Try again in a moment.', {
          layer: 'gateway',
          reason: 'too_many_large_requests',
          retryAfterSeconds: 2,
        });
      }
      held += size;
      let isReleased = false;
      return () => {
        if (!isReleased) held -= size;
        isReleased = true;
      };
    },
  };
}
