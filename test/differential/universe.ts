// SPDX-License-Identifier: Apache-2.0
import fc from 'fast-check';
import type { ProgramDelta } from '../../lib/compile/program.js';
import { arp, packet } from '../support/packets.js';
import { type BackendLiteral, delta, type ProgramLiteral } from '../support/program.js';

/**
 * A small world, so that random packets meet random programs often: three interfaces, a handful of
 * clients, backends and services, and the addresses that nobody may use.
 */

export const INTERFACES = [0, 1, 2] as const;
export const MACS = INTERFACES.map((slot) => `02:00:00:00:00:0${slot}`);
const PEER_MACS = ['02:00:00:00:01:01', '02:00:00:00:01:02', '02:00:00:00:01:03'];
const OWN = ['10.0.0.1', '10.1.0.1', '192.168.0.1'];
const CLIENTS = ['10.0.0.2', '10.0.0.3'];
const BACKENDS = ['10.1.0.2', '10.1.0.3', '10.1.0.4', '10.2.0.2'];
const SERVICES = ['10.96.0.1', '10.96.0.2'];
const GATEWAY = '192.168.0.2';
const ODD = ['0.0.0.0', '127.0.0.1', '224.0.0.1', '255.255.255.255', '172.16.0.9', '10.0.0.255'];
const PORTS = [53, 80];
const BACKEND_PORTS = [53, 8080];

/** One thing that happens to an engine. */
export type Step =
  | { kind: 'packets'; frames: { on: number; frame: Uint8Array }[] }
  | { kind: 'commit'; delta: ProgramDelta }
  | { kind: 'clock'; forwardMs: number }
  | { kind: 'interface'; slot: number };

const pick = <T>(...values: readonly T[]) => fc.constantFrom(...values);
const anyAddress = fc.oneof(
  { weight: 6, arbitrary: pick(...CLIENTS, ...BACKENDS, ...SERVICES) },
  { weight: 2, arbitrary: pick(...OWN, GATEWAY) },
  { weight: 1, arbitrary: pick(...ODD) },
);
const source = fc.oneof(
  { weight: 6, arbitrary: pick(...CLIENTS) },
  { weight: 4, arbitrary: pick(...BACKENDS) },
  { weight: 1, arbitrary: anyAddress },
);
const destination = fc.oneof(
  { weight: 6, arbitrary: pick(...SERVICES) },
  { weight: 4, arbitrary: pick(...CLIENTS) },
  { weight: 2, arbitrary: anyAddress },
);
const port = fc.oneof(
  { weight: 4, arbitrary: pick(...PORTS, ...BACKEND_PORTS) },
  { weight: 4, arbitrary: pick(1000, 1001) },
  { weight: 1, arbitrary: fc.integer({ min: 0, max: 65_535 }) },
);
const payload = fc.oneof(
  { weight: 8, arbitrary: fc.uint8Array({ maxLength: 24 }) },
  { weight: 1, arbitrary: fc.integer({ min: 1400, max: 1600 }).map((n) => new Uint8Array(n)) },
);
const on = pick(...INTERFACES);

const frame = fc
  .record({
    on,
    src: source,
    dst: destination,
    ttl: fc.oneof(
      { weight: 9, arbitrary: fc.constant(64) },
      { weight: 1, arbitrary: pick(0, 1, 2) },
    ),
    ip: fc.oneof(
      { weight: 12, arbitrary: fc.constant({}) },
      { weight: 1, arbitrary: pick({ fragment: 0x2000 }, { fragment: 5 }, { checksum: 0x1234 }) },
      { weight: 1, arbitrary: pick({ options: new Uint8Array(8).fill(1) }, { version: 6 }) },
      {
        weight: 1,
        arbitrary: pick({ totalLength: 19 }, { totalLength: 60_000 }, { protocol: 47 }),
      },
    ),
    eth: fc.oneof(
      { weight: 12, arbitrary: fc.constant({}) },
      { weight: 1, arbitrary: pick({ dst: 'ff:ff:ff:ff:ff:ff' }, { dst: PEER_MACS[0] }) },
      { weight: 1, arbitrary: pick({ type: 0x86dd }, { type: 0x8100 }) },
    ),
    pad: pick(0, 0, 0, 6),
    l4: fc.oneof(
      fc.record({
        kind: fc.constant('udp' as const),
        fields: fc.record({ src: port, dst: port, payload }),
        broken: fc.oneof(
          { weight: 8, arbitrary: fc.constant({}) },
          { weight: 2, arbitrary: pick({ checksum: 0 }, { length: 7 }, { length: 2000 }) },
        ),
      }),
      fc.record({
        kind: fc.constant('tcp' as const),
        fields: fc.record({
          src: port,
          dst: port,
          payload,
          flags: pick('S', 'S', 'SA', 'A', 'PA', 'FA', 'R', 'RA'),
        }),
        broken: fc.oneof(
          { weight: 8, arbitrary: fc.constant({}) },
          { weight: 1, arbitrary: pick({ dataOffset: 4 }, { dataOffset: 15 }) },
        ),
      }),
      fc.record({
        kind: fc.constant('icmp' as const),
        fields: fc.record({ type: pick(8, 8, 0, 3), code: pick(0, 0, 1), payload }),
        broken: fc.constant({}),
      }),
    ),
  })
  .map(({ on, src, dst, ttl, ip, eth, pad, l4 }) => {
    const builder = packet()
      .eth({ src: PEER_MACS[on], dst: MACS[on], ...eth })
      .ipv4({ src, dst, ttl, ...ip });
    const fields = { ...l4.fields, ...l4.broken };
    if (l4.kind === 'udp') builder.udp(fields as Parameters<typeof builder.udp>[0]);
    else if (l4.kind === 'tcp') builder.tcp(fields as Parameters<typeof builder.tcp>[0]);
    else builder.icmp(fields);
    return { on, frame: builder.pad(pad).build() };
  });

const arpFrame = fc
  .record({
    on,
    operation: pick(1, 1, 2, 2, 3),
    senderMac: pick(...PEER_MACS, 'ff:ff:ff:ff:ff:ff', '00:00:00:00:00:00'),
    sender: fc.oneof(pick(...CLIENTS, ...BACKENDS, GATEWAY), anyAddress),
    target: fc.oneof(pick(...OWN), anyAddress),
    broken: fc.oneof(
      { weight: 9, arbitrary: fc.constant({}) },
      { weight: 1, arbitrary: pick({ hardwareType: 6 }, { protocolLength: 16 }) },
    ),
    unicast: fc.boolean(),
  })
  .map(({ on, broken, unicast, ...fields }) => ({
    on,
    frame: arp({ ...fields, ...broken, src: PEER_MACS[on], ...(unicast ? { dst: MACS[on] } : {}) }),
  }));

/** A frame with bytes flipped or cut off. */
const mangled = fc
  .record({
    whole: fc.oneof(frame, arpFrame),
    flips: fc.array(fc.record({ at: fc.nat(60), bit: fc.nat(7) }), { maxLength: 3 }),
    cut: fc.option(fc.nat(64)),
  })
  .map(({ whole, flips, cut }) => {
    const bytes = whole.frame.slice(0, cut ?? undefined);
    for (const { at, bit } of flips) if (at < bytes.length) bytes[at] ^= 1 << bit;
    return { on: whole.on, frame: bytes };
  });

const anyFrame = fc.oneof(
  { weight: 12, arbitrary: frame },
  { weight: 4, arbitrary: arpFrame },
  { weight: 2, arbitrary: mangled },
);

// Slots of pools: 0..3; of frontends: one per service, port and protocol; of backends: by pool and row.
const backends = (pool: number): fc.Arbitrary<BackendLiteral[]> =>
  fc
    .uniqueArray(fc.tuple(pick(...BACKENDS, ...CLIENTS), pick(...BACKEND_PORTS)), {
      maxLength: 4,
      selector: ([address, port]) => `${address}:${port}`,
    })
    .chain((rows) =>
      fc.tuple(...rows.map(() => pick(1, 1, 1, 0, 3))).map((weights) =>
        rows.map(([address, port], row) => ({
          slot: pool * 4 + row,
          at: `${address}:${port}`,
          weight: weights[row],
        })),
      ),
    );

const FRONTENDS = SERVICES.flatMap((address, s) =>
  PORTS.flatMap((port, p) =>
    ['tcp', 'udp'].map((protocol, t) => ({
      at: `${address}:${port}/${protocol}`,
      slot: s * 4 + p * 2 + t,
    })),
  ),
);

const poolChange = pick(0, 1, 2, 3).chain((slot) =>
  backends(slot).map((rows) => ({ slot, backends: rows })),
);
const frontendChange = fc.record({ frontend: pick(...FRONTENDS), pool: pick(0, 1, 2, 3) });
const route = pick(
  { to: '10.2.0.0/16', over: 2, via: GATEWAY },
  { to: '10.2.0.2/32', over: 1, mac: '02:00:00:00:01:09' },
  { to: '0.0.0.0/0', over: 2, via: GATEWAY },
  { to: '10.1.0.3/32', over: 2, via: GATEWAY },
  { to: '10.2.0.0/24', over: 7, via: GATEWAY }, // no such interface: to be refused
);

/** A change of the program; now and then one that must be refused. */
const change: fc.Arbitrary<ProgramLiteral> = fc.record(
  {
    pools: fc.uniqueArray(poolChange, { maxLength: 2, selector: (pool) => pool.slot }),
    frontends: fc
      .uniqueArray(frontendChange, { maxLength: 2, selector: ({ frontend }) => frontend.slot })
      .map((rows) => rows.map(({ frontend, pool }) => ({ ...frontend, pool }))),
    removedFrontends: fc.array(pick(...FRONTENDS.map(({ slot }) => slot)), { maxLength: 1 }),
    removedPools: fc.array(pick(0, 1, 2, 3), { maxLength: 1 }),
    routes: fc.uniqueArray(route, { maxLength: 1, selector: ({ to }) => to }),
    removedRoutes: fc.array(pick('10.2.0.0/16', '10.2.0.2/32', '0.0.0.0/0'), { maxLength: 1 }),
  },
  { requiredKeys: [] },
);

/** The program that every run starts from: addresses, connected routes, all services on random pools. */
export const start: fc.Arbitrary<ProgramDelta> = fc
  .record({
    pools: fc.tuple(...[0, 1, 2, 3].map((slot) => backends(slot))),
    assignment: fc.tuple(...FRONTENDS.map(() => pick(0, 1, 2, 3))),
  })
  .map(({ pools, assignment }) =>
    delta({
      addresses: [
        { on: 0, address: '10.0.0.1/24' },
        { on: 1, address: '10.1.0.1/24' },
        { on: 2, address: '192.168.0.1/30' },
      ],
      routes: [
        { to: '10.0.0.0/24', over: 0 },
        { to: '10.1.0.0/24', over: 1 },
        { to: '192.168.0.0/30', over: 2 },
        { to: '10.2.0.0/16', over: 2, via: GATEWAY },
      ],
      pools: pools.map((rows, slot) => ({ slot, backends: rows })),
      frontends: FRONTENDS.map((frontend, i) => ({ ...frontend, pool: assignment[i] })),
    }),
  );

const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 12,
    arbitrary: fc
      .array(anyFrame, { minLength: 1, maxLength: 8 })
      .map((frames) => ({ kind: 'packets' as const, frames })),
  },
  { weight: 3, arbitrary: change.map((c) => ({ kind: 'commit' as const, delta: delta(c) })) },
  {
    weight: 3,
    arbitrary: pick(1, 500, 1000, 3000, 31_000, 61_000, 125_000, 90_000_000).map((forwardMs) => ({
      kind: 'clock' as const,
      forwardMs,
    })),
  },
  { weight: 1, arbitrary: fc.constant({ kind: 'interface' as const, slot: 2 }) },
);

/** What happens during one run. Every peer answers ARP first, so that packets get through. */
export const steps: fc.Arbitrary<Step[]> = fc
  .array(step, { minLength: 20, maxLength: 40 })
  .map((rest) => [{ kind: 'packets', frames: introductions() }, ...rest]);

function introductions(): { on: number; frame: Uint8Array }[] {
  const from = (on: number, sender: string, index: number) => ({
    on,
    frame: arp({ operation: 1, senderMac: PEER_MACS[index], sender, target: OWN[on] }),
  });
  return [
    from(0, CLIENTS[0], 0),
    from(1, BACKENDS[0], 1),
    from(1, BACKENDS[1], 1),
    from(2, GATEWAY, 2),
  ];
}
