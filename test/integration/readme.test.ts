import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, it, jest } from '@jest/globals';

/** Starting from the sources takes a second or two of a busy machine. */
jest.setTimeout(60_000);

const repository = new URL('../../', import.meta.url);
const run = promisify(execFile);

/** `npm run demo`, in an environment whose keys must not reach anybody. */
async function startDemo() {
  const child = spawn(process.execPath, ['--conditions=@zai2api/source', 'scripts/demo.ts'], {
    cwd: fileURLToPath(repository),
    env: {
      PATH: process.env['PATH'] ?? '',
      ZAI_PORT: '0',
      ZAI_ADMIN_PORT: '0',
      ZAI_PLATFORM_API_KEY: 'a-real-key',
    },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const exited = once(child, 'exit');
  const lines: string[] = [];
  const ready = Promise.withResolvers<string>();
  createInterface({ input: child.stdout }).on('line', (line) => {
    lines.push(line);
    const url = /curl -N (http:\S+?)\/v1\//.exec(line)?.[1];
    if (url !== undefined) ready.resolve(url);
  });
  void exited.then(() => ready.reject(new Error(`the demo ended: ${lines.join('\n')}`)));
  const url = await ready.promise;
  return {
    url,
    lines,
    async stop(): Promise<void> {
      child.kill('SIGKILL');
      await exited;
    },
  };
}

let demo: Awaited<ReturnType<typeof startDemo>>;
let shellBlocks: string[];
beforeAll(async () => {
  demo = await startDemo();
  const readme = await readFile(new URL('README.md', repository), 'utf8');
  shellBlocks = [...readme.matchAll(/^```sh\n(.*?)^```/gms)].map(([, text = '']) => text);
});
afterAll(() => demo.stop());

it('README: the first answer comes from the demo', async () => {
  const block = shellBlocks.find((text) => text.startsWith('curl -N http://127.0.0.1:8080/v1/chat/completions'));
  const { stdout } = await run('sh', ['-c', block!.replaceAll('http://127.0.0.1:8080', demo.url)]);
  expect(stdout).toContain('You said: Hello!');
  expect(stdout.trimEnd().endsWith('data: [DONE]')).toBe(true);
});

it('the demo asks its simulator alone, whatever keys it finds', () => {
  const upstreams = demo.lines.join('\n');
  expect(upstreams).toMatch(/upstreams: \[\s*"web"\s*\]/);
  expect(upstreams).not.toContain('a-real-key');
});
