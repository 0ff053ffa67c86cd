// SPDX-License-Identifier: Apache-2.0
import { randomInt } from 'node:crypto';
import ipaddr from 'ipaddr.js';
import type { KubeObject, Tree } from './objects.js';

export type Family = 'IPv4' | 'IPv6';

export const familyOf = (address: string): Family => (address.includes(':') ? 'IPv6' : 'IPv4');
export const NODE_PORTS = { first: 30000, last: 32767 };

/** The cluster addresses and node ports that the stored Services use. */
export class Allocations {
  /** The first is the default. */
  readonly families: readonly Family[];
  readonly #ranges: ReadonlyMap<Family, string>;
  readonly #addresses = new Map<string, number>();
  readonly #ports = new Map<string, number>();

  /** @param cidrs - One, or two of different families. */
  constructor(cidrs: readonly string[]) {
    this.families = cidrs.map(familyOf);
    this.#ranges = new Map(cidrs.map((cidr) => [familyOf(cidr), cidr]));
  }

  range(family: Family): string | undefined {
    return this.#ranges.get(family);
  }

  /** A Service was stored, or (with -1) is no longer. */
  count(service: KubeObject, by: 1 | -1): void {
    for (const address of addressesOf(service)) bump(this.#addresses, canonical(address), by);
    for (const port of portsOf(service)) bump(this.#ports, port, by);
  }

  contains(address: string): boolean {
    const cidr = this.#ranges.get(familyOf(address));
    return cidr !== undefined && ipaddr.parse(address).match(ipaddr.parseCIDR(cidr));
  }

  hasAddress(address: string): boolean {
    return this.#addresses.has(canonical(address));
  }

  /** @param protocol - null: any. */
  hasPort(port: number, protocol: string | null): boolean {
    const protocols = protocol === null ? ['TCP', 'UDP', 'SCTP'] : [protocol];
    return protocols.some((name) => this.#ports.has(`${name}/${port}`));
  }

  /** An address that no Service has. The network's own and the first are never given. */
  freeAddress(family: Family): string {
    const cidr = this.#ranges.get(family)!;
    const [base, length] = ipaddr.parseCIDR(cidr);
    const bits = Math.min(base.toByteArray().length * 8 - length, 16);
    for (;;) {
      const bytes = base.toByteArray();
      const offset = randomInt(2, 2 ** bits - 1);
      bytes[bytes.length - 1]! |= offset & 0xff;
      bytes[bytes.length - 2]! |= offset >> 8;
      const address = ipaddr.fromByteArray(bytes).toString();
      if (!this.#addresses.has(address)) return address;
    }
  }

  /** Of the Service `kubernetes`. */
  firstAddress(family: Family): string {
    const [base] = ipaddr.parseCIDR(this.#ranges.get(family)!);
    const bytes = base.toByteArray();
    bytes[bytes.length - 1]! |= 1;
    return ipaddr.fromByteArray(bytes).toString();
  }

  freePort(taken: ReadonlySet<number>): number {
    for (;;) {
      const port = randomInt(NODE_PORTS.first, NODE_PORTS.last + 1);
      if (!this.hasPort(port, null) && !taken.has(port)) return port;
    }
  }
}

const canonical = (address: string): string =>
  ipaddr.isValid(address) ? ipaddr.parse(address).toString() : address;

function bump(counts: Map<string, number>, key: string, by: number): void {
  const count = (counts.get(key) ?? 0) + by;
  if (count > 0) counts.set(key, count);
  else counts.delete(key);
}

// Of objects of any shape: some were injected.
const addressesOf = (service: KubeObject): string[] => {
  const addresses: Tree = service.spec?.clusterIPs;
  return Array.isArray(addresses) ? addresses.map(String).filter((ip) => ip !== 'None') : [];
};

function portsOf(service: KubeObject): string[] {
  const ports: Tree = service.spec?.ports;
  const used = Array.isArray(ports) ? ports.filter((port) => port?.nodePort) : [];
  const names = used.map((port) => `${port.protocol}/${port.nodePort}`);
  const health = service.spec?.healthCheckNodePort;
  return health ? [...names, `TCP/${health}`] : names;
}
