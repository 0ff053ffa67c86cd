// SPDX-License-Identifier: Apache-2.0
import type { FlowState } from '../../lib/engine/engine.js';
import { addressText } from '../support/packets.js';
import {
  FAMILIES,
  type Family,
  fromClient,
  fromPod,
  NET,
  OF,
  tcp,
  tcpReply,
  udp,
  udpReply,
  V4,
} from './net.js';
import { contract, DISTINCT_TIMEOUTS, type Rig } from './rig.js';

/** `>S`: the client sends, `<SA`: the pod answers; letters are TCP flags or the name of a chunk. */
type Step = `${'>' | '<'}${string}`;

const LIVES: readonly {
  protocol: 'tcp' | 'udp' | 'sctp' | 'echo';
  state: FlowState;
  timeout: number;
  steps: readonly Step[];
}[] = [
  { protocol: 'udp', state: 'unreplied', timeout: 30, steps: ['>'] },
  { protocol: 'udp', state: 'unreplied', timeout: 30, steps: ['>', '>'] },
  { protocol: 'udp', state: 'established', timeout: 120, steps: ['>', '<'] },
  { protocol: 'echo', state: 'unreplied', timeout: 20, steps: ['>'] },
  { protocol: 'echo', state: 'established', timeout: 20, steps: ['>', '<'] },
  { protocol: 'tcp', state: 'unreplied', timeout: 60, steps: ['>S'] },
  { protocol: 'tcp', state: 'unreplied', timeout: 60, steps: ['>S', '>S', '>A'] },
  { protocol: 'tcp', state: 'syn-received', timeout: 45, steps: ['>S', '<SA'] },
  { protocol: 'tcp', state: 'established', timeout: 300, steps: ['>S', '<SA', '>A'] },
  { protocol: 'tcp', state: 'established', timeout: 300, steps: ['>PA', '<A'] },
  { protocol: 'tcp', state: 'close-wait', timeout: 100, steps: ['>S', '<SA', '>A', '<FA', '>A'] },
  { protocol: 'tcp', state: 'close-wait', timeout: 100, steps: ['>S', '>FA'] },
  { protocol: 'tcp', state: 'time-wait', timeout: 80, steps: ['>S', '<SA', '>FA', '<FA', '>A'] },
  { protocol: 'tcp', state: 'closed', timeout: 10, steps: ['>S', '<RA'] },
  { protocol: 'tcp', state: 'closed', timeout: 10, steps: ['>S', '<SA', '>A', '>FA', '<FA', '<R'] },
  { protocol: 'tcp', state: 'closed', timeout: 10, steps: ['>S', '<SA', '>A', '>R', '<A'] },
  { protocol: 'tcp', state: 'established', timeout: 300, steps: ['>S', '<SA', '>A', '>R', '>A'] },
  { protocol: 'tcp', state: 'established', timeout: 300, steps: ['>S', '<SA', '>A', '<RA', '<PA'] },
  { protocol: 'sctp', state: 'unreplied', timeout: 25, steps: ['>init'] },
  { protocol: 'sctp', state: 'syn-received', timeout: 25, steps: ['>init', '<initAck'] },
  {
    protocol: 'sctp',
    state: 'established',
    timeout: 200,
    steps: ['>init', '<initAck', '>cookieEcho', '<cookieAck'],
  },
  {
    protocol: 'sctp',
    state: 'close-wait',
    timeout: 15,
    steps: ['>init', '<initAck', '>data', '>shutdown'],
  },
  {
    protocol: 'sctp',
    state: 'time-wait',
    timeout: 15,
    steps: ['>init', '<initAck', '>data', '>shutdown', '<shutdownAck'],
  },
  { protocol: 'sctp', state: 'closed', timeout: 15, steps: ['>init', '<abort'] },
  {
    protocol: 'sctp',
    state: 'closed',
    timeout: 15,
    steps: ['>init', '<initAck', '>data', '>shutdown', '<shutdownAck', '>shutdownComplete'],
  },
];

function frameOf(family: Family, protocol: (typeof LIVES)[number]['protocol'], step: Step) {
  const forward = step[0] === '>';
  const word = step.slice(1);
  const builder = forward ? fromClient(family.service) : fromPod(family.client);
  const ports = (service: number, backend: number) =>
    forward ? { src: 40_000, dst: service } : { src: backend, dst: 40_000 };
  if (protocol === 'udp') return builder.udp(ports(53, 5353)).build();
  if (protocol === 'tcp') return builder.tcp({ ...ports(80, 8080), flags: word }).build();
  if (protocol === 'echo') return builder.icmpEcho({ reply: !forward }).build();
  return builder.sctp({ ...ports(70, 7000), chunk: word as 'init' }).build();
}

for (const family of FAMILIES) {
  for (const { protocol, state, timeout, steps } of LIVES) {
    contract(
      `${protocol} over ${family.name}, ${steps.join(' ')}: ${state}, ends after ${timeout} s`,
      async (rig) => {
        const { t } = rig;
        for (const step of steps) {
          const [into, out] = step[0] === '>' ? [0, 1] : [1, 0];
          rig.one(into, out, frameOf(family, protocol, step));
        }
        t.is((await rig.flow()).state, state);

        rig.wait(timeout, rig.sweepMs + 1);
        rig.sweep();
        t.is((await rig.flow()).idle, timeout - 1);
        t.is(occupied(rig), 1);
        rig.step(1);
        t.is((await rig.engine.flows(10)).length, 0);
        rig.sweep();
        t.is(occupied(rig), 0);
        t.is(rig.counter('flowsExpired'), 1);
      },
      { timeouts: DISTINCT_TIMEOUTS },
    );
  }
}

function occupied(rig: Rig): number {
  const { flows, flows6 } = rig.engine.occupancy();
  return flows + flows6;
}

for (const family of FAMILIES) {
  contract(`a flow record says what has passed, ${family.name}`, async (rig) => {
    const { t } = rig;
    const header = family.name === 'IPv4' ? 28 : 48;
    rig.pass(0, 1, udp(40_000, 'abc', family.service));
    rig.pass(0, 1, udp(40_000, 'abcd', family.service));
    rig.pass(1, 0, udpReply(40_000, family.client));
    rig.step(2_500);
    const { client, service, backend, source, ...rest } = await rig.flow();
    for (const address of [client, service, backend, source]) t.is(address.length, 16);
    t.deepEqual([client, service, backend, source].map(addressText), [
      family.client,
      family.service,
      family.pod,
      family.client,
    ]);
    t.deepEqual(rest, {
      protocol: 17,
      clientPort: 40_000,
      servicePort: 53,
      backendPort: 5353,
      sourcePort: 40_000,
      backendSlot: OF.udp + (family.name === 'IPv4' ? 0 : 10),
      state: 'established',
      idle: 2,
      packets: 2,
      bytes: 2 * header + 7,
      replyPackets: 1,
      replyBytes: header + 6,
    });
  });

  contract(`an expired entry that was not swept yet is a miss, ${family.name}`, (rig) => {
    const { t } = rig;
    rig.pass(0, 1, udp(1, 'x', family.service));
    rig.send(0, udp(1, 'x', family.service));
    rig.step(31_000);
    t.is(rig.counter('flowsCreated'), 2);
    t.is(rig.counter('flowsExpired'), 1);
    t.is(occupied(rig), 1);
  });

  contract(`an expired reply entry makes way, ${family.name}`, (rig) => {
    const { t } = rig;
    rig.pass(0, 1, udp(1, 'x', family.service));
    rig.send(1, udpReply(1, family.client));
    rig.step(31_000);
    // Nothing knows it as a reply any more: routed as it is.
    t.deepEqual(
      rig.receive(0).map((frame) => frame.length > 0),
      [true],
    );
    t.is(rig.counter('flowsExpired'), 1);
    t.is(rig.counter('forwarded'), 2);
  });
}

contract('flows() gives as many as were asked for, of both families', async (rig) => {
  rig.pass(0, 1, udp(1), udp(2), udp(3, 'x', FAMILIES[1].service));
  rig.t.is((await rig.engine.flows(2)).length, 2);
  rig.t.is((await rig.engine.flows(100)).length, 3);
});

contract(
  'a pair that was freed is free in the next poll, not before',
  (rig) => {
    const { t } = rig;
    rig.pass(0, 1, udp(1));
    // Interface 0 finds the entry expired and no other is free; the one after finds it free.
    rig.send(0, udp(1));
    rig.step(31_000);
    t.deepEqual(rig.drops(), { flow_table_full: 1 });
    t.is(rig.pass(0, 1, udp(1)).length, 1);
  },
  { flows: 1 },
);

for (const [state, steps] of [
  ['closed', ['>S', '<RA']],
  ['time-wait', ['>S', '<SA', '>FA', '<FA']],
] as const) {
  contract(`a SYN on a connection that is ${state} begins a new one`, async (rig) => {
    const { t } = rig;
    const send = (step: Step) =>
      rig.one(step[0] === '>' ? 0 : 1, step[0] === '>' ? 1 : 0, frameOf(V4, 'tcp', step));
    steps.forEach(send);
    t.is((await rig.flow()).state, state);
    // Other packets still belong to the old one, the endpoint's SYN too.
    send('>A');
    send('<SA');
    t.is(rig.counter('flowsCreated'), 1);
    send('>S');
    t.is(rig.counter('flowsCreated'), 2);
    t.is(rig.counter('flowsExpired'), 0);
    t.is(rig.counter('flowsCleared'), 0);
    t.is((await rig.flow()).state, 'unreplied');
    t.is(occupied(rig), 1);
  });
}

contract('a SYN on a half-closed connection stays with it', (rig) => {
  rig.pass(0, 1, tcp('S'));
  rig.pass(1, 0, tcpReply('SA'));
  rig.pass(1, 0, tcpReply('FA'));
  rig.pass(0, 1, tcp('S'));
  rig.t.is(rig.counter('flowsCreated'), 1);
});

contract('a repeated SYN stays with its connection', (rig) => {
  rig.pass(0, 1, tcp('S'), tcp('S'));
  rig.t.is(rig.counter('flowsCreated'), 1);
});

contract('RST and FIN of a known connection pass', (rig) => {
  rig.pass(0, 1, tcp('S'));
  rig.t.is(rig.pass(0, 1, tcp('FA'), tcp('R')).length, 2);
});

contract(
  'without pick-up only what opens a connection makes a flow',
  (rig) => {
    const { t } = rig;
    for (const flags of ['A', 'PA', 'SA']) rig.pass(0, 1, tcp(flags));
    const sctp = (chunk: 'data' | 'init') =>
      fromClient(NET.service).sctp({ src: 9, dst: 70, chunk }).build();
    rig.pass(0, 1, sctp('data'));
    t.deepEqual(rig.drops(), { tcp_no_flow: 4 });
    t.is(rig.counter('flowsCreated'), 0);
    rig.one(0, 1, tcp('S'));
    rig.one(0, 1, sctp('init'));
    rig.one(0, 1, tcp('A'));
    t.is(rig.counter('flowsCreated'), 2);
  },
  { tcpPickup: false },
);

contract('with pick-up a connection is joined midway', async (rig) => {
  const { t } = rig;
  t.is(rig.one(0, 1, tcp('PA')).tcp?.dst, 8080);
  rig.one(1, 0, tcpReply('A'));
  t.is((await rig.flow()).state, 'established');
});
