import { createHash } from 'node:crypto';
import { decodeIdentity, type WebIdentity } from '@zai2api/dialects';
import { ConfigError } from '@zai2api/runtime';

/** One token of the operator's. */
export interface UserToken {
  /** Stays the same when the token is rotated. Tells nothing of the token; may be logged. */
  readonly id: string;
  readonly configured: string;
  /** What the token says about its owner; undefined when it cannot be read. */
  readonly owner: WebIdentity | undefined;
}

const ID_HEX_DIGITS = 12;

/** What stands between two tokens, by where they come from. */
const separators = { ZAI_UPSTREAM_TOKEN: /,/, ZAI_UPSTREAM_TOKEN_FILE: /[,\r\n]/ } as const;

/** Where user tokens come from: the setting's value, or the text of the file that it names. */
export type UserTokenSetting = keyof typeof separators;

/** The tokens in a text, each once. Throws a ConfigError, which does not repeat it, for one that cannot be sent in a header. */
export function parseUserTokens(text: string, setting: UserTokenSetting): UserToken[] {
  const parts = text.split(separators[setting]).map((part) => part.trim());
  const tokens = [...new Set(parts.filter((part) => part !== ''))];
  if (tokens.some((token) => !/^[\x21-\x7e]+$/.test(token))) {
    throw new ConfigError([
      `${setting}: expected tokens of printable ASCII characters without blanks, ` +
        (setting === 'ZAI_UPSTREAM_TOKEN' ? 'comma separated' : 'one per line or comma separated'),
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
