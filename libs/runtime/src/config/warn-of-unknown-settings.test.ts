import { expect, it } from '@jest/globals';
import { createLogger } from '../create-logger.ts';
import { warnOfUnknownSettings } from './warn-of-unknown-settings.ts';

it('names what no service reads, and not what another service does', () => {
  const lines: unknown[] = [];
  const logger = createLogger(
    { name: 'test', level: 'warn', format: 'json' },
    { write: (line: string) => lines.push(JSON.parse(line)) },
  );
  const env = { ZAI_PORT: '1', ZAI_TRANSLATOR_URL: 'http://a', ZAI_PROT: '2', ZAI_MAX_JSON_SCAN: '3', PATH: '/bin' };
  warnOfUnknownSettings(logger, env);
  expect(lines).toEqual([
    expect.objectContaining({ setting: 'ZAI_PROT', msg: 'no setting has this name' }),
    expect.objectContaining({ setting: 'ZAI_MAX_JSON_SCAN', msg: 'this setting has no effect' }),
  ]);
});
