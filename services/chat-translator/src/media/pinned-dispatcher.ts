import { isIP, type LookupFunction } from 'node:net';
import { Agent, type Dispatcher } from 'undici';

const CONNECT_TIMEOUT_MS = 10_000;

/**
 * A connection pool for one request that connects to the given addresses and to no other, whatever the name in the URL resolves to by now.
 * The name still goes into the TLS handshake and the `Host` header. Whoever makes it destroys it.
 */
export function createPinnedDispatcher(addresses: readonly string[]): Dispatcher {
  const pinned = addresses.map((address) => ({ address, family: isIP(address) }));
  const lookup: LookupFunction = (_name, options, callback) => {
    const [first] = pinned;
    if (first === undefined) callback(new Error('no address'), '');
    else if (options.all === true) callback(null, pinned);
    else callback(null, first.address, first.family);
  };
  return new Agent({ connections: 1, pipelining: 0, connect: { timeout: CONNECT_TIMEOUT_MS, lookup } });
}
