// SPDX-License-Identifier: Apache-2.0
import { SCOPE } from '../../lib/compile/program.js';
import {
  addressText,
  arp,
  fragments,
  linkLocal,
  type PacketBuilder,
  packet,
  read,
  solicitation,
} from '../support/packets.js';
import {
  ADDRESSES,
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
} from './net.js';
import { policed } from './policing.js';
import { contract, type Rig } from './rig.js';

/** The interface that leads to this node's kernel. */
const HOST = 2;
const US = '02:00:00:00:01:02';
const KERNEL = '02:00:00:00:00:ee';
const HOST_ADDRESS = '169.254.10.1';

async function addHost(rig: Rig): Promise<void> {
  await rig.engine.addInterface(memory(HOST));
  await rig.commit({
    addresses: [...ADDRESSES, { on: HOST, address: `${HOST_ADDRESS}/32` }],
    scopes: [{ on: HOST, scope: 'host' }],
  });
}

/** The kernel asks for us from an address of the node: so we learn its MAC. */
function ask(sender: string): Uint8Array {
  return sender.includes(':')
    ? solicitation({ mac: KERNEL, sender, target: linkLocal(US) })
    : arp({ operation: 1, senderMac: KERNEL, sender, target: HOST_ADDRESS });
}

/** A packet of the kernel's. */
function fromHost(src: string, dst: string): PacketBuilder {
  return packet().eth({ src: KERNEL, dst: US }).ip({ src, dst });
}

function inHost(
  title: string,
  body: (rig: Rig, family: Family) => Promise<void> | void,
  options = {},
): void {
  for (const family of FAMILIES) {
    contract(
      `${title}, ${family.name}`,
      async (rig) => {
        await addHost(rig);
        for (const own of family.own) rig.t.is(rig.pass(HOST, HOST, ask(own)).length, 1);
        await body(rig, family);
      },
      options,
    );
  }
}

inHost('what is for one of our own addresses goes to the host as it is', (rig, { own }) => {
  const { t } = rig;
  const frames = [
    fromClient(own[0]).tcp({ src: 5, dst: 22, flags: 'S' }).build(),
    fromClient(own[0]).udp({ src: 5, dst: 53, payload: 'q' }).build(),
    fromPod(own[1]).sctp({ src: 5, dst: 7, chunk: 'init' }).build(),
    fromClient(own[1]).icmpEcho({ reply: true }).build(),
    fromClient(own[0], { ttl: 1 }).udp({ src: 6, dst: 53 }).build(),
    ...fragments(
      fromClient(own[0])
        .udp({ src: 7, dst: 53, payload: new Uint8Array(40) })
        .build(),
      [24],
    ),
  ];
  for (const frame of frames) {
    const into = read(frame).eth.dst === NET.us[1] ? 1 : 0;
    const [out] = rig.pass(into, HOST, frame);
    t.deepEqual(out.slice(12), frame.slice(12), 'all but MACs');
    const { eth } = read(out);
    t.deepEqual([eth.src, eth.dst], [US, KERNEL]);
  }
  t.is(rig.counter('host'), frames.length);
  t.is(rig.counter('forwarded'), 0);
  t.is(rig.counter('flowsCreated'), 0);
  t.deepEqual(rig.drops(), {});
});

inHost('echo requests we answer, and services go before the host', (rig, family) => {
  const { t } = rig;
  const { own, service, pod } = family;
  t.is(rig.pass(0, 0, fromClient(own[0]).icmpEcho({}).build()).length, 1);
  t.is(rig.one(0, 1, tcp('S', 40_000, service)).ip?.dst, pod);
  t.deepEqual([rig.counter('answered'), rig.counter('host')], [3, 0], 'two of them to the kernel');
});

inHost(
  'what the node sends is tracked, and what comes back finds the host',
  async (rig, family) => {
    const { t } = rig;
    const { own, client } = family;
    const syn = fromHost(own[0], client).tcp({ src: 33_000, dst: 80, flags: 'S' }).build();
    const out = rig.one(HOST, 0, syn);
    t.like(out.ip, { src: own[0], dst: client, ttl: 63 });
    const flow = await rig.flow();
    t.is(addressText(flow.client), own[0]);
    t.is(flow.backendSlot, null);
    for (let n = 0; n < 3; n++) {
      const answer = fromClient(own[0]).tcp({ src: 80, dst: 33_000, flags: 'SA' }).build();
      const [back] = rig.pass(0, HOST, answer);
      t.deepEqual(back.slice(12), answer.slice(12));
    }
    t.is(rig.counter('host'), 3);
    t.is((await rig.flow()).replyPackets, 3);
  },
);

inHost(
  'neither a reset nor the end of what we have not seen begin is kept from anybody',
  (rig, family) => {
    const { t } = rig;
    const { own, client } = family;
    for (const flags of ['R', 'FA', 'RA']) {
      const frame = fromHost(own[0], client).tcp({ src: 22, dst: 5, flags }).build();
      t.is(rig.one(HOST, 0, frame).tcp?.flags, read(frame).tcp?.flags);
    }
    t.is(rig.counter('flowsCreated'), 0);
    t.deepEqual(rig.drops(), {});
  },
);

inHost(
  'without pick-up the node goes on with its connections',
  (rig, { own, client }) => {
    const { t } = rig;
    for (const flags of ['SA', 'A', 'PA']) {
      rig.one(HOST, 0, fromHost(own[0], client).tcp({ src: 22, dst: 5, flags }).build());
    }
    t.is(rig.counter('flowsCreated'), 0);
  },
  { tcpPickup: false },
);

inHost('a connection of the node keeps its port from masquerade', async (rig, family) => {
  const { t } = rig;
  const first = FIRST[family.name] + OF.tcp;
  await rig.commit({
    frontends: (PROGRAM.frontends ?? [])
      .filter(({ slot }) => slot === first)
      .map((frontend) => ({ ...frontend, masquerade: 'outside' })),
  });
  const direct = fromHost(family.own[1], family.pod).tcp({ src: 2_000, dst: 8080, flags: 'S' });
  t.is(rig.one(HOST, 1, direct.build()).tcp?.src, 2_000);
  const out = rig.one(0, 1, tcp('S', 2_000, family.service));
  t.is(out.ip?.src, family.own[1]);
  t.not(out.tcp?.src, 2_000);
});

inHost('a service is reached from the node, and its answers go back there', async (rig, family) => {
  const { t } = rig;
  const { own, service, pod } = family;
  const ask = fromHost(own[1], service).tcp({ src: 3_000, dst: 80, flags: 'S' }).build();
  const { scope } = await rig.engine.explain(HOST, ask);
  t.is(scope, SCOPE.node);
  t.like(rig.one(HOST, 1, ask).ip, { src: own[1], dst: pod });
  const answer = fromPod(own[1]).tcp({ src: 8080, dst: 3_000, flags: 'SA' }).build();
  const back = rig.one(1, HOST, answer);
  t.like(back.ip, { src: service, dst: own[1], ttl: 64 });
  t.is(back.tcp?.src, 80);
  t.is(rig.counter('host'), 1);
});

inHost('a service whose backend is the node itself', async (rig, family) => {
  const { t } = rig;
  const { name, own, service, client, at } = family;
  const slot = FIRST[name] + OF.tcp;
  await rig.commit({ backends: [{ slot, at: at(own[0], 8080) }] });
  await rig.commit({ pools: [{ slot, members: [{ backend: slot }] }] });
  const ask = tcp('S', 40_000, service);
  const out = rig.one(0, HOST, ask);
  t.like(out.ip, { src: client, dst: own[0], ttl: 64 });
  t.is(out.tcp?.dst, 8080);
  for (let n = 0; n < 2; n++) {
    const reply = fromHost(own[0], client).tcp({ src: 8080, dst: 40_000, flags: 'SA' }).build();
    t.like(rig.one(HOST, 0, reply).ip, { src: service, dst: client, ttl: 63 });
    t.like(rig.one(0, HOST, tcp('A', 40_000, service)).ip, { dst: own[0], ttl: 64 });
  }
  t.is(rig.counter('host'), 3);
});

inHost(
  'policy has nothing against the node, but an address that is pending',
  async (rig, family) => {
    const { t } = rig;
    const { own, pod } = family;
    await rig.commit(policed(family, { ingress: ['deny any'], egress: ['deny any'] }));
    const out = fromHost(own[1], pod).udp({ src: 5, dst: 6 }).build();
    t.is(rig.pass(HOST, 1, out).length, 1);
    t.is(rig.pass(1, HOST, fromPod(own[1]).udp({ src: 6, dst: 5 }).build()).length, 1);
    t.is(rig.pass(1, HOST, fromPod(own[1]).tcp({ src: 6, dst: 7, flags: 'S' }).build()).length, 1);
  },
);

inHost('explained', async (rig, { own, client }) => {
  const { t } = rig;
  const frame = fromClient(own[0]).udp({ src: 5, dst: 53 }).build();
  const before = rig.engine.counters.values.slice();
  const { fate, route, neighbour, flow, frontend } = await rig.engine.explain(0, frame);
  t.is(fate, 'host');
  t.deepEqual(route, { interface: HOST, gateway: null, mac: null });
  t.is(neighbour && addressText(neighbour.address), own[0]);
  t.deepEqual([flow, frontend], [null, null]);
  t.deepEqual(rig.engine.counters.values, before);
  const ask = fromHost(own[0], client).udp({ src: 53, dst: 5 }).build();
  rig.pass(HOST, 0, ask);
  t.is((await rig.engine.explain(0, frame)).fate, 'host');
  t.is((await rig.engine.explain(0, frame)).flow?.direction, 'reply');
});

inHost('what is too long for it, and an interface that is down', async (rig, family) => {
  const { t } = rig;
  const { own } = family;
  const frame = fromClient(own[0]).udp({ src: 5, dst: 53 }).build();
  await rig.engine.setLink(HOST, false);
  rig.pass(0, HOST, frame);
  t.deepEqual(rig.drops(), { interface_down: 1 });
  rig.receive(0);
  await rig.engine.removeInterface(HOST);
  rig.step();
  rig.pass(0, 0, frame);
  t.deepEqual(rig.drops(), { interface_down: 1, not_for_host: 1 });
});

for (const family of FAMILIES) {
  const { name, own } = family;

  contract(`a kernel that we do not know yet is asked for, ${name}`, async (rig) => {
    const { t } = rig;
    await addHost(rig);
    const frame = fromClient(own[0]).udp({ src: 5, dst: 53 }).build();
    t.is((await rig.engine.explain(0, frame)).fate, 'hold');
    const [request] = rig.read(0, HOST, frame);
    t.is(request.arp?.target ?? request.nd?.target, own[0]);
    t.is(rig.counter('held'), 1);
    const [answer, waited] = rig.pass(HOST, HOST, ask(own[0]));
    t.is(read(answer).eth.dst, KERNEL);
    t.deepEqual(waited.slice(12), frame.slice(12));
    t.deepEqual([rig.counter('host'), rig.counter('forwarded')], [1, 0]);
  });

  contract(`an interface of scope host of the lowest slot counts, ${name}`, async (rig) => {
    const { t } = rig;
    await addHost(rig);
    for (const each of own) rig.pass(HOST, HOST, ask(each));
    await rig.engine.addInterface(memory(3));
    await rig.commit({
      scopes: [
        { on: 3, scope: 'host' },
        { on: HOST, scope: 'host' },
      ],
    });
    const frame = fromClient(own[0]).udp({ src: 5, dst: 53 }).build();
    t.is(rig.pass(0, HOST, frame).length, 1);
    await rig.engine.removeInterface(HOST);
    rig.step();
    t.is((await rig.engine.explain(0, frame)).route?.interface, 3);
    await rig.commit({ scopes: [] });
    t.is((await rig.engine.explain(0, frame)).reason, 'not_for_host');
  });
}
