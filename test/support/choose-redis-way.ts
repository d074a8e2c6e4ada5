import { spawnSync } from 'node:child_process';

/** How a test gets a Redis of its own: as a container, or as a process of this machine. */
export type RedisWay = 'docker' | 'server';

const installHint =
  'The Redis tests need a Redis: set REDIS_URL, start a Docker engine, or install redis-server ' +
  '(apt-get install redis-server, brew install redis) or valkey-server.';

/** The way that `TEST_REDIS` forces; undefined when it is not set. Throws for any other word. */
export function forcedRedisWay(): RedisWay | undefined {
  const forced = process.env['TEST_REDIS'];
  if (forced === undefined || forced === '') return undefined;
  if (forced === 'docker' || forced === 'server') return forced;
  throw new Error('TEST_REDIS: expected docker or server');
}

/** A Docker engine when one answers, else a server on the PATH; `TEST_REDIS` decides alone. Throws with an install hint when there is neither. */
export async function chooseRedisWay(): Promise<RedisWay> {
  const forced = forcedRedisWay();
  if (forced) return forced;
  if (await isDockerThere()) return 'docker';
  if (findRedisBinary() === undefined) throw new Error(installHint);
  return 'server';
}

async function isDockerThere(): Promise<boolean> {
  // Only where it may be used: it brings a hundred modules along.
  const { getContainerRuntimeClient } = await import('testcontainers');
  return getContainerRuntimeClient().then(
    () => true,
    () => false,
  );
}

/** The name of the server on this machine; undefined when there is none. */
export function findRedisBinary(): string | undefined {
  return ['redis-server', 'valkey-server'].find(
    (name) => spawnSync(name, ['--version'], { stdio: 'ignore' }).status === 0,
  );
}

/** As `findRedisBinary`, but throws the install hint. */
export function requireRedisBinary(): string {
  const binary = findRedisBinary();
  if (binary === undefined) throw new Error(installHint);
  return binary;
}
