import { TurnError } from '@zai2api/turn';
import { describe, expect, it } from '@jest/globals';
import { createLogger } from './create-logger.ts';

const JWT = 'eyJhbGciOiJIUzI1NiJ9.eyJpZCI6IjEifQ.c2lnbmF0dXJl';

function capture(format: 'json' | 'text' = 'json') {
  const lines: string[] = [];
  const logger = createLogger({ name: 'test', level: 'info', format }, { write: (line) => void lines.push(line) });
  return { logger, lines, last: () => JSON.parse(lines.at(-1) ?? '{}') as Record<string, unknown> };
}

describe('createLogger', () => {
  it('prints no secret, wherever it hides', () => {
    const { logger, lines } = capture();
    const error = Object.assign(
      new Error(`GET https://chat.z.ai/api?token=${JWT}&x=1 failed`, { cause: new Error(`Bearer ${JWT}`) }),
      {
        opts: { headers: { authorization: 'hidden-1' } },
      },
    );
    logger.error({ err: error }, `asked https://chat.z.ai/c?token=hidden-2 with Bearer hidden-3`);
    logger.info({
      token: 'hidden-4',
      headers: { authorization: 'hidden-5', cookie: 'hidden-6', 'x-api-key': 'hidden-7' },
    });
    logger.info({
      upstream: { request: { 'set-cookie': 'hidden-8' } },
      url: '/v1?token=hidden-9',
      path: '/a?b=hidden-10',
    });
    logger.child({ apiKey: 'hidden-11' }).info('child');
    const text = lines.join('');
    expect(text).not.toMatch(/hidden-\d/);
    expect(text).not.toContain(JWT);
    expect(text).toContain('https://chat.z.ai/api');
    expect(text).toContain('"path":"/a"');
  });

  it('serialises an error with its causes and nothing of a request', () => {
    const { logger, last } = capture();
    const cause = Object.assign(new Error('refused'), { code: 'ECONNREFUSED', opts: { body: 'prompt' } });
    logger.error({ err: new TurnError('upstream_unreachable', 'No answer.', { layer: 'upstream', cause }) });
    expect(last()['err']).toMatchObject({
      type: 'TurnError',
      code: 'upstream_unreachable',
      layer: 'upstream',
      cause: { message: 'refused', code: 'ECONNREFUSED' },
    });
    expect(JSON.stringify(last())).not.toContain('prompt');
  });

  it('writes text for people, with the same care', () => {
    const { logger, lines } = capture('text');
    logger.info({ token: 'hidden' }, `sent Bearer ${JWT}`);
    expect(lines.join('')).toContain('sent Bearer [redacted]');
    expect(lines.join('')).not.toContain('hidden');
  });

  it('keeps to its level', () => {
    const { logger, lines } = capture();
    logger.debug('quiet');
    expect(lines).toEqual([]);
  });
});
