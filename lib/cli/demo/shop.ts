// SPDX-License-Identifier: Apache-2.0
import { fileURLToPath } from 'node:url';
import type { RouteSpec } from '../../model/model.js';
import type { ServiceView } from '../../observe/views.js';

// The stage of the demo: which pods there are and where they sit. The services are those of
// examples/shop/, which both engines get to read as they are.

/** A pod, or the client: one address behind one interface. */
export interface Seat {
  /** Name of the pod and of the interface that it sits behind. */
  name: string;
  address: string;
  /** Sluice's own address on the interface. */
  gateway: string;
}

/** A pod that answers UDP and nothing else, ARP included: its MAC has to be known. */
export interface EchoSeat extends Seat {
  kind: 'memif' | 'vhost-user';
  mac: string;
}

/** Where to send requests. */
export interface Target {
  /** Name of the service. */
  service: string;
  address: string;
  port: number;
}

export const PREFIX_LENGTH = 24;
/** What the pods listen on: the target ports of the services. */
export const POD_PORTS = { http: 8080, dns: 5353, echo: 7 } as const;

export const MANIFESTS = fileURLToPath(new URL('../../../examples/shop', import.meta.url));

export const CLIENT: Seat = { name: 'client', address: '10.1.0.2', gateway: '10.1.0.1' };

export const WEB_PODS: readonly Seat[] = [1, 2, 3].map((index) => ({
  name: `web-${index}`,
  address: `10.1.${index}.2`,
  gateway: `10.1.${index}.1`,
}));

export const ECHO_PODS: readonly EchoSeat[] = [
  {
    name: 'echo-memif',
    kind: 'memif',
    address: '10.2.1.2',
    gateway: '10.2.1.1',
    mac: '02:00:0a:02:01:02',
  },
  {
    name: 'echo-vhost',
    kind: 'vhost-user',
    address: '10.2.2.2',
    gateway: '10.2.2.1',
    mac: '02:00:0a:02:02:02',
  },
];

/** Routes to the pods that do not answer ARP. */
export const ECHO_ROUTES: readonly RouteSpec[] = ECHO_PODS.map(({ name, address, mac }) => ({
  prefix: `${address}/32`,
  dev: name,
  mac,
}));

/** Services of the shop that are asked over UDP. */
export const UDP_SERVICES = ['dns', 'echo-memif', 'echo-vhost'] as const;

/** Name of the pod that has an address. */
export function podAt(address: string): string {
  return [...WEB_PODS, ...ECHO_PODS].find((pod) => pod.address === address)?.name ?? address;
}

/** Virtual address and port of a service that has one of each. */
export function targetOf(services: readonly ServiceView[], name: string): Target {
  const service = services.find((each) => each.name === name);
  const address = service?.addresses[0];
  const port = service?.ports[0]?.port;
  if (address === undefined || port === undefined)
    throw new Error(`${MANIFESTS} has no service ${name}`);
  return { service: name, address, port };
}
