// SPDX-License-Identifier: Apache-2.0
import type { Bench } from '../rig/bench.js';
import type { Case, Point } from '../rig/case.js';
import { memoryOf, moreMemory } from '../rig/memory.js';
import { type Family, population, type Services } from '../rig/network.js';
import { TABLE_LOAD, tableSize, WINDOW } from '../rig/sizes.js';
import type { Run } from '../rig/traffic.js';

interface RatePoint extends Point {
  kind: 'rate';
  protocol: 'udp' | 'tcp';
  run: Run;
}
interface MemoryPoint extends Point {
  kind: 'memory';
  family: Family;
}
type SetupPoint = RatePoint | MemoryPoint;

type Key = 'connections' | 'forward' | 'ratio' | 'clocks' | 'bytes';

const FORWARD_FLOWS = 1_000_000;
/** Connections of the table whose memory is asked for. */
const TABLE = 2 ** 20;
const SMALLEST_TABLE = 16;
const SERVICES: Services = { count: 1_000, each: 3, families: [4], protocols: ['udp', 'tcp'] };

export const setup: Case<SetupPoint, Key> = {
  name: 'setup',
  title: 'New connections',
  measures:
    'Connections a second that are opened through one worker, as a share of the packets a second on 1M flows that exist (`forward`), measured in turn. UDP: every packet is the first of its flow; the table is full after a while, and each new flow takes the place of an older one. TCP: from SYN to the last ACK, 7 packets a connection; TIME_WAIT is cut to a second, so that places come back. Clocks are per packet, outside the drivers. Memory: address space (or hugepages) that a table of 2^20 connections adds to the process, by 75 % of its connections.',
  figures: {
    connections: { title: 'connections', unit: 'M/s' },
    forward: { title: 'forward, 1M flows', unit: 'Mpps' },
    ratio: { title: 'of forward', unit: '' },
    clocks: { title: 'clocks', unit: '' },
    bytes: { title: 'memory a connection', unit: 'B' },
  },
  panels: [
    { title: 'New connections', figures: ['connections'] },
    { title: 'New connections, of the packets forwarded on 1M flows', figures: ['ratio'] },
    { title: 'Memory a connection at 75 % load', figures: ['bytes'] },
  ],
  points: ({ quick }) => [
    opening('UDP', 'udp', { kind: 'setup-udp', window: WINDOW }),
    opening('TCP', 'tcp', { kind: 'setup-tcp', window: WINDOW, data: false }),
    ...(quick
      ? []
      : [opening('TCP with data', 'tcp', { kind: 'setup-tcp', window: WINDOW, data: true })]),
    { kind: 'memory', group: 'memory', label: 'IPv4', family: 4 },
    { kind: 'memory', group: 'memory', label: 'IPv6', family: 6 },
  ],
  round: (point, bench) => (point.kind === 'rate' ? rate(point, bench) : memory(point, bench)),
};

function opening(label: string, protocol: RatePoint['protocol'], run: Run): RatePoint {
  return { kind: 'rate', group: 'new connections', label, protocol, run };
}

async function rate({ protocol, run }: RatePoint, bench: Bench) {
  const flows = tableSize(FORWARD_FLOWS);
  // Two proxies: what `setup` leaves behind must not fill the table that `forward` uses.
  const opening = await bench.sluice({
    ...{ wire: 'memif', services: SERVICES },
    options: { flows, timeouts: { tcpTimeWait: 1 } },
  });
  const forwarding = await bench.sluice({
    ...{ wire: 'memif', services: SERVICES, options: { flows } },
  });
  const clients = bench.nextClients();
  const opened = await bench.throughSluice(opening, {
    population: population(SERVICES, 4_000_000, { protocol, clients }),
    run,
  });
  const forward = await bench.throughSluice(forwarding, {
    population: population(SERVICES, FORWARD_FLOWS),
    run: { kind: 'throughput', directions: 'both', window: WINDOW },
  });
  const connections = opened.outcome.connections / opened.outcome.seconds / 1e6;
  return {
    ...{ connections, forward: forward.mpps, ratio: connections / forward.mpps },
    clocks: opened.clocks,
  };
}

async function memory({ family }: MemoryPoint, bench: Bench) {
  const limit = family === 4 ? 'flows' : 'flows6';
  const start = (connections: number) =>
    bench.sluice({
      wire: 'memif',
      services: { ...SERVICES, count: 1 },
      options: { flows: SMALLEST_TABLE, flows6: SMALLEST_TABLE, [limit]: connections },
    });
  const small = await start(SMALLEST_TABLE);
  const large = await start(TABLE);
  const more = moreMemory(memoryOf(large.pid), memoryOf(small.pid));
  return { bytes: more / (TABLE_LOAD * TABLE) };
}
