import { describe, expect, it } from '@jest/globals';
import { streamHeaders } from './stream-headers.ts';

describe('streamHeaders', () => {
  it('keeps proxies from collecting the frames and promises no length', () => {
    expect(streamHeaders).toEqual({
      'content-type': 'text/event-stream; charset=utf-8',
      'cache-control': 'no-cache, no-transform',
      'x-accel-buffering': 'no',
    });
  });
});
