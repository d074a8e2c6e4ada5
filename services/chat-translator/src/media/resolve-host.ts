import { lookup } from 'node:dns/promises';
import { isIP } from 'node:net';
import { TurnError } from '@zai2api/turn';

/** All addresses of a host name, in the system's order; rejects when there are none. */
export type HostResolver = (name: string) => Promise<readonly string[]>;

/** The system's resolver, asked for the absolute name: the search list of a cluster would try the name on its own services. */
export async function resolveHost(name: string): Promise<readonly string[]> {
  const found = await lookup(isIP(name) === 0 ? `${name}.` : name, { all: true, order: 'verbatim' });
  return found.map(({ address }) => address);
}

/** Leaves the wait when the signal aborts: a lookup itself cannot be ended. */
export async function unlessAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  const { promise, reject } = Promise.withResolvers<never>();
  const leave = (): void => reject(TurnError.from(signal.reason));
  signal.addEventListener('abort', leave, { once: true });
  try {
    if (signal.aborted) leave();
    return await Promise.race([work, promise]);
  } finally {
    signal.removeEventListener('abort', leave);
  }
}
