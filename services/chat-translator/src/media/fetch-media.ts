import { isIP } from 'node:net';
import { unlessAborted, withHiddenAddress } from '@zai2api/runtime';
import { request, type Dispatcher } from 'undici';
import { MediaFault } from './media-fault.ts';
import { hostOf, parseMediaUrl, type MediaUrlRules } from './media-url.ts';
import { createPinnedDispatcher } from './pinned-dispatcher.ts';
import { createAddressCheck } from './public-address.ts';
import { resolveHost, type HostResolver } from './resolve-host.ts';

/** What the guard is made of. All but `allowHttp` are for tests: there is no setting for them. */
export interface MediaGuardOptions extends MediaUrlRules {
  /** Networks in CIDR notation that are not public and may be asked all the same. */
  readonly permittedNetworks?: readonly string[] | undefined;
  readonly resolve?: HostResolver | undefined;
  /** A dispatcher for one request that connects to these addresses alone; destroyed after it. */
  readonly createDispatcher?: ((addresses: readonly string[]) => Dispatcher) | undefined;
}

/**
 * The bytes behind an address that a client named, `maxBytes` of them at most. Throws a MediaFault for every failure, the signal's abort
 * included: the caller has given it a deadline.
 */
export type MediaFetcher = (url: string, maxBytes: number, signal: AbortSignal) => Promise<Uint8Array<ArrayBuffer>>;

const MAX_REDIRECTS = 3;
const redirects: ReadonlySet<number> = new Set([301, 302, 303, 307, 308]);
/** No cookies, no credentials, no referrer; and no compression, behind which a small answer may be a huge file. */
const headers = { accept: '*/*', 'accept-encoding': 'identity', 'user-agent': 'zai2api' };

/**
 * A fetcher that no client can turn against our own network. Per hop: the URL is checked, its name is resolved once, every address it has
 * must be public, and the connection goes to these very addresses, so that no second answer of the name server is ever asked for.
 */
export function createMediaFetcher(options: MediaGuardOptions): MediaFetcher {
  const { resolve = resolveHost, createDispatcher = createPinnedDispatcher } = options;
  const isPermitted = createAddressCheck(options.permittedNetworks);

  async function addressesOf(url: URL, signal: AbortSignal): Promise<readonly string[]> {
    const host = hostOf(url);
    const addresses = isIP(host) === 0 ? await unlessAborted(resolve(host), signal) : [host];
    if (addresses.length === 0 || !addresses.every(isPermitted)) {
      throw new MediaFault('unreachable', 'refused by its addresses');
    }
    return addresses;
  }

  async function visit(url: URL, maxBytes: number, signal: AbortSignal): Promise<Uint8Array<ArrayBuffer> | string> {
    const addresses = await addressesOf(url, signal);
    signal.throwIfAborted();
    const dispatcher = createDispatcher(addresses);
    try {
      const {
        statusCode,
        headers: answered,
        body,
      } = await withHiddenAddress(() => request(url, { dispatcher, headers, signal }));
      // A body that is left unread reports the end of its connection.
      body.on('error', () => undefined);
      const location = answered['location'];
      if (redirects.has(statusCode) && typeof location === 'string') return location;
      if (statusCode !== 200) throw new MediaFault('unreachable', `status ${statusCode}`);
      const encoding = answered['content-encoding'] ?? 'identity';
      if (encoding !== 'identity') throw new MediaFault('unreachable', 'compressed');
      if (Number(answered['content-length'] ?? 0) > maxBytes) throw new MediaFault('too-large', 'announced');
      return await readBytes(body, maxBytes);
    } finally {
      void dispatcher.destroy().catch(() => undefined);
    }
  }

  return async (text, maxBytes, signal) => {
    try {
      let url = parseMediaUrl(text, options);
      for (let hop = 0; hop <= MAX_REDIRECTS; hop += 1) {
        const outcome = await visit(url, maxBytes, signal);
        if (typeof outcome !== 'string') return outcome;
        url = parseMediaUrl(outcome, options, url);
      }
      throw new MediaFault('unreachable', 'too many redirects');
    } catch (reason) {
      // An error of the network names addresses.
      throw reason instanceof MediaFault ? reason : new MediaFault('unreachable', codeOf(reason));
    }
  };
}

async function readBytes(body: AsyncIterable<Uint8Array>, maxBytes: number): Promise<Uint8Array<ArrayBuffer>> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of body) {
    size += chunk.length;
    if (size > maxBytes) throw new MediaFault('too-large', 'counted');
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

function codeOf(reason: unknown): string {
  if (typeof reason !== 'object' || reason === null) return 'unknown';
  if ('code' in reason && typeof reason.code === 'string') return reason.code;
  return 'name' in reason && typeof reason.name === 'string' ? reason.name : 'unknown';
}
