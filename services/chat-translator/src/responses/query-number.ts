import { TurnError } from '@zai2api/turn';

/** A whole number from 0 on out of a query; `undefined` when it is not there. Throws with its name. */
export function readWholeNumber(value: string | string[] | undefined, name: string): number | undefined {
  if (value === undefined || value === '') return undefined;
  if (typeof value === 'string' && /^\d{1,15}$/.test(value)) return Number(value);
  throw new TurnError('invalid_request', `Invalid value for '${name}': expected a whole number.`, {
    layer: 'client',
    param: name,
    reason: 'invalid_value',
  });
}
