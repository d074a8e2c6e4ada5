import { spawnSync } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import {
  REDIS_START_DEADLINE_MS,
  redisConfigFile,
  redisIsReady,
  type RedisProcess,
  type RedisProcessOptions,
} from './redis-process.ts';

const IMAGE = 'redis:7';

/**
 * Starts a container of `redis:7`; resolves when it accepts connections. A server without peers is published on the loopback address; one
 * with peers shares the network of the machine, as all of them find each other there.
 */
export async function startRedisContainer(port: number, options: RedisProcessOptions): Promise<RedisProcess> {
  // The reaper is one more image from the net. Its work is done here: whoever starts a container removes it, also at a sudden exit.
  process.env['TESTCONTAINERS_RYUK_DISABLED'] ??= 'true';
  // Only where it is used: it brings a hundred modules along.
  const { BoundPorts, GenericContainer, Wait, getContainerRuntimeClient, waitForContainer } =
    await import('testcontainers');
  const client = await getContainerRuntimeClient();
  const { hasPeers = false, isSentinel = false, folders = [] } = options;
  const folder = `/tmp/zai2api-redis-${randomUUID()}`;
  const bind = hasPeers ? '127.0.0.1' : '*';
  const content = await redisConfigFile(options, { port, folder, bind });
  const isReady = (): ReturnType<typeof Wait.forLogMessage> =>
    Wait.forLogMessage(redisIsReady).withStartupTimeout(REDIS_START_DEADLINE_MS);

  const wanted = new GenericContainer(IMAGE)
    // Root: it rewrites its configuration, and reads keys that are root's alone.
    .withUser('root')
    .withEntrypoint(['redis-server'])
    .withCommand([`${folder}/redis.conf`, ...(isSentinel ? ['--sentinel'] : [])])
    .withCopyContentToContainer([{ content, target: `${folder}/redis.conf` }])
    .withCopyDirectoriesToContainer(folders.map((source) => ({ source, target: source })))
    .withWaitStrategy(isReady());
  if (hasPeers) wanted.withNetworkMode('host');
  else wanted.withExposedPorts({ container: port, host: port });
  const started = await wanted.start();
  const container = client.container.getById(started.getId());
  let isRunning = true;
  let isFrozen = false;
  let closing: Promise<void> | undefined;

  async function resume(): Promise<void> {
    if (!isFrozen) return;
    isFrozen = false;
    await container.unpause();
  }

  async function kill(): Promise<void> {
    if (!isRunning) return;
    isRunning = false;
    // The engine kills nothing that is paused.
    await resume();
    const gone = container.wait();
    await container.kill();
    await gone;
  }

  const removeAtExit = (): void => void spawnSync('docker', ['rm', '-f', '-v', container.id], { stdio: 'ignore' });
  process.once('exit', removeAtExit);
  async function remove(): Promise<void> {
    await kill();
    await container.remove({ v: true, force: true });
    process.off('exit', removeAtExit);
  }
  const close = (): Promise<void> => (closing ??= remove());

  return {
    port,
    async cli(...args) {
      const { exitCode, output } = await started.exec(['redis-cli', ...args]);
      if (exitCode !== 0) throw new Error(`redis-cli ended with ${exitCode}: ${output.slice(-500)}`);
      return output;
    },
    async freeze() {
      await container.pause();
      isFrozen = true;
    },
    resume,
    kill,
    async restart() {
      await kill();
      const startedAt = new Date();
      await container.start();
      isRunning = true;
      await waitForContainer(client, container, isReady(), new BoundPorts(), startedAt);
    },
    close,
    [Symbol.asyncDispose]: close,
  };
}
