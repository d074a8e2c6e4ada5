import { describe, expect, it } from '@jest/globals';
import { errorCodes, TurnError } from './turn-error.ts';

const named = (name: string): Error => Object.assign(new Error('x'), { name });

describe('TurnError.from', () => {
  it.each<[unknown, string, string, string]>([
    [new Error('password 123'), 'internal', 'internal', 'Internal error.'],
    ['password 123', 'internal', 'internal', 'Internal error.'],
    [undefined, 'internal', 'internal', 'Internal error.'],
    [null, 'internal', 'internal', 'Internal error.'],
    [named('AbortError'), 'cancelled', 'client', 'The client closed the request.'],
    [named('TimeoutError'), 'upstream_timeout', 'upstream', 'The upstream did not answer in time.'],
  ])('%p becomes %s', (reason, code, layer, message) => {
    const error = TurnError.from(reason);
    expect([error.code, error.details.layer, error.message]).toEqual([code, layer, message]);
    expect(error.cause).toBe(reason);
  });

  it('leaves a TurnError as it is', () => {
    const error = new TurnError('rate_limited', 'Slow down.', { layer: 'gateway' });
    expect(TurnError.from(error)).toBe(error);
  });
});

describe('TurnError.is', () => {
  it.each([undefined, null, 'text', 5, {}, new Error('x'), { name: 'TurnError', code: 'internal' }])(
    'is false for %p',
    (value) => {
      expect(TurnError.is(value)).toBe(false);
    },
  );

  it('knows one of another copy of the package by its brand', () => {
    const foreign = Object.assign(new Error('x'), { [Symbol.for('zai2api.TurnError')]: true });
    expect(TurnError.is(foreign)).toBe(true);
  });
});

describe('a TurnError', () => {
  it('is an Error with a name, its cause only when there is one, and no visible brand', () => {
    const plain = new TurnError('internal', 'x', { layer: 'internal' });
    expect(plain).toBeInstanceOf(Error);
    expect(plain.name).toBe('TurnError');
    expect('cause' in plain).toBe(false);
    for (const symbol of Object.getOwnPropertySymbols(plain)) {
      expect(Object.getOwnPropertyDescriptor(plain, symbol)?.enumerable).toBe(false);
    }
    const cause = new Error('y');
    expect(new TurnError('internal', 'x', { layer: 'internal', cause }).cause).toBe(cause);
  });

  it('has codes that are all different', () => {
    expect(new Set(errorCodes).size).toBe(errorCodes.length);
  });
});
