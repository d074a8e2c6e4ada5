import type { TurnEvent } from '@zai2api/turn';

/**
 * Joins neighbouring deltas of one block: what came in one network chunk leaves in one frame. A fast upstream sends dozens of tokens in a
 * chunk, and a frame for each of them is most of the work of a stream, here and in the client.
 */
export function mergeDeltas(batch: readonly TurnEvent[]): readonly TurnEvent[] {
  if (batch.length < 2) return batch;
  const merged: TurnEvent[] = [];
  let text = '';
  let open: Extract<TurnEvent, { type: 'text-delta' | 'reasoning-delta' }> | undefined;
  const flush = (): void => {
    if (open) merged.push({ ...open, text });
    open = undefined;
  };
  for (const event of batch) {
    if (event.type !== 'text-delta' && event.type !== 'reasoning-delta') {
      flush();
      merged.push(event);
    } else if (open?.type === event.type && open.block === event.block) {
      text += event.text;
    } else {
      flush();
      open = event;
      text = event.text;
    }
  }
  flush();
  return merged;
}
