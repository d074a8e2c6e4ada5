import type { Logger } from '../create-logger.ts';
import { nameRedisFault } from './name-redis-fault.ts';
import type { RedisClient } from './redis-client.ts';

/** Logs when the connection is lost and when it is back: once per change, however many attempts lie between. */
export function logConnection(client: RedisClient, logger: Logger): void {
  let isUp: boolean | undefined;
  let fault: string | undefined;
  client.on('ready', () => {
    if (isUp === false) logger.info('redis is connected again');
    isUp = true;
    fault = undefined;
  });
  const onFault = (error: unknown): void => {
    const name = nameRedisFault(error);
    // The first fault after a good time, and another kind of fault, are news; the hundredth refusal is not.
    if (isUp !== false || name !== fault) logger.warn({ reason: name }, 'redis cannot be reached');
    isUp = false;
    fault = name;
  };
  client.on('error', onFault);
  client.on('end', () => logger.debug('redis connection closed'));
}
