/**
 * A word or two for a fault, such as `ECONNREFUSED`, `ETIMEDOUT` or `WRONGPASS`. Never the whole text of a reply: Redis repeats
 * arguments in some of them.
 */
export function nameRedisFault(error: unknown): string {
  if (!(error instanceof Error)) return 'unknown';
  if (error.name === 'ReplyError') return /^[A-Z]+/.exec(error.message)?.[0] ?? 'ReplyError';
  if ('code' in error && typeof error.code === 'string') return error.code;
  if ('lastNodeError' in error && error.lastNodeError instanceof Error) return nameRedisFault(error.lastNodeError);
  if (error.message.startsWith('All sentinels')) return 'no Sentinel answers';
  if (/isn't (writeable|ready)/.test(error.message)) return 'not connected';
  return /time(d )?out/i.test(error.message) ? 'ETIMEDOUT' : error.name;
}
