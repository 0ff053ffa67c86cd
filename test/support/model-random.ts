// SPDX-License-Identifier: Apache-2.0
import fc from 'fast-check';
import { familyOf } from '../../lib/model/address.js';
import type { NodeSpec, Service } from '../../lib/model/model.js';

/** Of interfaces. */
export const NAMES = ['eth0', 'eth1', 'eth2'];

/** A universe so small that names, ports and addresses meet again and again. */
const backends = fc.uniqueArray(
  fc.record({
    address: fc.constantFrom(
      ...['10.1.0.1', '10.1.0.2', '10.1.0.3', '10.1.0.4', 'fd00:1::1', 'fd00:1::2', 'fd00:1::3'],
    ),
    port: fc.constantFrom(80, 81),
    weight: fc.constantFrom(0, 1, 2),
    flush: fc.constantFrom(false, false, false, true),
    ready: fc.boolean(),
    serving: fc.boolean(),
    terminating: fc.boolean(),
    node: fc.constantFrom('a', 'b'),
    hints: fc.record({ zones: fc.subarray(['y', 'z']) }),
  }),
  { selector: ({ address, port }) => `${address}:${port}`, maxLength: 6 },
);

const policy = fc.constantFrom('Cluster' as const, 'Local' as const);

/** Services of one or both families; backends of a family that it has not are left out. */
export const service = fc
  .integer({ min: 0, max: 3 })
  .chain((number) =>
    fc.record({
      name: fc.constant(`s${number}`),
      addresses: fc.subarray([`10.96.${number}.1`, `10.96.${number}.2`, `fd00:96::${number + 1}`], {
        minLength: 1,
      }),
      externalIPs: fc.subarray([`192.0.2.${number + 1}`, '10.0.0.1']),
      loadBalancer: fc.record({
        addresses: fc.subarray([`198.51.100.${number + 1}`]),
        sourceRanges: fc.subarray(['10.0.0.0/8', '203.0.113.0/24']),
      }),
      internalTrafficPolicy: policy,
      externalTrafficPolicy: policy,
      affinity: fc.constantFrom({ timeoutSeconds: 5 }, undefined),
      ports: fc.uniqueArray(
        fc.record({
          name: fc.constantFrom('a', 'b', 'c'),
          protocol: fc.constantFrom('TCP' as const, 'UDP' as const, 'SCTP' as const),
          // No two services share a port of the address that several of them have.
          port: fc.constantFrom(2 * number + 1, 2 * number + 2),
          nodePort: fc.boolean(),
          backends,
        }),
        {
          minLength: 1,
          maxLength: 3,
          comparator: (a, b) => {
            return a.name === b.name || (a.port === b.port && a.protocol === b.protocol);
          },
        },
      ),
    }),
  )
  .map(({ ports, affinity, ...rest }): Service => {
    const all = [...rest.addresses, ...rest.externalIPs, ...rest.loadBalancer.addresses];
    const families = new Set(all.map(familyOf));
    return {
      ...rest,
      ...(affinity && { affinity }),
      ports: ports.map(({ nodePort, backends, ...port }) => ({
        ...port,
        ...(nodePort && { nodePort: port.port }),
        backends: backends.filter(({ address }) => families.has(familyOf(address))),
      })),
    };
  });

export const services = fc.uniqueArray(service, { selector: ({ name }) => name, maxLength: 4 });

export const interfaces = fc.subarray(NAMES).chain((names) =>
  fc.tuple(
    ...names.map((name) =>
      fc.record({
        kind: fc.constant('memory' as const),
        name: fc.constant(name),
        addresses: fc.constant([
          `10.0.${NAMES.indexOf(name)}.1/24`,
          `fd00:${NAMES.indexOf(name)}::1/64`,
        ]),
        scope: fc.constantFrom('outside' as const, 'outside' as const, 'pod' as const),
      }),
    ),
  ),
);

export const node = fc.record(
  {
    name: fc.constantFrom('a', 'b'),
    zone: fc.constantFrom('y', 'z'),
    addresses: fc.subarray(['10.0.0.1', '192.0.2.77', 'fd00:77::1']),
    nodePortAddresses: fc.subarray(['primary', '10.0.1.0/24', 'fd00::/16']),
    podNetworks: fc.subarray(['10.1.0.0/16']),
    serviceNetworks: fc.subarray(['10.96.0.0/16', 'fd00:96::/64']),
    masqueradeAll: fc.boolean(),
  },
  { requiredKeys: [] },
) as fc.Arbitrary<NodeSpec>;
