import type { WebProfile } from './web-profile.ts';

/**
 * The headers that every call to the web backend carries (protocol 1.1, 4.4). Without a token there is no `Authorization`, which is
 * how a new guest is asked for; there is never a `Cookie`, which would bring back an older identity (protocol 1.1).
 */
export function encodeCommonHeaders(profile: WebProfile, token?: string): Record<string, string> {
  return {
    'User-Agent': profile.userAgent,
    Accept: 'application/json',
    'Accept-Language': profile.language,
    Origin: profile.base,
    Referer: `${profile.base}/`,
    ...(token === undefined ? {} : { Authorization: `Bearer ${token}` }),
  };
}
