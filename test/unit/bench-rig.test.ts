// SPDX-License-Identifier: Apache-2.0
import test from 'ava';
import { clocksOf, countFaults, outcomeFaults } from '../../benchmarks/rig/measure.js';
import { moreMemory } from '../../benchmarks/rig/memory.js';
import {
  addressAt,
  population,
  type Services,
  serviceModel,
} from '../../benchmarks/rig/network.js';
import { tableSize } from '../../benchmarks/rig/sizes.js';
import type { Counts } from '../../benchmarks/rig/sluice-messages.js';
import { testpmdArguments } from '../../benchmarks/rig/testpmd.js';
import type { Outcome } from '../../benchmarks/rig/traffic.js';
import { checkServices } from '../../lib/model/check-service.js';

const SERVICES: Services = { count: 300, each: 3, families: [4, 6], protocols: ['udp', 'tcp'] };

const COUNTS: Counts = {
  ...{ rx: 100, forwarded: 98, fates: 100, dropped: 2, drops: { no_route: 2 } },
  ...{ cycles: 5_000, flows: 1, flowsCreated: 1 },
};

const OUTCOME: Outcome = {
  ...{ seconds: 1, sent: 100, received: 100, packetsPerSecond: 100, lost: 0, checked: 10 },
  wrong: { checksum: 0, backend: 0, moved: 0, other: 0 },
  ...{ connections: 0, failed: 0, flows: 0, datagrams: 0, latency: null, shares: [] },
  generator: { busy: 0.5, clocksPerPacket: 50 },
};

test('addresses are counted on in either family', (t) => {
  t.is(addressAt('10.16.0.0', 0), '10.16.0.0');
  t.is(addressAt('10.16.255.255', 1), '10.17.0.0');
  t.is(addressAt('172.16.0.0', 300_000), '172.20.147.224');
  t.is(addressAt('fd00:96::', 65_536), 'fd00:96::1:0');
});

test('the services that Sluice gets are those that the generator talks to', (t) => {
  const services = checkServices(serviceModel(SERVICES), 'services');
  t.is(services.length, SERVICES.count);
  const last = serviceModel(SERVICES).at(-1)!;
  for (const [at, family] of SERVICES.families.entries()) {
    const { services: wanted, backends } = population(SERVICES, 1, { family });
    t.is(last.addresses[at], addressAt(wanted.base, SERVICES.count - 1));
    const addresses = last.ports[0]!.backends.map(({ address }) => address);
    t.true(addresses.includes(addressAt(backends.base, SERVICES.count * SERVICES.each - 1)));
    t.is(last.ports[0]!.port, wanted.port);
    t.is(last.ports[0]!.backends[0]!.port, backends.port);
  }
});

test('sets of clients do not overlap, until they are used again', (t) => {
  const first = (clients: number): string => population(SERVICES, 1, { clients }).clients;
  t.deepEqual([0, 1, 15, 16].map(first), ['10.16.0.0', '10.17.0.0', '10.31.0.0', '10.16.0.0']);
});

test('a flow table is never smaller than by default, nor fuller than 75 %', (t) => {
  t.is(tableSize(1), 131_072);
  t.is(tableSize(3_000_000), 4_000_000);
});

test('testpmd gets the rings, bursts and CPU that Sluice has', (t) => {
  const line = testpmdArguments('5tswap', 'memif', '/tmp/x', [0, 1]).join(' ');
  t.regex(line, /--lcores 0@\(0,1\),1@1 /);
  t.regex(line, /net_memif1,role=server,id=0,socket=\/tmp\/x\/backends\.sock/);
  t.regex(line, /--forward-mode=5tswap .*--burst=64 --rxd=1024 --txd=1024/);
  const vhost = testpmdArguments('io', 'vhost-user', '/tmp/x', [0, 1]).join(' ');
  t.regex(vhost, /net_vhost0,iface=\/tmp\/x\/clients\.sock,queues=1,client=0/);
});

test('what the generator saw wrong is said', (t) => {
  t.deepEqual(outcomeFaults(OUTCOME), []);
  const wrong = { ...OUTCOME.wrong, backend: 3 };
  t.deepEqual(outcomeFaults({ ...OUTCOME, wrong, lost: 7, failed: 2 }), [
    '3 of 10 packets were wrong: backend',
    '7 packets that were counted as sent did not come back',
    '2 connections were not through in time',
  ]);
  t.deepEqual(outcomeFaults({ ...OUTCOME, received: 0 }), ['nothing came back']);
  t.deepEqual(outcomeFaults({ ...OUTCOME, lost: 7 }, true), [], 'paced traffic may be lost');
});

test('what Sluice counted wrong is said: drops of this run, and packets without a fate', (t) => {
  t.deepEqual(countFaults(COUNTS, COUNTS), []);
  const later = { ...COUNTS, rx: 200, fates: 199, drops: { no_route: 2, tx_full: 5 } };
  t.deepEqual(countFaults(COUNTS, later), [
    'dropped 5 packets: tx_full',
    'received 200, fates of 199',
  ]);
  t.deepEqual(countFaults(COUNTS, later, true), ['received 200, fates of 199'], 'paced traffic');
});

test('clocks are those between the looks', (t) => {
  const looks = [
    { rx: 200, cycles: 14_000 },
    { rx: 250, cycles: 16_500 },
    { rx: 300, cycles: 18_000 },
  ];
  t.is(clocksOf(looks), 40);
  t.is(clocksOf(looks.slice(0, 1)), Number.NaN);
  t.is(clocksOf([]), Number.NaN);
});

test('more memory is in the one kind or in the other', (t) => {
  t.is(moreMemory({ virtual: 500, huge: 2 }, { virtual: 100, huge: 2 }), 400);
  t.is(moreMemory({ virtual: 100, huge: 300 }, { virtual: 100, huge: 0 }), 300);
});
