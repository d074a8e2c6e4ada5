import { TurnError } from '@zai2api/turn';

/** Ids of a form that is safe to repeat to the client that sent them. */
const printable = /^[\w-]{1,128}$/;

/** A request refers to an item that nobody keeps, or that belongs to somebody else (contract 2.4). */
export function itemNotFound(id: string): TurnError {
  const named = printable.test(id) ? `Item with id '${id}' not found.` : 'An item that is referred to was not found.';
  return new TurnError(
    'invalid_request',
    `${named} Items are only kept with a stored response: send the item itself instead.`,
    {
      layer: 'client',
      param: 'input',
      reason: 'item_not_found',
    },
  );
}

/** A request goes on from a response that nobody keeps, or that belongs to somebody else (contract 2.3). */
export function previousResponseNotFound(id: string): TurnError {
  const named = printable.test(id) ? `Previous response with id '${id}' not found.` : 'Previous response not found.';
  return new TurnError('invalid_request', named, {
    layer: 'client',
    param: 'previous_response_id',
    reason: 'previous_response_not_found',
  });
}
