import { randomBytes, randomUUID } from 'node:crypto';

/** Who a token belongs to (protocol 1.2). */
export interface Identity {
  readonly userId: string;
  readonly role: 'guest' | 'user';
  readonly name: string;
  readonly email: string;
}

export interface IssuedToken {
  readonly token: string;
  readonly userId: string;
  readonly role: 'guest' | 'user';
}

interface TokenRecord extends IssuedToken {
  readonly identity: Identity;
  /** Seconds of the simulator's clock; Infinity for a token without `exp`. */
  readonly expiresAtSeconds: number;
  revoked: boolean;
}

/** Everybody the simulator has given a token to. */
export interface Identities {
  readonly addGuest: (lifetimeSeconds: number | null) => { token: string; identity: Identity };
  readonly addUser: (email?: string, name?: string) => { token: string; userId: string };
  /** Another token for the same person; the old one stays good. */
  readonly rotate: (identity: Identity) => string;
  /** The owner of a live token. */
  readonly find: (token: string) => Identity | undefined;
  readonly revoke: (token: string) => void;
  readonly issued: () => readonly IssuedToken[];
  readonly clear: () => void;
}

const encode = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url');

/** Three parts like a real ES256 token; the signature is random bytes of the right length (protocol 1.3). */
function createToken(identity: Identity, expiresAtSeconds: number): string {
  const claims = {
    id: identity.userId,
    email: identity.email,
    ...(Number.isFinite(expiresAtSeconds) && { exp: expiresAtSeconds }),
  };
  return `${encode({ alg: 'ES256', typ: 'JWT' })}.${encode(claims)}.${randomBytes(64).toString('base64url')}`;
}

/** `nowMs` is the simulator's own clock. */
export function createIdentities(nowMs: () => number): Identities {
  const records = new Map<string, TokenRecord>();
  let lastGuestMs = 0;

  const issue = (identity: Identity, lifetimeSeconds: number | null): string => {
    const expiresAtSeconds = lifetimeSeconds === null ? Infinity : Math.floor(nowMs() / 1000 + lifetimeSeconds);
    const token = createToken(identity, expiresAtSeconds);
    records.set(token, {
      token,
      userId: identity.userId,
      role: identity.role,
      identity,
      expiresAtSeconds,
      revoked: false,
    });
    return token;
  };

  return {
    addGuest(lifetimeSeconds) {
      // The e-mail is stamped with the time: two guests of one millisecond must not share it.
      lastGuestMs = Math.max(lastGuestMs + 1, Math.floor(nowMs()));
      const name = `Guest-${lastGuestMs}`;
      const identity: Identity = { userId: randomUUID(), role: 'guest', name, email: `${name}@guest.com` };
      return { token: issue(identity, lifetimeSeconds), identity };
    },
    addUser(email = 'ada@example.org', name = 'Ada') {
      const identity: Identity = { userId: randomUUID(), role: 'user', name, email };
      return { token: issue(identity, null), userId: identity.userId };
    },
    rotate: (identity) => issue(identity, null),
    find(token) {
      const record = records.get(token);
      return record && !record.revoked && record.expiresAtSeconds > nowMs() / 1000 ? record.identity : undefined;
    },
    revoke(token) {
      const record = records.get(token);
      if (record) record.revoked = true;
    },
    issued: () => [...records.values()].map(({ token, userId, role }) => ({ token, userId, role })),
    clear: () => records.clear(),
  };
}
