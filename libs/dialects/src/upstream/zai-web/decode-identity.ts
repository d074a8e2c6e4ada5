import { TurnError } from '@zai2api/turn';
import { isRecord } from '../../is-record.ts';

/** Who a token belongs to. */
export interface WebIdentity {
  /** The id that requests are signed for. */
  readonly userId: string;
  readonly token: string;
  /** `guest` as soon as the role or the e-mail says so: a dead user token is silently answered with a guest (protocol 2). */
  readonly role: 'guest' | 'user';
  /** Empty when unknown. */
  readonly name: string;
  /** Empty when unknown. */
  readonly email: string;
  /** The token's own end, milliseconds since the epoch; absent in every token seen so far (protocol 1.3). */
  readonly expiresAtMs?: number;
}

/** The e-mail of a guest; the capital letter varies by date (protocol 1.2). */
const guestEmail = /^guest-\d+@guest\.com$/i;

/** Claims that may hold the user id, in the order of the clients in the wild (protocol 1.3). */
const userIdClaims = ['id', 'user_id', 'uid', 'sub'] as const;

/**
 * The identity in an answer of `GET /api/v1/auths/` (protocol 1.2, 1.3), also when wrapped in `user`. `currentToken` is the token the
 * question was asked with; it stands in when the answer names none. A bare `{ token }` gives what the token says about itself.
 * Throws `upstream_drifted` when no token or no user id is found; the error never holds the body.
 */
export function decodeIdentity(body: unknown, currentToken?: string): WebIdentity {
  const fields = isRecord(body) && isRecord(body['user']) ? { ...body, ...body['user'] } : body;
  if (!isRecord(fields)) throw drifted('is not an object');
  const answeredToken = textOf(fields['token']);
  const token = answeredToken ?? currentToken;
  if (token === undefined) throw drifted('holds no token');
  const claims = decodeClaims(token);
  const claimedId = userIdClaims.map((name) => textOf(claims[name])).find((id) => id !== undefined);
  const answeredId = textOf(fields['id']);
  // Without a new token the answer's own words come first: the current token would vouch for itself.
  const userId = answeredToken === undefined ? (answeredId ?? claimedId) : (claimedId ?? answeredId);
  if (userId === undefined) throw drifted('holds no user id');
  const email = textOf(fields['email']) ?? textOf(claims['email']) ?? '';
  const isGuest = textOf(fields['role'])?.toLowerCase() === 'guest' || guestEmail.test(email);
  const expirySeconds = claims['exp'];
  return {
    userId,
    token,
    role: isGuest ? 'guest' : 'user',
    name: textOf(fields['name']) ?? '',
    email,
    ...(typeof expirySeconds === 'number' ? { expiresAtMs: expirySeconds * 1000 } : {}),
  };
}

/** The payload of a JWT, read without verifying it: only the upstream can. Empty for anything that is not one. */
function decodeClaims(token: string): Record<string, unknown> {
  const [, payload, signature] = token.split('.');
  if (payload === undefined || signature === undefined) return {};
  try {
    const bytes = Uint8Array.from(atob(payload.replaceAll('-', '+').replaceAll('_', '/')), (character) =>
      character.charCodeAt(0),
    );
    const claims: unknown = JSON.parse(new TextDecoder().decode(bytes));
    return isRecord(claims) ? claims : {};
  } catch {
    return {};
  }
}

function textOf(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined;
}

function drifted(what: string): TurnError {
  return new TurnError('upstream_drifted', `The upstream's identity answer ${what}.`, { layer: 'upstream' });
}
