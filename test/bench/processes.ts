import { fork, spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync, readFileSync } from 'node:fs';
import { setTimeout as wait } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

/** A process of the benchmark that has said where it listens, or that it is ready. */
export interface RunningProcess {
  readonly child: ChildProcess;
  readonly pid: number;
  /** The text that it said at its start: its URL. */
  readonly said: string;
}

const START_TIMEOUT_MS = 20_000;
const STOP_TIMEOUT_MS = 10_000;
const POLL_MS = 50;
const productMain = fileURLToPath(new URL('../../services/standalone/dist/main.js', import.meta.url));

/** Starts the processes of one run and ends them again. */
export interface Processes {
  /** Starts a script of this folder and waits for its first message. It also ends by itself when this process is gone. */
  startScript(file: string, env: Readonly<Record<string, string>>): Promise<RunningProcess>;
  /** Starts the built product with its log in `logFile`, and waits until it is ready. Throws the log's end when it does not get there. */
  startProduct(options: ProductOptions): Promise<RunningProcess>;
  /** Ends them in the reverse order of their start, each in its own order, so that a profile gets written; by force when that takes too long. */
  stopAll(): Promise<void>;
}

export interface ProductOptions {
  readonly env: Readonly<Record<string, string>>;
  readonly nodeFlags: readonly string[];
  readonly logFile: string;
}

/** Nothing runs yet. Whatever ends this process in an orderly way: nothing that was started stays behind. */
export function createProcesses(): Processes {
  const running = new Set<ChildProcess>();
  process.once('exit', () => running.forEach((child) => child.kill('SIGKILL')));

  function remember(child: ChildProcess): ChildProcess {
    running.add(child);
    child.once('exit', () => running.delete(child));
    return child;
  }

  return {
    async startScript(file, env) {
      const path = fileURLToPath(new URL(file, import.meta.url));
      const child = remember(fork(path, { env: { ...process.env, ...env, NODE_ENV: 'production' } }));
      const failed = once(child, 'exit').then(() => Promise.reject(new Error(`${file} ended at its start.`)));
      // Later ends are looked for by nobody.
      failed.catch(() => undefined);
      const message = once(child, 'message', { signal: AbortSignal.timeout(START_TIMEOUT_MS) });
      const [said] = (await Promise.race([message, failed])) as [string];
      return { child, pid: child.pid ?? 0, said };
    },

    async startProduct({ env, nodeFlags, logFile }) {
      const log = openSync(logFile, 'w');
      const child = remember(
        spawn(process.execPath, [...nodeFlags, productMain], {
          env: { PATH: process.env['PATH'] ?? '', NODE_ENV: 'production', ...env },
          stdio: ['ignore', log, log],
        }),
      );
      closeSync(log);
      const giveUpAtMs = performance.now() + START_TIMEOUT_MS;
      while (child.exitCode === null && performance.now() < giveUpAtMs) {
        const text = readFileSync(logFile, 'utf8');
        const url = /"url":"([^"]+)".*"msg":"listening"/.exec(text)?.[1];
        if (url !== undefined && text.includes('"msg":"started"')) return { child, pid: child.pid ?? 0, said: url };
        await wait(POLL_MS);
      }
      throw new Error(`The product did not start:\n${readFileSync(logFile, 'utf8').slice(-2_000)}`);
    },

    async stopAll() {
      for (const child of [...running].reverse()) await stopProcess(child);
    },
  };
}

async function stopProcess(child: ChildProcess): Promise<void> {
  const ended = once(child, 'exit');
  child.kill('SIGTERM');
  const timer = setTimeout(() => child.kill('SIGKILL'), STOP_TIMEOUT_MS);
  await ended;
  clearTimeout(timer);
}
