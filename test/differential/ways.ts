// SPDX-License-Identifier: Apache-2.0
import fc from 'fast-check';
import {
  BACKEND_PORTS,
  CLIENT_PORTS,
  INTERFACES,
  mostly,
  NODE_PORT,
  pick,
  SERVICE_PORTS,
  type World,
} from './world.js';

/** From where to where a packet goes. */
export interface Way {
  on: number;
  src: string;
  dst: string;
  ports: { src: number; dst: number };
}

const clientPort = pick(...CLIENT_PORTS);
const anyPort = mostly(
  8,
  pick(...SERVICE_PORTS, ...BACKEND_PORTS, ...CLIENT_PORTS, NODE_PORT),
  fc.nat(65_535),
);

/** Somebody asks for a service from where he belongs. */
export function askers(world: World): fc.Arbitrary<Way> {
  const port = mostly(12, pick(...SERVICE_PORTS), anyPort);
  const nodePorts = [...world.own.slice(0, 2), ...world.own];
  const destination = fc.oneof(
    { weight: 8, arbitrary: fc.record({ dst: pick(...world.services), port }) },
    {
      weight: 2,
      arbitrary: fc.record({ dst: pick(world.external), port: pick(SERVICE_PORTS[0]) }),
    },
    { weight: 2, arbitrary: fc.record({ dst: pick(...nodePorts), port: pick(NODE_PORT) }) },
  );
  const from = fc.oneof(
    { weight: 6, arbitrary: pick(...world.clients).map((src) => ({ on: 0, src })) },
    { weight: 4, arbitrary: pick(...world.backends.slice(0, 3)).map((src) => ({ on: 1, src })) },
    { weight: 2, arbitrary: pick(...world.own).map((src) => ({ on: 3, src })) },
    { weight: 1, arbitrary: fc.constant({ on: 2, src: world.backends[3] }) },
  );
  return fc
    .tuple(from, destination, clientPort)
    .map(([{ on, src }, { dst, port }, own]) => ({ on, src, dst, ports: { src: own, dst: port } }));
}

/** Clients and pods talk straight to each other, from where they belong. */
export function talkers(world: World): fc.Arbitrary<Way> {
  const client = pick(...world.clients).map((address) => ({ on: 0, address }));
  const pod = pick(...world.backends.slice(0, 3)).map((address) => ({ on: 1, address }));
  return fc
    .record({
      from: fc.oneof(client, pod, pod),
      to: fc.oneof(client, pod, pod),
      ports: fc.record({ src: clientPort, dst: pick(...BACKEND_PORTS) }),
    })
    .map(({ from, to, ports }) => ({ on: from.on, src: from.address, dst: to.address, ports }));
}

/** Anybody to anybody, by any interface. */
export function wanderers(world: World): fc.Arbitrary<Way> {
  const anyAddress = fc.oneof(
    { weight: 6, arbitrary: pick(...world.clients, ...world.backends, ...world.services) },
    { weight: 2, arbitrary: pick(...world.own, world.gateway, world.external) },
    { weight: 1, arbitrary: pick(...world.odd) },
  );
  const ports = fc.record({ src: anyPort, dst: anyPort });
  return fc.record({ on: pick(...INTERFACES), src: anyAddress, dst: anyAddress, ports });
}
