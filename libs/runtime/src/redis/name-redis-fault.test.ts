import { describe, expect, it } from '@jest/globals';
import { nameRedisFault } from './name-redis-fault.ts';

const errorOf = (message: string, fields: object = {}): Error => Object.assign(new Error(message), fields);

describe('nameRedisFault', () => {
  it.each([
    [errorOf('connect ECONNREFUSED 10.0.0.1:6379', { code: 'ECONNREFUSED' }), 'ECONNREFUSED'],
    [errorOf('WRONGPASS invalid username-password pair', { name: 'ReplyError' }), 'WRONGPASS'],
    [errorOf("ERR unknown command 'x', with args beginning with: 'secret'", { name: 'ReplyError' }), 'ERR'],
    [errorOf('Command timed out'), 'ETIMEDOUT'],
    [errorOf('All sentinels are unreachable. Last error: host:1'), 'no Sentinel answers'],
    [errorOf('Failed to refresh slots cache.', { lastNodeError: errorOf('x', { code: 'ECONNRESET' }) }), 'ECONNRESET'],
    [errorOf("Stream isn't writeable and enableOfflineQueue options is false"), 'not connected'],
    ['a text', 'unknown'],
  ])('%p is %s', (error, name) => {
    expect(nameRedisFault(error)).toBe(name);
  });
});
