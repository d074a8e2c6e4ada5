import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { startStack } from '../../support/start-stack.ts';

/** `npm run conformance:python`: installs the official Python clients into a cache and lets them talk to the product. Exits as the tests do. */
const here = new URL('./', import.meta.url);
const environment = fileURLToPath(new URL('../../../node_modules/.cache/conformance-python/', here));
const python = `${environment}bin/python`;
const key = 'sk-conformance';
const run = promisify(execFile);

if (!existsSync(python)) await run('python3', ['-m', 'venv', environment]);
const requirements = fileURLToPath(new URL('requirements.txt', here));
await run(python, ['-m', 'pip', 'install', '--quiet', '--disable-pip-version-check', '-r', requirements]);

const env = { ZAI_API_KEY: key, ZAI_ANON_POOL_SIZE: '3' };
await using stack = await startStack({ env });
// What happens here is remembered for the next request: such upstreams are of their own.
await using challenged = await startStack({ env, upstream: { requireVerification: true } });
await using blocked = await startStack({ env, upstream: { completionFault: 'waf' } });
const tests = spawn(python, ['-m', 'unittest', '-v', 'openai_client_test', 'anthropic_client_test'], {
  cwd: fileURLToPath(here),
  env: {
    ...process.env,
    ZAI_CONFORMANCE_URL: stack.url,
    ZAI_CONFORMANCE_CHALLENGED_URL: challenged.url,
    ZAI_CONFORMANCE_BLOCKED_URL: blocked.url,
    ZAI_CONFORMANCE_KEY: key,
    PYTHONDONTWRITEBYTECODE: '1',
  },
  stdio: 'inherit',
});
const [code] = (await once(tests, 'close')) as [number | null];
process.exitCode = code ?? 1;
