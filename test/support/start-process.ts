import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

export type ServiceName = 'gateway' | 'chat-translator' | 'token-refresher' | 'standalone';

/** A service as a process of its own. `await using` kills it. */
export interface ServiceProcess extends AsyncDisposable {
  /** The fields of its log line `listening`; rejects when the process ends before it. */
  readonly listening: Promise<Readonly<Record<string, unknown>>>;
  /** Exit code, or null after a signal; with all that was written to stderr. */
  readonly exited: Promise<{ readonly code: number | null; readonly stderr: string }>;
  readonly logLines: readonly Readonly<Record<string, unknown>>[];
  kill(signal: NodeJS.Signals): void;
  /** Kills it the hard way and waits for its end. */
  close(): Promise<void>;
}

const repository = new URL('../../', import.meta.url);

/** Runs the service's main from its sources as `npm run start:…` does, with no other variables than the given ones. */
export function startProcess(service: ServiceName, env: Readonly<Record<string, string>>): ServiceProcess {
  const main = fileURLToPath(new URL(`services/${service}/src/main.ts`, repository));
  const child = spawn(process.execPath, ['--conditions=@zai2api/source', '--import=@zai2api/runtime/telemetry', main], {
    cwd: fileURLToPath(repository),
    env: { PATH: process.env['PATH'] ?? '', ZAI_ADMIN_HOST: '127.0.0.1', ZAI_ADMIN_PORT: '0', ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const logLines: Readonly<Record<string, unknown>>[] = [];
  let stderr = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text));
  const listening = Promise.withResolvers<Readonly<Record<string, unknown>>>();
  // A test that only looks at the exit code does not wait for it.
  listening.promise.catch(() => undefined);
  createInterface({ input: child.stdout }).on('line', (line) => {
    const fields = JSON.parse(line) as Readonly<Record<string, unknown>>;
    logLines.push(fields);
    if (fields['msg'] === 'listening') listening.resolve(fields);
  });
  const exited = once(child, 'close').then(([code]) => {
    listening.reject(new Error(`${service} ended with ${String(code)} before it listened: ${stderr}`));
    return { code: code as number | null, stderr };
  });

  async function close(): Promise<void> {
    child.kill('SIGKILL');
    await exited;
  }

  return {
    listening: listening.promise,
    exited,
    logLines,
    kill: (signal) => void child.kill(signal),
    close,
    [Symbol.asyncDispose]: close,
  };
}

/** The address that a `listening` line tells of. */
export function urlOf(listening: Readonly<Record<string, unknown>>): string {
  const { url, host, port } = listening;
  return typeof url === 'string' ? url : `http://${String(host)}:${String(port)}`;
}
