import { TurnError } from '@zai2api/turn';

/** There was a connection and it broke, as one does that was kept alive for too long: a passing fault, unlike one that cannot be made. */
const brokenConnection: ReadonlySet<string> = new Set(['ECONNRESET', 'EPIPE', 'UND_ERR_SOCKET']);

/** Nobody took the connection in time: the limit of the connection pool, or the system's own. */
const connectTimeouts: ReadonlySet<string> = new Set(['UND_ERR_CONNECT_TIMEOUT', 'ETIMEDOUT']);

/** The body is longer than its dispatcher allows. */
const TOO_LONG = 'UND_ERR_RES_EXCEEDED_MAX_SIZE';

/** By its field, not by class: Node's own errors may come from another realm. */
function codeOf(reason: unknown): string | undefined {
  return typeof reason === 'object' && reason !== null && 'code' in reason && typeof reason.code === 'string'
    ? reason.code
    : undefined;
}

/** True when the upstream was not even reached, so that a further call would end like this one. */
export function isOutOfReach({ code, details: { cause } }: TurnError): boolean {
  return code === 'upstream_unreachable' || connectTimeouts.has(codeOf(cause) ?? '');
}

/**
 * What went wrong on the way to an upstream: the signal's abort or deadline, no connection, or one that broke; `hasBegun` when the answer had
 * begun to come. The cause keeps only the code and the host of what `reason` was: nothing else of it may reach a log.
 */
export function transportError(reason: unknown, signal: AbortSignal, hasBegun = false): TurnError {
  if (TurnError.is(reason)) return reason;
  if (signal.aborted) return TurnError.from(signal.reason);
  const code = codeOf(reason) ?? 'unknown';
  const host =
    typeof reason === 'object' && reason !== null && 'hostname' in reason ? `, ${String(reason.hostname)}` : '';
  const cause = Object.assign(new Error(`${code}${host}`), { code });
  if (connectTimeouts.has(code)) {
    const message = 'No connection to the upstream came about in time (connect timeout, ZAI_CONNECT_TIMEOUT).';
    return new TurnError('upstream_timeout', message, { layer: 'upstream', cause });
  }
  if (code === TOO_LONG) {
    return new TurnError('upstream_drifted', 'The upstream’s answer is far too long.', { layer: 'upstream', cause });
  }
  if (hasBegun || brokenConnection.has(code)) {
    return new TurnError('upstream_failed', 'The connection to the upstream broke.', {
      layer: 'upstream',
      recovery: 'repeat',
      cause,
    });
  }
  return new TurnError('upstream_unreachable', 'The upstream cannot be reached.', { layer: 'upstream', cause });
}
