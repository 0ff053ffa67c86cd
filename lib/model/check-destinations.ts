// SPDX-License-Identifier: Apache-2.0
import { SluiceError } from '../errors.js';
import { formatEndpoint } from './address.js';
import { type CheckedService, type CheckedServicePort, serviceKey } from './checked.js';

/**
 * Refuses two services that answer on the same address, port and protocol, and two service ports
 * with the same node port.
 * @throws SluiceError `ERR_MODEL`
 */
export function refuseSharedDestinations(
  services: readonly CheckedService[],
  pathOf: (index: number) => string,
): void {
  const owners = new Map<string, string>();
  services.forEach((service, index) => {
    const name = serviceKey(service);
    const claim = (destination: string, at: string, remedy: string): void => {
      const owner = owners.get(destination);
      if (owner === undefined) {
        owners.set(destination, name);
        return;
      }
      // A load balancer's address may be among the service's external IPs as well.
      if (owner === name && !at.endsWith('.nodePort')) return;
      const who =
        owner === name ? `two ports of ${name}` : `services ${[owner, name].sort().join(' and ')}`;
      const message = `${who} both answer on ${destination}; give one of them another ${remedy}`;
      throw new SluiceError('ERR_MODEL', message, { path: `${pathOf(index)}.${at}` });
    };
    const lists = [
      ['addresses', service.addresses],
      ['externalIPs', service.externalIPs],
      ['loadBalancer.addresses', service.loadBalancer],
    ] as const;
    for (const [key, addresses] of lists) {
      for (const [position, address] of addresses.entries()) {
        for (const port of service.ports) {
          claim(destinationOf(address, port), `${key}[${position}]`, 'address or port');
        }
      }
    }
    for (const [position, { nodePort, protocol }] of service.ports.entries()) {
      if (nodePort === 0) continue;
      claim(`node port ${nodePort}/${protocol}`, `ports[${position}].nodePort`, 'node port');
    }
  });
}

/** `10.96.0.1:80/TCP`, `10.96.0.1/ICMP`: what a client sends to, and one service alone may have. */
export function destinationOf(
  address: string,
  port: Pick<CheckedServicePort, 'port' | 'protocol'>,
): string {
  return `${formatEndpoint(address, port.port)}/${port.protocol}`;
}
