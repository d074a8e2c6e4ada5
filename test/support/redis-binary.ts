import { execFile, spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { promisify } from 'node:util';
import { requireRedisBinary } from './choose-redis-way.ts';
import {
  REDIS_START_DEADLINE_MS,
  redisConfigFile,
  redisIsReady,
  type RedisProcess,
  type RedisProcessOptions,
} from './redis-process.ts';

const run = promisify(execFile);

/** Starts the `redis-server` or `valkey-server` of this machine; resolves when it accepts connections. */
export async function startRedisBinary(port: number, options: RedisProcessOptions): Promise<RedisProcess> {
  const binary = requireRedisBinary();
  const folder = await mkdtemp(join(tmpdir(), 'zai2api-redis-'));
  let child: ChildProcess | undefined;

  async function start(): Promise<void> {
    const started = spawn(binary, ['redis.conf', ...(options.isSentinel ? ['--sentinel'] : [])], {
      cwd: folder,
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    child = started;
    const output: string[] = [];
    const ready = Promise.withResolvers<undefined>();
    const fail = (why: string): void => ready.reject(new Error(`${binary} ${why}: ${output.slice(-5).join('\n')}`));
    createInterface({ input: started.stdout }).on('line', (line) => {
      output.push(line);
      if (redisIsReady.test(line)) ready.resolve(undefined);
    });
    started.once('exit', () => fail('ended before it was ready'));
    started.once('error', () => fail('cannot be started'));
    const timer = setTimeout(() => fail('is not ready in time'), REDIS_START_DEADLINE_MS);
    try {
      await ready.promise;
    } finally {
      clearTimeout(timer);
    }
  }

  async function kill(): Promise<void> {
    const running = child;
    child = undefined;
    if (running === undefined || running.exitCode !== null || running.signalCode !== null) return;
    const gone = once(running, 'exit');
    running.kill('SIGKILL');
    await gone;
  }

  const killAtExit = (): void => void child?.kill('SIGKILL');
  process.once('exit', killAtExit);
  async function close(): Promise<void> {
    process.off('exit', killAtExit);
    await kill();
    await rm(folder, { recursive: true, force: true });
  }

  try {
    await writeFile(join(folder, 'redis.conf'), await redisConfigFile(options, { port, folder, bind: '127.0.0.1' }));
    await start();
  } catch (error) {
    await close();
    throw error;
  }
  const signal = (name: NodeJS.Signals) => async (): Promise<void> => void child?.kill(name);
  return {
    port,
    async cli(...args) {
      const { stdout } = await run(binary.replace('-server', '-cli'), args, { timeout: REDIS_START_DEADLINE_MS });
      return stdout;
    },
    freeze: signal('SIGSTOP'),
    resume: signal('SIGCONT'),
    kill,
    async restart() {
      await kill();
      await start();
    },
    close,
    [Symbol.asyncDispose]: close,
  };
}
