import { createHash } from 'node:crypto';
import { decodeIdentity, type WebIdentity } from '@zai2api/dialects';
import { ConfigError, type Secret } from '@zai2api/runtime';

/** One token of the operator's. */
export interface UserToken {
  /** Stays the same when the token is rotated. Tells nothing of the token; may be logged. */
  readonly id: string;
  readonly configured: string;
  /** What the token says about its owner; undefined when it cannot be read. */
  readonly owner: WebIdentity | undefined;
}

const ID_HEX_DIGITS = 12;

/** The configured tokens, each once. Throws a ConfigError for one that cannot be sent in a header. */
export function parseUserTokens(secret: Secret | undefined): UserToken[] {
  const parts = (secret?.reveal() ?? '').split(',').map((part) => part.trim());
  const tokens = [...new Set(parts.filter((part) => part !== ''))];
  if (tokens.some((token) => !/^[\x21-\x7e]+$/.test(token))) {
    throw new ConfigError([
      'ZAI_UPSTREAM_TOKEN: expected tokens of printable ASCII characters without blanks, comma separated',
    ]);
  }
  return tokens.map((configured) => ({
    id: `user-${createHash('sha256').update(configured).digest('hex').slice(0, ID_HEX_DIGITS)}`,
    configured,
    owner: readOwner(configured),
  }));
}

function readOwner(token: string): WebIdentity | undefined {
  try {
    return decodeIdentity({ token });
  } catch {
    return undefined;
  }
}
