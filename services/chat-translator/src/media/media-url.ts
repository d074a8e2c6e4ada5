import { isIP } from 'node:net';
import { MediaFault } from './media-fault.ts';

/** Which addresses may be asked for a file. */
export interface MediaUrlRules {
  /** False: https alone. */
  readonly allowHttp: boolean;
  /** In addition to 80 and 443. */
  readonly permittedPorts?: readonly number[] | undefined;
}

/** Names that no public host has. Their addresses would be refused anyway; this spares the question. */
const privateNames = /(?:^|\.)(?:localhost|localdomain|local|internal|intranet|lan|home|corp|arpa|onion)$/;

/**
 * The URL that `text` means, relative to the one before it in a chain of redirects. Throws a MediaFault for another scheme, a port that is
 * not for the web, a user or password, and names that cannot be public. The parser has turned every spelling of an IPv4 address into the
 * usual one.
 */
export function parseMediaUrl(text: string, rules: MediaUrlRules, base?: URL): URL {
  const url = URL.parse(text, base?.href);
  if (!url) throw refused('no URL');
  if (url.protocol !== 'https:' && !(rules.allowHttp && url.protocol === 'http:')) throw refused('scheme');
  if (url.username !== '' || url.password !== '') throw refused('user or password');
  const port = url.port === '' ? undefined : Number(url.port);
  const isUsual = port === undefined || port === 80 || port === 443;
  if (!isUsual && rules.permittedPorts?.includes(port) !== true) throw refused('port');
  const host = hostOf(url);
  if (isIP(host) === 0 && (!host.includes('.') || host.split('.').includes('') || privateNames.test(host))) {
    throw refused('host name');
  }
  // The dot that ends an absolute name is not part of the name on a certificate.
  if (url.hostname.endsWith('.')) url.hostname = host;
  return url;
}

/** The host without the brackets of an IPv6 address and without the dot that may end a name. */
export function hostOf({ hostname }: URL): string {
  return hostname.startsWith('[') ? hostname.slice(1, -1) : hostname.replace(/\.$/, '');
}

const refused = (what: string): MediaFault => new MediaFault('unreachable', `refused by its ${what}`);
