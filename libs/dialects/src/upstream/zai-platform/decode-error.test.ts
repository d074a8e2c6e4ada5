import { describe, expect, it } from '@jest/globals';
import type { ErrorCode, Recovery } from '@zai2api/turn';
import { classifyFault, decodeHttpError, findFault } from './decode-error.ts';

const NOW_MS = Date.parse('2026-01-01T00:00:00Z');
const at = { nowMs: NOW_MS };

describe('the codes of protocol 10.4', () => {
  const table: [number[], ErrorCode, string | undefined, Recovery | undefined][] = [
    [[1000, 1001, 1002, 1003, 1004, 1005], 'upstream_failed', 'upstream_unauthorized', 'other-credential'],
    [[1113, 1309], 'upstream_busy', 'insufficient_quota', 'other-credential'],
    [[1304, 1308, 1310, 1314, 1321], 'upstream_busy', 'insufficient_quota', 'other-credential'],
    [[1302], 'upstream_busy', 'upstream_concurrency', 'other-credential'],
    [[1303], 'upstream_busy', 'upstream_rate_limited', 'other-credential'],
    [[1305, 1312], 'upstream_busy', 'model_busy', undefined],
    [[1311], 'upstream_forbidden', undefined, 'other-credential'],
    [[1110, 1111, 1112, 1120, 1121, 1220], 'upstream_forbidden', 'upstream_forbidden', 'other-credential'],
    [[1313], 'upstream_forbidden', 'fair_use_restriction', 'other-credential'],
    [[1211], 'model_not_found', undefined, undefined],
    [[1261], 'invalid_request', 'context_length_exceeded', undefined],
    [[1301], 'content_refused', undefined, undefined],
    [[1210, 1212, 1213, 1214, 1215, 1221, 1222], 'upstream_drifted', undefined, undefined],
    [[500, 1200, 1230, 1231, 1234], 'upstream_failed', undefined, 'repeat'],
    [[4711], 'upstream_failed', undefined, undefined],
  ];
  const rows = table.flatMap(([codes, ...row]) => codes.map((code) => [code, ...row] as const));

  it.each(rows)('%d is %s %s', (code, kind, reason, recovery) => {
    // A text in an object, or a number in a flat body: the same.
    for (const body of [{ error: { code: String(code), message: 'their words' } }, { code, message: 'their words' }]) {
      const error = decodeHttpError(400, 'application/json', JSON.stringify(body), at);
      // An unknown code leaves the word to the status.
      if (code === 4711) expect(error.code).toBe('upstream_drifted');
      else expect([error.code, error.details.reason, error.details.recovery]).toEqual([kind, reason, recovery]);
      const fault = findFault(body);
      expect(fault && classifyFault(fault, NOW_MS).code).toBe(kind);
      expect(error.message).not.toContain('their words');
    }
  });

  it('that stop one model alone are those of its concurrency, its rate and its price', () => {
    const codes = rows.map(([code]) => String(code));
    const ofModel = codes.filter((code) => classifyFault({ code, text: '' }, NOW_MS).details.reach === 'model');
    expect(ofModel).toEqual(['1113', '1302', '1303']);
    const body = JSON.stringify({ error: { code: '1302', message: '' } });
    expect(decodeHttpError(429, '', body, { ...at, retryAfterSeconds: 7 }).details.reach).toBe('model');
  });

  it('keep a key that broke the fair-use policy for a day', () => {
    expect(classifyFault({ code: '1313', text: '' }, NOW_MS).details.retryAfterSeconds).toBe(86_400);
  });

  it('tells the reset time that a text names without a zone, and not one that is over', () => {
    const read = (text: string): number | undefined =>
      classifyFault({ code: '1308', text }, NOW_MS).details.retryAfterSeconds;
    expect(read('Your limit will reset at 2026-01-01 09:00:00')).toBe(3600);
    expect(read('您的限额将在 2026-01-01 08:10:00 重置。')).toBe(600);
    expect(read('Your limit will reset at 2025-12-31 09:00:00')).toBe(3600);
    expect(read('Your limit will reset at 2026-99-99 09:00')).toBe(3600);
    expect(read('No idea when.')).toBe(3600);
  });
});

describe('an HTTP answer without a known code', () => {
  it.each<[number, string, string, ErrorCode, string | undefined]>([
    [401, 'application/json', '{}', 'upstream_failed', 'upstream_unauthorized'],
    [403, 'application/json', '{}', 'upstream_forbidden', 'upstream_forbidden'],
    [403, 'text/html', '<html>', 'upstream_blocked', undefined],
    [405, 'text/html', '<html>', 'upstream_blocked', undefined],
    [200, 'text/html', '<html>', 'upstream_blocked', undefined],
    [429, 'text/html', '<html>', 'upstream_busy', 'upstream_rate_limited'],
    [
      429,
      'application/json',
      '{"error":{"code":"9999","message":"slow down"}}',
      'upstream_busy',
      'upstream_rate_limited',
    ],
    [434, 'application/json', '{}', 'upstream_forbidden', 'upstream_forbidden'],
    [413, '', '', 'request_too_large', undefined],
    [435, 'application/json', '{}', 'request_too_large', undefined],
    [404, 'application/json', '{"status":404,"error":"Not Found"}', 'upstream_drifted', undefined],
    [301, '', '', 'upstream_drifted', undefined],
    [500, 'text/plain', 'oops', 'upstream_failed', undefined],
    [502, 'text/html', '<html>', 'upstream_failed', undefined],
    [200, 'application/json', '{}', 'upstream_failed', undefined],
  ])('%d %s %s is %s %s', (status, type, body, code, reason) => {
    const error = decodeHttpError(status, type, body, at);
    expect([error.code, error.details.reason]).toEqual([code, reason]);
  });

  it('that limits the rate is tried with another key, unless it is a page of the edge', () => {
    const unknown = decodeHttpError(429, 'application/json', '{"error":{"code":"9999"}}', at);
    expect(unknown.details).toMatchObject({ recovery: 'other-credential', retryAfterSeconds: 30 });
    expect(unknown.details.reach).toBeUndefined();
    expect(decodeHttpError(429, 'text/html', '<html>', at).details.recovery).toBeUndefined();
  });

  it('waits as it is asked to, and then not at once', () => {
    const error = decodeHttpError(503, '', '', { ...at, retryAfterSeconds: 7 });
    expect(error.details).toMatchObject({ retryAfterSeconds: 7 });
    expect(error.details.recovery).toBeUndefined();
    const body = JSON.stringify({ error: { code: '1302', message: '' } });
    expect(decodeHttpError(429, '', body, { ...at, retryAfterSeconds: 7 }).details).toMatchObject({
      retryAfterSeconds: 7,
      recovery: 'other-credential',
    });
  });
});

describe('a fault', () => {
  it.each([
    [{ choices: [], code: 3 }],
    [{ id: 'x', choices: [{}] }],
    [{}],
    [[]],
    ['x'],
    [undefined],
    [{ error: null }],
  ])('is not in %j', (frame) => {
    expect(findFault(frame)).toBeUndefined();
  });
});
