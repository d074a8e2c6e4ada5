import { describe, expect, it } from '@jest/globals';
import { TurnError } from '@zai2api/turn';
import { isOutOfReach, transportError } from './transport-error.ts';

const never = new AbortController().signal;
const fault = (code: string): Error => Object.assign(new Error('at 10.0.0.1 with a secret'), { code });

describe('transportError', () => {
  it.each([
    ['ECONNREFUSED', 'upstream_unreachable', true],
    ['ENOTFOUND', 'upstream_unreachable', true],
    ['UND_ERR_CONNECT_TIMEOUT', 'upstream_timeout', true],
    ['ECONNRESET', 'upstream_failed', false],
    ['UND_ERR_SOCKET', 'upstream_failed', false],
    ['UND_ERR_RES_EXCEEDED_MAX_SIZE', 'upstream_drifted', false],
  ])('%s is %s, and keeps nothing but its code', (code, expected, isBeyondReach) => {
    const error = transportError(fault(code), never);
    expect(error).toMatchObject({ code: expected, details: { cause: { code, message: code } } });
    expect(isOutOfReach(error)).toBe(isBeyondReach);
  });

  it('is a broken connection when an answer had begun, whatever ended it', () => {
    expect(transportError(new Error('?'), never, true)).toMatchObject({ code: 'upstream_failed' });
  });

  it('is the end that its caller asked for', () => {
    const own = new TurnError('no_capacity', 'x', { layer: 'pool' });
    expect(transportError(own, never)).toBe(own);
    expect(transportError(fault('ECONNRESET'), AbortSignal.abort())).toMatchObject({ code: 'cancelled' });
    const late = AbortSignal.abort(new DOMException('x', 'TimeoutError'));
    expect(transportError(fault('ECONNRESET'), late)).toMatchObject({ code: 'upstream_timeout' });
  });
});
