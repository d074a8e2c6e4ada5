/** Longest client-supplied value that is logged (contract 5.4). */
const MAX_CLIENT_VALUE_LENGTH = 512;

/** Long enough for every endpoint; nobody shall fill the log, or keep its filters busy, with paths. */
const MAX_PATH_LENGTH = 256;

/** A header of a client as it may stand in the log: cut, and with a `?` for each character that is not printable ASCII. */
export function loggedHeader(value: string | string[] | undefined): string | undefined {
  return typeof value === 'string'
    ? value.slice(0, MAX_CLIENT_VALUE_LENGTH).replaceAll(/[^\x20-\x7e]/g, '?')
    : undefined;
}

/** A path without query as it may stand in the log. */
export function loggedPath(path: string): string {
  return path.slice(0, MAX_PATH_LENGTH);
}
