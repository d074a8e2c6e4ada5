const URL_WITH_QUERY = /\b((?:https?|wss?):\/\/[^\s?"'\\<>]*)\?[^\s"'\\<>]*/g;
const BEARER = /\b(Bearer)\s+[\w.~+/=-]+/gi;
/** Three base64url parts of which the first begins like an encoded `{"`. */
const JWT = /\beyJ[\w-]+\.[\w-]+\.[\w-]*/g;

/** Takes query strings of URLs, bearer tokens and JWTs out of a text. The query of the web backend holds the token (protocol 4.3). */
export function hideSecrets(text: string): string {
  return text.replace(URL_WITH_QUERY, '$1').replace(BEARER, '$1 [redacted]').replace(JWT, '[redacted]');
}

/** A path or URL without its query string; anything that is not a text is given back as it is. */
export function stripQuery(value: unknown): unknown {
  if (value instanceof URL) return `${value.origin}${value.pathname}`;
  return typeof value === 'string' ? value.replace(/\?.*$/s, '') : value;
}
