// SPDX-License-Identifier: Apache-2.0
import type { EngineOptions, FlowState } from '../../lib/engine/engine.js';
import { addressText, fragments, macText, read } from '../support/packets.js';
import type { HopLiteral } from '../support/program.js';
import {
  FAMILIES,
  type Family,
  FIRST,
  fromClient,
  fromPod,
  memory,
  NET,
  OF,
  PROGRAM,
  tcp,
  udp,
  V4,
  V6,
} from './net.js';
import { policed, verdict } from './policing.js';
import { contract, type Rig, timeouts } from './rig.js';

/** Interfaces 2 and 3 lead to two servers that hold the services' addresses. */
const SERVERS = [2, 3] as const;
const GROUP = { 2: 2, 3: 3 } as const;
const serverMac = (slot: number) => `02:00:00:00:02:0${slot}`;

const hop = (slot: number, more: Partial<HopLiteral> = {}): HopLiteral => ({
  over: slot,
  mac: serverMac(slot),
  ...more,
});

const KINDS = ['tcp', 'udp', 'sctp', 'echo'] as const;
const backendSlots = ({ name }: Family) => KINDS.map((kind) => FIRST[name] + OF[kind]);

/** Packets go to the family's backends as they came, by the group of `server`. */
function through(family: Family, server: 2 | 3 | null, address = family.pod) {
  const ports = [8080, 5353, 7000, undefined];
  return {
    backends: backendSlots(family).map((slot, n) => ({
      slot,
      at: family.at(address, ports[n]),
      ...(server !== null && { group: GROUP[server] }),
    })),
  };
}

function oneWay(
  title: string,
  body: (rig: Rig, family: Family) => Promise<void> | void,
  options: Partial<EngineOptions> = {},
): void {
  for (const family of FAMILIES) {
    contract(
      `${title}, ${family.name}`,
      async (rig) => {
        for (const slot of SERVERS) await rig.engine.addInterface(memory(slot));
        await rig.commit({
          groups: SERVERS.map((slot) => ({ slot: GROUP[slot], hops: [hop(slot)] })),
          ...through(family, 2),
        });
        await body(rig, family);
      },
      options,
    );
  }
}

const FRAMES: Record<(typeof KINDS)[number], (family: Family) => Uint8Array> = {
  tcp: ({ service }) => tcp('S', 40_000, service),
  udp: ({ service }) => udp(40_000, 'q', service),
  sctp: ({ service }) => fromClient(service).sctp({ src: 5, dst: 70, chunk: 'init' }).build(),
  echo: ({ service }) => fromClient(service).icmpEcho({ id: 9 }).build(),
};

oneWay('packets go to the backend as they came', (rig, family) => {
  const { t } = rig;
  const { service, name } = family;
  const all = [
    ...KINDS.map((kind) => FRAMES[kind](family)),
    ...KINDS.map((kind) => FRAMES[kind](family)),
    ...fragments(udp(7, 'x'.repeat(60), service), [24, 48]),
  ];
  const l4 = name === 'IPv4' ? 26 : 22;
  for (const frame of all) {
    const [out] = rig.pass(0, 2, frame);
    const { eth, ip } = read(out);
    t.deepEqual([eth.dst, ip?.dst, ip?.ttl], [serverMac(2), service, 63]);
    t.deepEqual(out.slice(l4), frame.slice(l4), 'addresses, ports and checksums');
  }
  t.deepEqual(rig.receive(1), []);
  t.is(rig.counter('flowsCreated'), 5);
  t.is(rig.counter('masqueraded'), 0);
});

oneWay('the flow says the service, and its backend', async (rig, family) => {
  const { t } = rig;
  rig.pass(0, 2, tcp('S', 40_000, family.service));
  const { service, backend, source, backendSlot } = await rig.flow();
  const texts = [service, backend, source].map(addressText);
  t.deepEqual(texts, [family.service, family.service, family.client]);
  t.is(backendSlot, FIRST[family.name] + OF.tcp);
  t.is(rig.connections(FIRST[family.name] + OF.tcp), 1);
});

const STATES: readonly [string, FlowState][] = [
  ['S', 'syn-received'],
  ['S A', 'established'],
  ['A', 'established'],
  ['S A FA', 'time-wait'],
  ['S A R', 'closed'],
];

for (const [flags, state] of STATES) {
  oneWay(`after ${flags} of the client a connection is ${state}`, async (rig, { service }) => {
    for (const each of flags.split(' ')) rig.pass(0, 2, tcp(each, 40_000, service));
    rig.t.is((await rig.flow()).state, state);
  });
}

oneWay(
  'what its server sends by us passes as it is, and only a reset counts',
  async (rig, family) => {
    const { t } = rig;
    const { service, client } = family;
    rig.pass(0, 2, tcp('S', 40_000, service));
    rig.pass(0, 2, tcp('A', 40_000, service));
    const answer = (flags: string) =>
      fromPod(client, service).tcp({ src: 80, dst: 40_000, flags }).build();
    t.like(rig.one(1, 0, answer('FA')).ip, { src: service, dst: client });
    t.is((await rig.flow()).state, 'established');
    rig.one(1, 0, answer('R'));
    t.is((await rig.flow()).state, 'closed');
  },
);

oneWay('UDP and echo are established at once', async (rig, family) => {
  const { t } = rig;
  rig.pass(0, 2, FRAMES.udp(family), FRAMES.echo(family));
  const flows = await rig.engine.flows(9);
  t.deepEqual(
    flows.map(({ state }) => state),
    ['established', 'established'],
  );
});

oneWay(
  'silence ends a connection after the time of its state',
  async (rig, family) => {
    const { t } = rig;
    const { service } = family;
    rig.pass(0, 2, tcp('S', 1, service), tcp('A', 2, service), udp(3, 'x', service));
    const ports = async () => (await rig.engine.flows(9)).map((flow) => flow.clientPort).toSorted();
    rig.wait(20);
    t.deepEqual(await ports(), [2, 3]);
    rig.wait(20);
    t.deepEqual(await ports(), [2]);
    rig.wait(20);
    t.deepEqual(await ports(), []);
  },
  {
    timeouts: timeouts({
      tcpUnreplied: 5,
      tcpSynReceived: 15,
      udpUnreplied: 5,
      udpStream: 30,
      tcpEstablished: 50,
    }),
  },
);

oneWay('a backend that drains keeps its connections', async (rig, family) => {
  const { t } = rig;
  const slot = FIRST[family.name] + OF.tcp;
  rig.pass(0, 2, tcp('S', 1, family.service), tcp('A', 1, family.service));
  await rig.commit({ pools: [{ slot, members: [{ backend: slot, weight: 0 }] }] });
  t.is(rig.pass(0, 2, tcp('A', 1, family.service)).length, 1);
  t.is(rig.pass(0, 2, tcp('S', 2, family.service)).length, 0);
  t.deepEqual(rig.drops(), { no_backend: 1 });
  rig.receive(0);
});

oneWay('the connections of a backend that is gone go to another one', async (rig, family) => {
  const { t } = rig;
  const { name, service, at, podAt } = family;
  const slot = FIRST[name] + OF.tcp;
  rig.pass(0, 2, tcp('S', 1, service), tcp('A', 1, service));
  await rig.commit({
    backends: [{ slot: slot + 100, at: at(podAt(77), 8080), group: GROUP[3] }],
    pools: [{ slot, members: [{ backend: slot + 100 }] }],
    removedBackends: [slot],
  });
  const [out] = rig.read(0, 3, tcp('A', 1, service));
  t.deepEqual([out.eth.dst, out.ip?.dst], [serverMac(3), service]);
  t.is(rig.counter('flowsCleared'), 1);
  t.is(rig.connections(slot + 100), 1);
});

oneWay(
  'they are refused where connections are not picked up',
  async (rig, { name, service, at, podAt }) => {
    const slot = FIRST[name] + OF.tcp;
    rig.pass(0, 2, tcp('S', 1, service), tcp('A', 1, service));
    await rig.commit({
      backends: [{ slot: slot + 100, at: at(podAt(77), 8080), group: GROUP[3] }],
      pools: [{ slot, members: [{ backend: slot + 100 }] }],
      removedBackends: [slot],
    });
    rig.pass(0, 3, tcp('A', 1, service));
    rig.t.deepEqual(rig.drops(), { tcp_no_flow: 1 });
  },
  { tcpPickup: false },
);

oneWay(
  'connections follow their backend to another group, and its next hops',
  async (rig, family) => {
    const { t } = rig;
    const { service } = family;
    const ask = () => udp(1, 'x', service);
    for (let n = 0; n < 3; n++) t.is(rig.pass(0, 2, ask()).length, 1);
    await rig.commit(through(family, 3));
    for (let n = 0; n < 3; n++) t.is(rig.pass(0, 3, ask()).length, 1, 'another group');
    await rig.commit({ groups: [{ slot: GROUP[3], hops: [hop(2)] }] });
    for (let n = 0; n < 3; n++) t.is(rig.pass(0, 2, ask()).length, 1, 'another next hop');
    t.is(rig.counter('flowsCreated'), 1);
  },
);

oneWay(
  'a backend that has no group any more has no way for its connections',
  async (rig, family) => {
    const { t } = rig;
    const { service, pod } = family;
    rig.pass(0, 2, udp(1, 'x', service));
    await rig.commit(through(family, null));
    rig.pass(0, 2, udp(1, 'x', service));
    t.deepEqual(rig.drops(), { no_route: 1 });
    rig.receive(0);
    t.is(rig.one(0, 1, udp(2, 'x', service)).ip?.dst, pod, 'new ones are addressed to it');
  },
);

oneWay('an interface that goes takes the group along', async (rig, family) => {
  const { t } = rig;
  rig.pass(0, 2, udp(1, 'x', family.service));
  await rig.engine.setLink(2, false);
  rig.pass(0, 2, udp(1, 'x', family.service));
  t.deepEqual(rig.drops(), { interface_down: 1 });
  await rig.engine.removeInterface(2);
  for (const port of [1, 2]) rig.pass(0, 3, udp(port, 'x', family.service));
  t.deepEqual(rig.drops(), { interface_down: 1, no_route: 2 });
  await rig.commit({ groups: [{ slot: GROUP[2], hops: [hop(3)] }] });
  for (const port of [1, 2]) t.is(rig.pass(0, 3, udp(port, 'x', family.service)).length, 1);
  rig.receive(0);
});

oneWay('neither masquerade nor hairpin changes the source', async (rig, family) => {
  const { t } = rig;
  const { name, service, client } = family;
  const slot = FIRST[name] + OF.udp;
  await rig.commit({
    ...through(family, 2, client),
    frontends: (PROGRAM.frontends ?? [])
      .filter((frontend) => frontend.slot === slot)
      .map((frontend) => ({ ...frontend, masquerade: 'pod,node,outside' })),
  });
  t.is(rig.one(0, 2, udp(1, 'x', service)).ip?.src, client);
});

oneWay('an answer’s tuple that is taken is no other port’s to be', async (rig, family) => {
  const { t } = rig;
  const { service, client } = family;
  await rig.commit({ ...policed(family, {}) });
  await rig.commit({ identities: [], podNetworks: [] });
  const twin = fromClient(service, { src: service }).udp({ src: 53, dst: 53 }).build();
  rig.pass(0, 2, twin);
  t.deepEqual(rig.drops(), { snat_ports_exhausted: 1 }, 'its answer would be itself');
  t.is(rig.pass(0, 2, udp(1, 'x', service)).length, 1);
  t.is(addressText((await rig.flow()).client), client);
});

oneWay('policy is asked about the service’s address', async (rig, family) => {
  const { t } = rig;
  const { service, client } = family;
  await rig.commit({
    ruleSets: [{ slot: 7, rules: ['deny @9'] }],
    identities: [
      { slot: 7, ingress: 7, selectors: [8], networks: [service] },
      { slot: 8, selectors: [9], networks: [client] },
    ],
  });
  t.is(verdict(rig, 0, udp(1, 'x', service)), 'policy_denied_ingress');
  await rig.commit({ ruleSets: [{ slot: 7, rules: [] }] });
  t.is(rig.pass(0, 2, udp(2, 'x', service)).length, 1);
});

oneWay('an error about what the server has sent goes to the server', (rig, family) => {
  const { t } = rig;
  const { service, client } = family;
  rig.pass(0, 2, udp(1, 'x', service));
  const answer = fromPod(client, service).udp({ src: 53, dst: 1, payload: 'y' }).build();
  const error = fromClient(service).icmpError({
    type: family.name === 'IPv4' ? 3 : 2,
    code: 0,
    quoting: answer,
  });
  const [out] = rig.read(0, 2, error.build());
  t.is(out.ip?.dst, service);
  t.is(rig.counter('related'), 1);
});

oneWay('explained, and flushed', async (rig, family) => {
  const { t } = rig;
  const { name, service, pod, at } = family;
  const slot = FIRST[name] + OF.udp;
  const frame = udp(1, 'x', service);
  for (const flow of [undefined, 'forward'] as const) {
    const said = await rig.engine.explain(0, frame);
    t.is(said.fate, 'forward');
    t.is(said.flow?.direction, flow);
    t.deepEqual([said.backend, said.masquerade, said.route?.interface], [slot, false, 2]);
    t.is(said.rewrite && addressText(said.rewrite.destination), service);
    t.is(said.neighbour?.mac && macText(said.neighbour.mac), serverMac(2));
    rig.pass(0, 2, frame);
  }
  const backend = { slot, at: at(pod, 5353), flushed: true, group: GROUP[2] };
  await rig.commit({ backends: [backend], pools: [{ slot, members: [] }] });
  t.is(verdict(rig, 0, frame), 'no_backend');
  rig.receive(0);
});

for (const [family, other] of [
  [V4, V6],
  [V6, V4],
] as const) {
  contract(`the next hop may be of another family than the packet, ${family.name}`, async (rig) => {
    const { t } = rig;
    await rig.commit({
      groups: [{ slot: 2, hops: [{ over: 1, via: other.hop, mac: serverMac(5) }] }],
      ...through(family, 2),
    });
    const [out] = rig.read(0, 1, udp(1, 'x', family.service));
    t.deepEqual([out.eth.dst, out.ip?.dst], [serverMac(5), family.service]);
    await rig.commit({ groups: [{ slot: 2, hops: [{ over: 1, via: other.hop }] }] });
    const [request] = rig.read(0, 1, udp(1, 'x', family.service));
    t.is(request.arp?.target ?? request.nd?.target, other.hop);
  });

  contract(`a backend of another family than the packet is none, ${family.name}`, async (rig) => {
    const { t } = rig;
    const slot = FIRST[family.name] + OF.udp;
    await rig.commit({
      groups: [{ slot: 2, hops: [{ over: 1, mac: NET.pod.mac }] }],
      backends: [{ slot, at: other.at(other.pod, 5353), group: 2 }],
    });
    rig.pass(0, 1, udp(1, 'x', family.service));
    t.deepEqual(rig.drops(), { no_backend: 1 });
  });
}
