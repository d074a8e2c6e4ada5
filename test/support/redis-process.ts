import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

/** A Redis server of the test's own, which may be treated badly. */
export interface RedisProcess extends AsyncDisposable {
  readonly port: number;
  /** Its folder, which is gone after `close`. */
  readonly folder: string;
  /** Keeps its connections and answers nothing (SIGSTOP). */
  freeze(): void;
  resume(): void;
  /** Ends it the hard way; resolves when it is gone. */
  kill(): Promise<void>;
  /** Starts it again on its port, without what was in it. */
  restart(): Promise<void>;
  /** Ends it and removes its folder. Idempotent. */
  close(): Promise<void>;
}

export interface RedisProcessOptions {
  /** Lines of its configuration file, on top of those for its port and folder. */
  readonly config?: readonly string[] | ((port: number) => readonly string[] | Promise<readonly string[]>);
  /** Runs as a Sentinel. */
  readonly isSentinel?: boolean;
  /** The port is for TLS. */
  readonly usesTls?: boolean;
}

const START_DEADLINE_MS = 10_000;
const MAX_START_TRIES = 5;
/** What the log says when connections are accepted. */
const READY = /Ready to accept connections|Sentinel ID is/;

const binaries = ['redis-server', 'valkey-server'];
const installHint =
  'The Redis tests need a Redis: set REDIS_URL, or install redis-server (apt-get install redis-server, brew install redis) or valkey-server.';

/** The name of the server on this machine. Throws with an install hint when there is none. */
export function findRedisBinary(): string {
  const found = binaries.find((name) => spawnSync(name, ['--version'], { stdio: 'ignore' }).status === 0);
  if (found === undefined) throw new Error(installHint);
  return found;
}

/** Starts a server on a free port of this machine; resolves when it accepts connections. */
export async function startRedisProcess(options: RedisProcessOptions = {}): Promise<RedisProcess> {
  const binary = findRedisBinary();
  const folder = await mkdtemp(join(tmpdir(), 'zai2api-redis-'));
  let child: ChildProcess | undefined;

  async function writeConfig(port: number): Promise<void> {
    const { config = [], usesTls = false } = options;
    const own = typeof config === 'function' ? await config(port) : config;
    const lines = [
      'bind 127.0.0.1',
      ...(usesTls ? ['port 0', `tls-port ${port}`] : [`port ${port}`]),
      `dir ${folder}`,
      'daemonize no',
      'save ""',
      'appendonly no',
      ...own,
    ];
    await writeFile(join(folder, 'redis.conf'), `${lines.join('\n')}\n`);
  }

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
      if (READY.test(line)) ready.resolve(undefined);
    });
    started.once('exit', () => fail('ended before it was ready'));
    started.once('error', () => fail('cannot be started'));
    const timer = setTimeout(() => fail('is not ready in time'), START_DEADLINE_MS);
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

  /** Another process may take the port between its choice and the start: then with another one. */
  async function startSomewhere(triesLeft: number): Promise<number> {
    const port = await findFreePort();
    await writeConfig(port);
    try {
      await start();
      return port;
    } catch (error) {
      await kill();
      if (triesLeft <= 1) throw error;
      return startSomewhere(triesLeft - 1);
    }
  }

  const killAtExit = (): void => void child?.kill('SIGKILL');
  process.once('exit', killAtExit);
  async function close(): Promise<void> {
    process.off('exit', killAtExit);
    await kill();
    await rm(folder, { recursive: true, force: true });
  }

  const port = await startSomewhere(MAX_START_TRIES).catch(async (error: unknown) => {
    await close();
    throw error;
  });
  return {
    port,
    folder,
    freeze: () => void child?.kill('SIGSTOP'),
    resume: () => void child?.kill('SIGCONT'),
    kill,
    async restart() {
      await kill();
      await start();
    },
    close,
    [Symbol.asyncDispose]: close,
  };
}

/** A port of the loopback address on which nobody listens at this moment. */
export async function findFreePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  if (address === null || typeof address === 'string') throw new Error('the port of a TCP server is a number');
  return address.port;
}
