// SPDX-License-Identifier: Apache-2.0
import type { FlowRecord, FlowState, FlowTimeouts } from '../../lib/engine/engine.js';
import { ipText, read } from '../support/packets.js';
import { contract, NET, type Rig, tcp, tcpReply, udp, udpReply } from './rig.js';

const TIMEOUTS: FlowTimeouts = {
  tcpUnreplied: 60,
  tcpEstablished: 300,
  tcpCloseWait: 100,
  tcpClosed: 10,
  udpUnreplied: 30,
  udpStream: 120,
};

type Step = readonly [into: 0 | 1, frame: Uint8Array];

const LIVES: readonly {
  title: string;
  state: FlowState;
  timeout: number;
  steps: readonly Step[];
}[] = [
  { title: 'UDP, one side', state: 'unreplied', timeout: 30, steps: [[0, udp()]] },
  {
    title: 'UDP, both sides',
    state: 'established',
    timeout: 120,
    steps: [
      [0, udp()],
      [1, udpReply()],
    ],
  },
  { title: 'TCP, one side', state: 'unreplied', timeout: 60, steps: [[0, tcp('S')]] },
  {
    title: 'TCP, both sides',
    state: 'established',
    timeout: 300,
    steps: [
      [0, tcp('S')],
      [1, tcpReply('SA')],
    ],
  },
  {
    title: 'TCP, one FIN',
    state: 'close-wait',
    timeout: 100,
    steps: [
      [0, tcp('S')],
      [1, tcpReply('SA')],
      [1, tcpReply('FA')],
      [0, tcp('A')],
    ],
  },
  {
    title: 'TCP, both FIN',
    state: 'closed',
    timeout: 10,
    steps: [
      [0, tcp('S')],
      [1, tcpReply('SA')],
      [0, tcp('FA')],
      [1, tcpReply('FA')],
    ],
  },
  {
    title: 'TCP, RST',
    state: 'closed',
    timeout: 10,
    steps: [
      [0, tcp('S')],
      [1, tcpReply('RA')],
    ],
  },
];

/** Polls until the sweep has seen every pair once. */
function sweep(rig: Rig): void {
  for (let pairs = 0; pairs < 1_024; pairs += 64) rig.step(0);
}

async function only(rig: Rig): Promise<FlowRecord> {
  const flows = await rig.engine.flows(10);
  rig.t.is(flows.length, 1);
  return flows[0];
}

for (const { title, state, timeout, steps } of LIVES) {
  contract(
    `${title}: ${state}, ends after ${timeout} s`,
    async (rig) => {
      const { t } = rig;
      for (const [into, frame] of steps) t.is(rig.pass(into, into === 0 ? 1 : 0, frame).length, 1);
      t.is((await only(rig)).state, state);

      const second = Math.floor(rig.now / 1_000);
      rig.step((second + timeout) * 1_000 - 1 - rig.now);
      sweep(rig);
      t.is((await only(rig)).idle, timeout - 1);
      t.is(rig.engine.flowCount(), 1);
      rig.step(1);
      t.is((await rig.engine.flows(10)).length, 0);
      sweep(rig);
      t.is(rig.engine.flowCount(), 0);
      t.is(rig.counter('flowsExpired'), 1);
    },
    { timeouts: TIMEOUTS },
  );
}

contract('a flow record says what has passed', async (rig) => {
  const { t } = rig;
  rig.pass(0, 1, udp(40_000, 'abc'));
  rig.pass(0, 1, udp(40_000, 'abcd'));
  rig.pass(1, 0, udpReply());
  rig.step(2_500);
  const { client, service, backend, ...rest } = await only(rig);
  t.deepEqual(
    [client, service, backend].map((address) => ipText(address, 12)),
    [NET.client.address, NET.service, NET.pod.address],
  );
  for (const address of [client, service, backend]) t.is(address.length, 16);
  t.deepEqual(rest, {
    protocol: 17,
    clientPort: 40_000,
    servicePort: 53,
    backendPort: 5353,
    backendSlot: 1,
    state: 'established',
    idle: 2,
    packets: 2,
    bytes: 31 + 32,
    replyPackets: 1,
    replyBytes: 34,
  });
});

contract('flows() gives as many as were asked for', async (rig) => {
  rig.pass(0, 1, udp(1), udp(2), udp(3));
  rig.t.is((await rig.engine.flows(2)).length, 2);
  rig.t.is((await rig.engine.flows(100)).length, 3);
});

contract('an expired entry that was not swept yet is a miss', (rig) => {
  const { t } = rig;
  rig.pass(0, 1, udp());
  rig.send(0, udp());
  rig.step(31_000);
  t.is(rig.counter('flowsCreated'), 2);
  t.is(rig.counter('flowsExpired'), 1);
  t.is(rig.engine.flowCount(), 1);
});

contract('an expired reply entry makes way', (rig) => {
  const { t } = rig;
  rig.pass(0, 1, udp());
  rig.send(1, udpReply());
  rig.step(31_000);
  // Nothing knows it as a reply any more: routed as it is.
  t.is(read(rig.receive(0)[0]).ipv4?.src, NET.pod.address);
  t.is(rig.counter('flowsExpired'), 1);
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

contract('UDP of a dead backend goes to another, TCP stays until it ends', async (rig) => {
  const { t } = rig;
  rig.pass(0, 1, udp(), tcp('S'));
  rig.pass(1, 0, tcpReply('SA'));
  await rig.commit({
    pools: [
      { slot: 0, backends: [{ slot: 10, at: '10.1.0.3:8081' }] },
      { slot: 1, backends: [{ slot: 11, at: '10.1.0.3:5354' }] },
    ],
  });
  const [moved, stays] = rig.pass(0, 1, udp(), tcp('PA')).map(read);
  t.is(moved.ipv4?.dst, '10.1.0.3');
  t.is(moved.udp?.dst, 5354);
  t.is(stays.ipv4?.dst, NET.pod.address);
  t.is(read(rig.pass(1, 0, tcpReply('A'))[0]).ipv4?.src, NET.service);
  const [again] = rig.pass(0, 1, tcp('S')).map(read);
  t.is(again.ipv4?.dst, '10.1.0.3');
  t.is(rig.counter('flowsCreated'), 4);
  t.is(rig.counter('flowsExpired'), 0);
  t.is(rig.engine.flowCount(), 2);
});

contract('a draining backend keeps what it has and gets nothing new', async (rig) => {
  const { t } = rig;
  rig.pass(0, 1, udp(1));
  await rig.commit({
    pools: [
      {
        slot: 1,
        backends: [
          { slot: 1, at: '10.1.0.2:5353', weight: 0 },
          { slot: 2, at: '10.1.0.4:5353' },
        ],
      },
      { slot: 2, backends: [] },
    ],
  });
  const [old, young] = rig.pass(0, 1, udp(1), udp(2)).map(read);
  t.is(old.ipv4?.dst, '10.1.0.2');
  t.is(young.ipv4?.dst, '10.1.0.4');
});

contract('a flow outlives the frontend that it came by', async (rig) => {
  const { t } = rig;
  rig.pass(0, 1, udp());
  await rig.commit({ removedFrontends: [1] });
  t.is(read(rig.pass(0, 1, udp())[0]).ipv4?.dst, NET.pod.address);
  rig.pass(0, 1, udp(2));
  t.deepEqual(rig.drops(), { service_port_unknown: 1 });
});

contract('a SYN on a closed connection begins a new one', (rig) => {
  const { t } = rig;
  rig.pass(0, 1, tcp('S'));
  rig.pass(1, 0, tcpReply('RA'));
  // Other packets still belong to the old one.
  rig.pass(0, 1, tcp('A'));
  t.is(rig.counter('flowsCreated'), 1);
  t.is(rig.pass(0, 1, tcp('S')).length, 1);
  t.is(rig.counter('flowsCreated'), 2);
  t.is(rig.counter('flowsExpired'), 0);
  t.is(rig.engine.flowCount(), 1);
});

contract('a repeated SYN stays with its connection', (rig) => {
  rig.pass(0, 1, tcp('S'), tcp('S'));
  rig.t.is(rig.counter('flowsCreated'), 1);
});

contract('RST and FIN of a known connection pass', (rig) => {
  rig.pass(0, 1, tcp('S'));
  rig.t.is(rig.pass(0, 1, tcp('FA'), tcp('R')).length, 2);
});
