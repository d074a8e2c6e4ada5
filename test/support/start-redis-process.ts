import { once } from 'node:events';
import { createServer } from 'node:net';
import { chooseRedisWay } from './choose-redis-way.ts';
import { startRedisBinary } from './redis-binary.ts';
import { startRedisContainer } from './redis-container.ts';
import type { RedisProcess, RedisProcessOptions } from './redis-process.ts';

const MAX_START_TRIES = 5;

/** Starts a server of the test's own on a free port, in the way that this machine offers; resolves when it accepts connections. */
export async function startRedisProcess(options: RedisProcessOptions = {}): Promise<RedisProcess> {
  const start = (await chooseRedisWay()) === 'docker' ? startRedisContainer : startRedisBinary;
  // Another process may take the port between its choice and the start: then with another one.
  for (let triesLeft = MAX_START_TRIES; ; triesLeft--) {
    try {
      return await start(await findFreePort(), options);
    } catch (error) {
      if (triesLeft <= 1) throw error;
    }
  }
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
