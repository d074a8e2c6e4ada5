/** The id of a response out of a fresh id of letters and digits. */
export function createResponseId(freshId: string): string {
  return `resp_${freshId}`;
}

/** True for the form of our own ids; others are nowhere to be found. */
export function isResponseId(id: string): boolean {
  return /^resp_[A-Za-z0-9]{1,64}$/.test(id);
}

/** Ids of items begin with what they are. */
export type ItemPrefix = 'msg' | 'rs' | 'fc' | 'ctc' | 'fco' | 'ctco' | 'item';

/** The id of an item. It holds the id of its response, so that whoever refers to the item says where it is. */
export function createItemId(prefix: ItemPrefix, responseId: string, place: 'in' | 'out', index: number): string {
  return `${prefix}_${responseId.slice('resp_'.length)}_${place === 'in' ? 'in' : ''}${index}`;
}

/** The response that an item of ours belongs to. */
export function responseIdOfItem(itemId: string): string | undefined {
  const [, id] = /^[a-z]+_([A-Za-z0-9]{1,64})_(?:in)?\d{1,9}$/.exec(itemId) ?? [];
  return id === undefined ? undefined : `resp_${id}`;
}
