import { lookup } from 'node:dns/promises';
import { isIP } from 'node:net';

/** All addresses of a host name, in the system's order; rejects when there are none. */
export type HostResolver = (name: string) => Promise<readonly string[]>;

/** The system's resolver, asked for the absolute name: the search list of a cluster would try the name on its own services. */
export async function resolveHost(name: string): Promise<readonly string[]> {
  const found = await lookup(isIP(name) === 0 ? `${name}.` : name, { all: true, order: 'verbatim' });
  return found.map(({ address }) => address);
}
