import type { WireItem } from './wire-schema.ts';

/** The type of an item, also of one that says nothing of it: with a role it is a message, with nothing but an id a reference (contract 2.4). */
export function kindOfItem(item: WireItem): string {
  if (item.type !== undefined) return item.type;
  return item.role === undefined && item.id !== undefined ? 'item_reference' : 'message';
}
