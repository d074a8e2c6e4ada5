import {
  decodeHttpError,
  decodeIdentity,
  encodeCommonHeaders,
  tryParseJson,
  type WebIdentity,
  type WebProfile,
} from '@zai2api/dialects';
import type { Dispatcher } from 'undici';
import { callUpstream } from './call-upstream.ts';

/** Asks the upstream for a new guest, or, with a token, whose token it is. */
export type FetchIdentity = (options: { token?: string; signal: AbortSignal }) => Promise<WebIdentity>;

/**
 * `GET /api/v1/auths/` (protocol 1.1, 2): cookie-less, with the trailing slash, and without `Authorization` when a guest is wanted.
 * Every failure is a TurnError, except an abort, which throws the signal's reason.
 */
export function createFetchIdentity(options: {
  dispatcher: Dispatcher;
  profile: WebProfile;
  timeoutMs: number;
}): FetchIdentity {
  const { dispatcher, profile, timeoutMs } = options;
  return async ({ token, signal }) => {
    const url = `${profile.base}/api/v1/auths/`;
    const headers = encodeCommonHeaders(profile, token);
    const { status, contentType, body, retryAfterSeconds } = await callUpstream({
      dispatcher,
      method: 'GET',
      url,
      headers,
      timeoutMs,
      signal,
    });
    if (status !== 200) throw decodeHttpError(status, contentType, body, retryAfterSeconds);
    try {
      return decodeIdentity(tryParseJson(body), token);
    } catch (error) {
      // A block page or a demand for verification may come with 200; only what is neither is an unknown form.
      const known = decodeHttpError(status, contentType, body, retryAfterSeconds);
      throw known.code === 'upstream_failed' && known.details.reason === undefined ? error : known;
    }
  };
}
