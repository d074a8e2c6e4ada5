import {
  isResponseId,
  parseResponse,
  responseIdOfItem,
  type AskedResponse,
  type FoundItems,
  type StoredItem,
} from '@zai2api/dialects';
import { TurnError } from '@zai2api/turn';
import { mapWithConcurrency } from '../map-with-concurrency.ts';
import { readKept } from './conclude-kept.ts';
import type { ResponseStore } from './response-store.ts';

/** Responses that are read at the same time for one request. */
const READS_AT_ONCE = 8;
/** Distinct responses that the items of one request may be kept with. */
const MAX_RESPONSES = 256;
/** What came of these can be gone on from. */
const continuable: ReadonlySet<string> = new Set(['completed', 'incomplete']);

/**
 * What is kept of the responses and items that a request refers to; what is not found is missing, for the request to be refused by whoever
 * decodes it. Throws for a response that has not come to a proper end, for too many of them, when the store cannot be asked, and the signal's
 * reason when it aborts.
 */
export async function findItems(
  { previousResponseId, referencedItemIds }: AskedResponse,
  store: ResponseStore,
  tenant: string,
  signal: AbortSignal,
): Promise<FoundItems> {
  const previous = previousResponseId === undefined ? undefined : await findPrevious(previousResponseId, store, tenant);
  const wanted = Map.groupBy(referencedItemIds, responseIdOfItem);
  if (wanted.size > MAX_RESPONSES) {
    throw new TurnError('invalid_request', `The items of at most ${MAX_RESPONSES} responses can be referred to.`, {
      layer: 'client',
      param: 'input',
      reason: 'invalid_value',
    });
  }
  const items = new Map<string, StoredItem>();
  await mapWithConcurrency([...wanted], READS_AT_ONCE, async ([responseId, itemIds]) => {
    signal.throwIfAborted();
    if (responseId === undefined) return;
    for (const item of await findReferenced(responseId, new Set(itemIds), store, tenant)) items.set(item.id, item);
  });
  return { previous, items };
}

async function findPrevious(id: string, store: ResponseStore, tenant: string): Promise<FoundItems['previous']> {
  if (!isResponseId(id)) return undefined;
  const [kept, input] = await Promise.all([readKept(store, id, tenant), store.readInput(id, tenant)]);
  if (!kept || input === undefined) return undefined;
  const { status, output } = parseResponse(kept.response);
  if (!continuable.has(status)) {
    throw new TurnError('invalid_request', `The previous response cannot be gone on from: it is ${status}.`, {
      layer: 'client',
      param: 'previous_response_id',
      reason: 'invalid_value',
    });
  }
  return { input: parseItems(input), output: output.filter(isStoredItem) };
}

async function findReferenced(
  responseId: string,
  itemIds: ReadonlySet<string>,
  store: ResponseStore,
  tenant: string,
): Promise<StoredItem[]> {
  const kept = await readKept(store, responseId, tenant);
  if (!kept) return [];
  const isWanted = ({ id }: StoredItem): boolean => itemIds.has(id);
  const found = parseResponse(kept.response).output.filter(isStoredItem).filter(isWanted);
  if (found.length === itemIds.size) return found;
  const input = await store.readInput(responseId, tenant);
  return input === undefined ? found : [...found, ...parseItems(input).filter(isWanted)];
}

/** The items of a kept list. */
export function parseItems(json: string): StoredItem[] {
  const items: unknown = JSON.parse(json);
  return Array.isArray(items) ? items.filter(isStoredItem) : [];
}

function isStoredItem(item: unknown): item is StoredItem {
  return typeof item === 'object' && item !== null && 'id' in item && typeof item.id === 'string' && 'type' in item;
}
