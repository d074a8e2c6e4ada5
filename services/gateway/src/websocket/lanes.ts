import { TurnError } from '@zai2api/turn';

/** The creates of one connection: one after the other in a lane, lanes beside each other (contract 2.8). */
export interface Lanes<Item> {
  /** Runs the item when those before it in its lane are over. Throws a TurnError `rate_limited` when there are too many of either. */
  add(lane: string, item: Item): void;
  /** Takes out what has not begun. */
  clear(): { readonly lane: string; readonly item: Item }[];
  readonly isIdle: boolean;
}

const MAX_LANES = 8;
/** Each may be as large as a frame, so not many. */
const MAX_WAITING = 16;

/** Lanes that give their items to `run`, which must not reject; `onIdle` is called whenever nothing is left. */
export function createLanes<Item>(run: (item: Item) => Promise<void>, onIdle: () => void): Lanes<Item> {
  const lanes = new Map<string, Item[]>();
  let waiting = 0;

  async function runAll(lane: string, queue: Item[], first: Item): Promise<void> {
    for (let next: Item | undefined = first; next !== undefined; next = queue.shift()) {
      if (next !== first) waiting--;
      await run(next);
    }
    lanes.delete(lane);
    if (lanes.size === 0) onIdle();
  }

  return {
    get isIdle() {
      return lanes.size === 0;
    },
    add(lane, item) {
      const queue = lanes.get(lane);
      if (queue === undefined) {
        if (lanes.size >= MAX_LANES) throw tooMany(`No more than ${MAX_LANES} streams can run at the same time.`);
        const created: Item[] = [];
        lanes.set(lane, created);
        void runAll(lane, created, item);
        return;
      }
      if (waiting >= MAX_WAITING) throw tooMany(`No more than ${MAX_WAITING} responses can wait for others to end.`);
      waiting++;
      queue.push(item);
    },
    clear() {
      const cleared = [...lanes].flatMap(([lane, queue]) => queue.splice(0).map((item) => ({ lane, item })));
      waiting = 0;
      return cleared;
    },
  };
}

function tooMany(message: string): TurnError {
  return new TurnError('rate_limited', message, {
    layer: 'gateway',
    reason: 'concurrency_limit_exceeded',
    retryAfterSeconds: 2,
  });
}
