import { LRUCache } from 'lru-cache';

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
  const sizeOf = (conversation: Conversation): number => conversation.items.length + ENTRY_SIZE;
  const kept = new LRUCache<string, Conversation>({ maxSize, sizeCalculation: sizeOf });
  let connections = 0;

  return {
    size: () => kept.calculatedSize,
    open() {
      const connection = ++connections;
      const keyOf = (responseId: string): string => `${connection}/${responseId}`;
      /** Keys of what is kept. Some may have made room for those of other connections since. */
      const lanes = new LRUCache<string, string>({
        max: MAX_LANES,
        maxSize: Math.floor(maxSize * MAX_SHARE),
        dispose: (key) => kept.delete(key),
      });
      return {
        get: (responseId) => kept.get(keyOf(responseId)),
        keep(lane, responseId, conversation) {
          const key = keyOf(responseId);
          lanes.set(lane, key, { size: sizeOf(conversation) });
          if (lanes.has(lane)) kept.set(key, conversation);
        },
        close: () => lanes.clear(),
      };
    },
  };
}
