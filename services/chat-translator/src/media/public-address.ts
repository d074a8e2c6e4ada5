import { isIP } from 'node:net';
import ipaddr from 'ipaddr.js';

/** All that is given out on the public internet; what lies outside reaches other hosts only by translation, or none (RFC 4291). */
const globalIpv6 = ipaddr.parseCIDR('2000::/3');
/** Looks public and is the machine's own host: the platform service of Azure. */
const refusedNetworks = ['168.63.129.16/32'].map((network) => ipaddr.parseCIDR(network));

/**
 * A test for addresses that a client may have us connect to: plain public unicast alone. Private, loopback, link-local, metadata, carrier,
 * multicast, reserved and benchmarking ranges are refused, and so is every IPv6 address that stands for an IPv4 one (mapped, NAT64, 6to4,
 * Teredo), as the range behind it is not the one that was looked at. `permitted` are networks in CIDR notation that pass all the same.
 */
export function createAddressCheck(permitted: readonly string[] = []): (address: string) => boolean {
  const exceptions = permitted.map((network) => ipaddr.parseCIDR(network));
  return (text) => {
    // Stricter than the parser, which also takes octal, hexadecimal and shortened forms.
    if (isIP(text) === 0) return false;
    const address = ipaddr.parse(text);
    if (exceptions.some((network) => isIn(address, network))) return true;
    if (address.range() !== 'unicast' || refusedNetworks.some((network) => isIn(address, network))) return false;
    return address.kind() === 'ipv4' || isIn(address, globalIpv6);
  };
}

type Address = ipaddr.IPv4 | ipaddr.IPv6;

function isIn(address: Address, [network, bits]: [Address, number]): boolean {
  return address.kind() === network.kind() && address.match(network, bits);
}
