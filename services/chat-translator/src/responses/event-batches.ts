import type { EventBatch } from './response-store.ts';

/** Where one frame ends and the next begins. */
const FRAME_END = '\n\n';

/** The frames of a batch from the event of this number on; `''` when all of them come before it. */
export function framesFrom({ first, last, text }: EventBatch, from: number): string {
  if (from <= first) return text;
  if (from > last) return '';
  let at = 0;
  for (let skipped = first; skipped < from; skipped += 1) at = text.indexOf(FRAME_END, at) + FRAME_END.length;
  return text.slice(at);
}

/** Two batches, one behind the other, as one. */
export function joinBatches(one: EventBatch | undefined, next: EventBatch): EventBatch {
  return one === undefined ? next : { first: one.first, last: next.last, text: one.text + next.text };
}
