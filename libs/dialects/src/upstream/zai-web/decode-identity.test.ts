import { describe, expect, it } from '@jest/globals';
import { TurnError } from '@zai2api/turn';
import fc from 'fast-check';
import { decodeIdentity } from './decode-identity.ts';

const jwt = (claims: unknown): string =>
  ['{"alg":"ES256","typ":"JWT"}', JSON.stringify(claims), 'signature']
    .map((part) => Buffer.from(part).toString('base64url'))
    .join('.');

const guest = (overrides: Record<string, unknown> = {}): Record<string, unknown> => ({
  id: 'id-1',
  email: 'Guest-1760000000000@guest.com',
  name: 'Guest-1760000000000',
  role: 'guest',
  token: jwt({ id: 'id-1', email: 'Guest-1760000000000@guest.com' }),
  ...overrides,
});

describe('decodeIdentity', () => {
  it('reads a guest', () => {
    expect(decodeIdentity(guest())).toEqual({
      userId: 'id-1',
      token: guest()['token'],
      role: 'guest',
      name: 'Guest-1760000000000',
      email: 'Guest-1760000000000@guest.com',
    });
  });

  it('reads a payload wrapped in `user`', () => {
    expect(decodeIdentity({ user: guest() }).userId).toBe('id-1');
    expect(decodeIdentity({ token: jwt({ id: 'outer' }), user: { id: 'outer', role: 'user' } })).toMatchObject({
      userId: 'outer',
      role: 'user',
    });
  });

  it.each(['guest-1@guest.com', 'Guest-1760000000000@guest.com', 'GUEST-22@GUEST.COM'])(
    'knows a guest by the e-mail %s alone',
    (email) => {
      expect(decodeIdentity(guest({ email, role: undefined })).role).toBe('guest');
    },
  );

  it.each(['guest@guest.com', 'guest-x@guest.com', 'me-guest-1@guest.com', 'guest-1@guest.com.example'])(
    'takes %s for a user when no role is said',
    (email) => {
      expect(decodeIdentity(guest({ email, role: undefined })).role).toBe('user');
    },
  );

  it('takes a guest e-mail over a role that claims to be a user', () => {
    expect(decodeIdentity(guest({ role: 'user' })).role).toBe('guest');
  });

  it.each(['id', 'user_id', 'uid', 'sub'])('reads the user id from the claim %s', (claim) => {
    expect(decodeIdentity({ token: jwt({ [claim]: 'from-claim' }), id: 'from-answer' }).userId).toBe('from-claim');
  });

  it('reads claims in base64url, with characters beyond ASCII', () => {
    expect(decodeIdentity({ token: jwt({ id: '你🚀???>>>' }) }).userId).toBe('你🚀???>>>');
  });

  it('falls back to the id of the answer for a token that is no JWT', () => {
    expect(decodeIdentity({ id: 'from-answer', token: 'opaque' }).userId).toBe('from-answer');
    expect(decodeIdentity({ id: 'from-answer', token: 'a.%%%.c' }).userId).toBe('from-answer');
    expect(decodeIdentity({ id: 'from-answer', token: `a.${Buffer.from('[1]').toString('base64url')}.c` }).userId).toBe(
      'from-answer',
    );
  });

  it('keeps the current token when the answer names none', () => {
    expect(decodeIdentity({ id: 'user-1', role: 'user' }, 'current').token).toBe('current');
  });

  it('believes the answer, not the current token, about who it is', () => {
    const current = jwt({ id: 'user-1' });
    expect(decodeIdentity({ id: 'a-new-guest' }, current).userId).toBe('a-new-guest');
    expect(decodeIdentity({ role: 'user' }, current).userId).toBe('user-1');
  });

  it('reads the end of a token that has one', () => {
    expect(decodeIdentity({ token: jwt({ id: 'a', exp: 1_760_000_000 }) }).expiresAtMs).toBe(1_760_000_000_000);
    expect(decodeIdentity({ token: jwt({ id: 'a' }) })).not.toHaveProperty('expiresAtMs');
  });

  it.each([
    ['null', null],
    ['text', 'guest'],
    ['an array', []],
    ['nothing', {}],
    ['a token without any id', { token: 'opaque' }],
    ['an id without any token', { id: 'id-1' }],
    ['an empty token', { id: 'id-1', token: '' }],
    ['a number as token', { id: 'id-1', token: 7 }],
  ])('answers upstream_drifted for %s', (_name, body) => {
    expect(() => decodeIdentity(body)).toThrow(expect.objectContaining({ code: 'upstream_drifted' }));
  });

  it('answers an identity or a typed error for anything', () => {
    fc.assert(
      fc.property(
        fc.oneof(fc.anything(), fc.record({ token: fc.string(), id: fc.string() }, { requiredKeys: [] })),
        (body) => {
          try {
            const { userId, token } = decodeIdentity(body);
            return userId !== '' && token !== '';
          } catch (error) {
            return TurnError.is(error) && error.code === 'upstream_drifted';
          }
        },
      ),
    );
  });

  it('never puts the body into the error', () => {
    expect(() => decodeIdentity({ token: 'very-secret' })).toThrow(
      expect.objectContaining({ message: expect.not.stringContaining('very-secret') as unknown }),
    );
  });
});
