import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { startStack } from '../../support/start-stack.ts';

/** `npm run conformance:python`: installs the official Python client into a cache and lets it talk to the product. Exits as the tests do. */
const here = new URL('./', import.meta.url);
const environment = fileURLToPath(new URL('../../../node_modules/.cache/conformance-python/', here));
const python = `${environment}bin/python`;
const key = 'sk-conformance';
const run = promisify(execFile);

if (!existsSync(python)) await run('python3', ['-m', 'venv', environment]);
const requirements = fileURLToPath(new URL('requirements.txt', here));
await run(python, ['-m', 'pip', 'install', '--quiet', '--disable-pip-version-check', '-r', requirements]);

// More guests than a run can spoil.
await using stack = await startStack({ env: { ZAI_API_KEY: key, ZAI_ANON_POOL_SIZE: '3' } });
const tests = spawn(python, [fileURLToPath(new URL('openai_client_test.py', here))], {
  env: { ...process.env, ZAI_CONFORMANCE_URL: stack.url, ZAI_CONFORMANCE_KEY: key },
  stdio: 'inherit',
});
const [code] = (await once(tests, 'close')) as [number | null];
process.exitCode = code ?? 1;
