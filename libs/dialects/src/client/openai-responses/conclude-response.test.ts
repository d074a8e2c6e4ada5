import { describe, expect, it } from '@jest/globals';
import { TurnError } from '@zai2api/turn';
import { concludeResponse, parseResponse } from './conclude-response.ts';

const begun = JSON.stringify({ id: 'resp_1', status: 'in_progress', output: [], background: true, error: null, a: 1 });

describe('a response that nobody works on any more', () => {
  it('has failed', () => {
    const error = new TurnError('internal', 'Gone.', { layer: 'internal' });
    const { response, before, after } = concludeResponse(begun, { status: 'failed', error });
    const expected = {
      ...(JSON.parse(begun) as object),
      status: 'failed',
      error: { code: 'server_error', message: 'Gone.' },
    };
    expect(JSON.parse(response)).toEqual(expected);
    const frame = `${before}17${after}`;
    expect(frame).toMatch(/^event: response\.failed\ndata: \{.*\}\n\n$/);
    expect(JSON.parse(frame.slice(frame.indexOf('{')))).toEqual({
      type: 'response.failed',
      sequence_number: 17,
      response: expected,
    });
  });

  it('was called off', () => {
    const { response, before } = concludeResponse(begun, { status: 'cancelled' });
    expect(JSON.parse(response)).toMatchObject({ status: 'cancelled', error: null });
    expect(before).toContain('event: response.incomplete\n');
  });
});

it('is read as it was written', () => {
  expect(parseResponse(begun)).toMatchObject({ status: 'in_progress', background: true, output: [] });
});
