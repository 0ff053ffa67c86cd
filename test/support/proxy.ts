// SPDX-License-Identifier: Apache-2.0
import type { Service } from '../../lib/model/model.js';
import type { ProxyOptions } from '../../lib/proxy/options.js';
import { ServiceProxy } from '../../lib/proxy/service-proxy.js';
import { packet } from './packets.js';

/** A proxy on the software engine between clients (`up`) and pods (`pods`), whose MACs are known. */
export const OPTIONS = {
  engine: 'software',
  clock: 'manual',
  flows: 4_096,
  flows6: 1_024,
  backends: 256,
  interfaces: [
    'memory:up,address=10.0.0.1/24,mac=02:00:00:00:00:01',
    'memory:pods,address=10.1.0.1/24,mac=02:00:00:00:00:02',
  ],
  routes: ['10.1.0.0/25,dev=pods,mac=02:00:00:00:00:b2'],
} as const satisfies ProxyOptions;

export function openProxy(more: ProxyOptions = {}): Promise<ServiceProxy> {
  return ServiceProxy.open({ ...OPTIONS, ...more });
}

/** A service of one UDP port 53, on 10.96.0.N. */
export function service(
  name: string,
  number: number,
  backends: readonly (string | { address: string; weight: number })[],
): Service {
  return {
    name,
    addresses: [`10.96.0.${number}`],
    ports: [
      {
        protocol: 'UDP',
        port: 53,
        backends: backends.map((backend) =>
          typeof backend === 'string'
            ? { address: backend, port: 5353 }
            : { ...backend, port: 5353 },
        ),
      },
    ],
  };
}

/** A client's datagram to service N, as it arrives on `up`. */
export function query(number: number, sourcePort: number): Uint8Array {
  return packet()
    .eth({ src: '02:00:00:00:00:aa', dst: '02:00:00:00:00:01' })
    .ipv4({ src: '10.0.0.9', dst: `10.96.0.${number}` })
    .udp({ src: sourcePort, dst: 53, payload: 'query' })
    .build();
}

/** Sum of the fates; equal to `rx` at any moment of a manual clock. */
export function sumOfFates(proxy: ServiceProxy): number {
  const { forwarded, answered, host, dropped, held } = proxy.stats().fates;
  return forwarded + answered + host + dropped + held;
}
