// SPDX-License-Identifier: Apache-2.0
import { SluiceError } from '../errors.js';
import { formatEndpoint } from './address.js';
import { type CheckedService, type CheckedServicePort, serviceKey } from './checked.js';

/** Keys of services by what they answer on: destinations and node ports. */
export interface Owners {
  get(claimed: string): string | undefined;
  set(claimed: string, owner: string): unknown;
}

/**
 * Enters all that a service answers on. Refuses what another service answers on, and two ports with
 * the same node port.
 * @param owners - where nothing of this service's is, so far
 * @param path - of the service
 * @throws SluiceError `ERR_MODEL`
 */
export function claimDestinations(service: CheckedService, owners: Owners, path: string): void {
  const name = serviceKey(service);
  const lists = [
    ['addresses', service.addresses],
    ['externalIPs', service.externalIPs],
    ['loadBalancer.addresses', service.loadBalancer],
  ] as const;
  for (const [key, addresses] of lists) {
    for (const [position, address] of addresses.entries()) {
      for (const port of service.ports) {
        const destination = destinationOf(address, port);
        const owner = owners.get(destination);
        // A load balancer's address may be among the service's external IPs as well.
        if (owner !== undefined && owner !== name) {
          const at = `${path}.${key}[${position}]`;
          refuseShared(destination, owner, name, at, 'address or port');
        }
        owners.set(destination, name);
      }
    }
  }
  for (const [position, port] of service.ports.entries()) {
    if (port.nodePort === 0) continue;
    const claimed = nodePortOf(port);
    const owner = owners.get(claimed);
    if (owner !== undefined) {
      refuseShared(claimed, owner, name, `${path}.ports[${position}].nodePort`, 'node port');
    }
    owners.set(claimed, name);
  }
}

/** Gives up all that a service has claimed. */
export function releaseDestinations(
  service: CheckedService,
  owners: { delete(claimed: string): unknown },
): void {
  for (const port of service.ports) {
    for (const address of service.addresses) owners.delete(destinationOf(address, port));
    for (const address of service.externalIPs) owners.delete(destinationOf(address, port));
    for (const address of service.loadBalancer) owners.delete(destinationOf(address, port));
    if (port.nodePort !== 0) owners.delete(nodePortOf(port));
  }
}

/** `10.96.0.1:80/TCP`, `10.96.0.1/ICMP`: what a client sends to, and one service alone may have. */
export function destinationOf(
  address: string,
  port: Pick<CheckedServicePort, 'port' | 'protocol'>,
): string {
  return `${formatEndpoint(address, port.port)}/${port.protocol}`;
}

/** What a node port is claimed as. */
export function nodePortOf({
  nodePort,
  protocol,
}: Pick<CheckedServicePort, 'nodePort' | 'protocol'>): string {
  return `node port ${nodePort}/${protocol}`;
}

function refuseShared(
  claimed: string,
  owner: string,
  name: string,
  path: string,
  remedy: string,
): never {
  const who =
    owner === name ? `two ports of ${name}` : `services ${[owner, name].sort().join(' and ')}`;
  const message = `${who} both answer on ${claimed}; give one of them another ${remedy}`;
  throw new SluiceError('ERR_MODEL', message, { path });
}
