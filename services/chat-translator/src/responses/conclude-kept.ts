import { concludeResponse, type ForcedEnd } from '@zai2api/dialects';
import { TurnError } from '@zai2api/turn';
import type { KeptResponse, ResponseStore } from './response-store.ts';

/** Ends a running response from outside. False when there is nothing to end, or, with `onlyIfDead`, when somebody still works on it. */
export async function concludeKept(
  store: ResponseStore,
  id: string,
  tenant: string,
  end: ForcedEnd,
  { onlyIfDead = false } = {},
): Promise<boolean> {
  const kept = await store.read(id, tenant);
  if (!kept || kept.state === 'over') return false;
  return store.conclude(id, tenant, concludeResponse(kept.response, end), onlyIfDead);
}

/** A kept response; one whose process is gone has failed from now on, for everybody. */
export async function readKept(store: ResponseStore, id: string, tenant: string): Promise<KeptResponse | undefined> {
  const kept = await store.read(id, tenant);
  if (kept?.state !== 'dead') return kept;
  await concludeDead(store, id, tenant);
  return store.read(id, tenant);
}

/** Says that a response has failed whose process is gone. */
export async function concludeDead(store: ResponseStore, id: string, tenant: string): Promise<void> {
  const error = new TurnError('internal', 'The server that worked on the response is gone.', { layer: 'internal' });
  await concludeKept(store, id, tenant, { status: 'failed', error }, { onlyIfDead: true });
}
