import { z } from 'zod';
import type { UserToken } from './user-tokens.ts';

/** All times are milliseconds since the epoch. */
const watchedTokenSchema = z.object({
  /** The latest token of this identity. */
  token: z.string(),
  /** Who it must belong to; null while that is not known. */
  owner: z.object({ userId: z.string(), name: z.string() }).nullable(),
  /** `unknown`: in use, but not yet checked. */
  status: z.enum(['new', 'valid', 'unknown', 'dead']),
  checkedAtMs: z.number(),
  nextCheckAtMs: z.number(),
  /** Checks since the last answer that said something. */
  failures: z.int().min(0),
  /** How often it went missing from the pool since it last stayed there, and when. */
  losses: z.int().min(0),
  lostAtMs: z.number(),
  /** When it was last among the configured ones of a replica that ticked. */
  seenAtMs: z.number(),
});

/** What is known of a user token, from one tick to the next. */
export type WatchedToken = z.output<typeof watchedTokenSchema>;

/** The form of the state of all of them, by their ids. */
export const watchedTokensSchema = z.record(z.string(), watchedTokenSchema);

/** A token that nobody has checked yet. */
export function watchToken({ configured, owner }: UserToken): WatchedToken {
  return {
    token: configured,
    owner: owner === undefined ? null : { userId: owner.userId, name: owner.name },
    status: 'new',
    checkedAtMs: 0,
    nextCheckAtMs: 0,
    failures: 0,
    losses: 0,
    lostAtMs: 0,
    seenAtMs: 0,
  };
}

/** Whether turns may run on it. */
export const isInUse = ({ status, owner }: WatchedToken): boolean =>
  (status === 'valid' || status === 'unknown') && owner !== null;
