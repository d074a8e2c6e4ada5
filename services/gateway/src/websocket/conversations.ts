/** What a response can be gone on from: what is kept of its conversation elsewhere, and the items that came after that. */
export interface Conversation {
  /** Id of a stored response that comes before the items. */
  readonly storedId: string | undefined;
  /** Items as JSON, between commas; `''` for none. */
  readonly items: string;
}

/** The latest response of each lane of one connection (contract 2.8). */
export interface ConnectionConversations {
  /** By the id of the response. Undefined when it is none of the latest, or had to make room. */
  get(responseId: string): Conversation | undefined;
  /** Takes the place of what was kept of the lane before. */
  keep(lane: string, responseId: string, conversation: Conversation): void;
  /** Forgets all of them. */
  close(): void;
}

/** The conversations of all connections, within a memory of their own. */
export interface Conversations {
  open(): ConnectionConversations;
  /** How much is kept now, in UTF-16 units. */
  size(): number;
}

/** What an entry takes up beside its items. */
const ENTRY_SIZE = 200;
/** Lanes of a connection that something is kept of; those that were used longest ago are forgotten. */
const MAX_LANES = 64;
/** Part of all the memory that one connection may have: its own oldest go before those of others. */
const MAX_SHARE = 1 / 2;

/**
 * Keeps conversations up to `maxSize` UTF-16 units in all, half of them for one connection; beyond, those that were used longest ago are
 * forgotten, and their clients send everything again.
 */
export function createConversations(maxSize: number): Conversations {
  /** In the order of use. */
  const kept = new Map<string, Conversation>();
  let connections = 0;
  let size = 0;

  const sizeOf = (kept: Conversation | undefined): number => (kept ? kept.items.length + ENTRY_SIZE : 0);

  function forget(key: string): void {
    const conversation = kept.get(key);
    if (conversation === undefined) return;
    kept.delete(key);
    size -= sizeOf(conversation);
  }

  function add(key: string, conversation: Conversation): void {
    forget(key);
    kept.set(key, conversation);
    size += sizeOf(conversation);
    for (const oldest of kept.keys()) {
      if (size <= maxSize) return;
      forget(oldest);
    }
  }

  return {
    size: () => size,
    open() {
      const connection = ++connections;
      const keyOf = (responseId: string): string => `${connection}/${responseId}`;
      /** Keys by lane, in the order of use. */
      const latest = new Map<string, string>();
      /** How much is kept of them now; some may have made room for those of other connections. */
      function ownSize(): number {
        let sum = 0;
        for (const key of latest.values()) sum += sizeOf(kept.get(key));
        return sum;
      }

      return {
        get(responseId) {
          const key = keyOf(responseId);
          const conversation = kept.get(key);
          if (conversation !== undefined) {
            kept.delete(key);
            kept.set(key, conversation);
          }
          return conversation;
        },
        keep(lane, responseId, conversation) {
          const before = latest.get(lane);
          if (before !== undefined) forget(before);
          latest.delete(lane);
          const added = sizeOf(conversation);
          for (const [oldestLane, oldest] of latest) {
            if (latest.size < MAX_LANES && ownSize() + added <= maxSize * MAX_SHARE) break;
            latest.delete(oldestLane);
            forget(oldest);
          }
          if (added > maxSize * MAX_SHARE) return;
          const key = keyOf(responseId);
          latest.set(lane, key);
          add(key, conversation);
        },
        close() {
          for (const key of latest.values()) forget(key);
          latest.clear();
        },
      };
    },
  };
}
