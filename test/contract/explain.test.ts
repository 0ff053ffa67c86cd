// SPDX-License-Identifier: Apache-2.0

import { SCOPE } from '../../lib/compile/program.js';
import type { Explanation, Tuple } from '../../lib/engine/engine.js';
import type { SluiceError } from '../../lib/errors.js';
import { addressText, arp, fragments, macText, solicitation } from '../support/packets.js';
import {
  FAMILIES,
  type Family,
  FIRST,
  fromClient,
  fromPod,
  NET,
  OF,
  tcp,
  tcpReply,
  udp,
  V4,
} from './net.js';
import { contract, type Rig } from './rig.js';

/** An explanation with its bytes in text. */
function inText(explanation: Explanation) {
  const { tuple, rewrite, route, neighbour, ...rest } = explanation;
  return {
    ...rest,
    tuple: tupleText(tuple),
    rewrite: tupleText(rewrite),
    route: route && {
      interface: route.interface,
      gateway: route.gateway && addressText(route.gateway),
      mac: route.mac && macText(route.mac),
    },
    neighbour: neighbour && {
      address: addressText(neighbour.address),
      mac: neighbour.mac && macText(neighbour.mac),
    },
  };
}

function tupleText(tuple: Tuple | null): string | null {
  if (tuple === null) return null;
  const { source, destination, sourcePort, destinationPort, protocol } = tuple;
  return `${addressText(source)} ${sourcePort} > ${addressText(destination)} ${destinationPort} / ${protocol}`;
}

/** Explains, and checks that nothing has changed by that. */
async function explain(rig: Rig, slot: number, frame: Uint8Array) {
  const { values } = rig.engine.counters;
  const before = values.slice();
  const occupancy = rig.engine.occupancy();
  const flows = await rig.engine.flows(100);
  const copy = frame.slice();
  const explanation = inText(await rig.engine.explain(slot, frame));
  rig.t.deepEqual(values, before, 'no counter moves');
  rig.t.deepEqual(rig.engine.occupancy(), occupancy);
  rig.t.deepEqual(await rig.engine.flows(100), flows);
  rig.t.deepEqual(frame, copy);
  rig.t.deepEqual(rig.engine.receive(0, 9), []);
  rig.t.deepEqual(rig.engine.receive(1, 9), []);
  return explanation;
}

const NOTHING = {
  rejected: false,
  scope: null,
  flow: null,
  frontend: null,
  pool: null,
  maglevSlot: null,
  affinity: false,
  backend: null,
  egress: null,
  ingress: null,
  masquerade: false,
};

for (const family of FAMILIES) {
  const { name, service, client, pod, own, hop } = family;
  const first = FIRST[name];

  contract(
    `a new connection is explained, and goes the way that was told, ${name}`,
    async (rig) => {
      const { t } = rig;
      const told = await explain(rig, 0, tcp('S', 40_000, service));
      t.deepEqual(told, {
        ...NOTHING,
        fate: 'forward',
        reason: null,
        tuple: `${client} 40000 > ${service} 80 / 6`,
        scope: SCOPE.outside,
        frontend: first + OF.tcp,
        pool: first + OF.tcp,
        maglevSlot: 0,
        backend: first + OF.tcp,
        egress: { allowed: true, rule: null },
        ingress: { allowed: true, rule: null },
        rewrite: `${client} 40000 > ${pod} 8080 / 6`,
        route: { interface: 1, gateway: null, mac: NET.pod.mac },
        neighbour: { address: pod, mac: NET.pod.mac },
      });
      rig.one(0, 1, tcp('S', 40_000, service));

      t.like(await explain(rig, 0, tcp('A', 40_000, service)), {
        fate: 'forward',
        flow: { direction: 'forward', state: 'unreplied' },
        scope: null,
        frontend: null,
        maglevSlot: null,
        backend: first + OF.tcp,
        masquerade: false,
        rewrite: `${client} 40000 > ${pod} 8080 / 6`,
      });
      t.like(await explain(rig, 1, tcpReply('SA', 40_000, client)), {
        fate: 'forward',
        tuple: `${pod} 8080 > ${client} 40000 / 6`,
        flow: { direction: 'reply', state: 'unreplied' },
        backend: first + OF.tcp,
        rewrite: `${service} 80 > ${client} 40000 / 6`,
        route: { interface: 0, gateway: null, mac: NET.client.mac },
      });
    },
  );

  contract(`masquerade and affinity are explained, ${name}`, async (rig) => {
    const { t } = rig;
    const slot = first + OF.udp;
    await rig.commit({
      frontends: [
        {
          at: `${family.at(service, 53)}/udp`,
          slot,
          pool: slot,
          masquerade: 'outside',
          affinity: 60,
        },
      ],
      pools: [
        {
          slot,
          backends: Array.from({ length: 4 }, (_, n) => ({
            slot: 60 + n,
            at: family.at(family.podAt(60 + n), 5353),
          })),
        },
      ],
    });
    const chosen = await explain(rig, 0, udp(40_000, 'x', service));
    t.true(chosen.masquerade);
    t.false(chosen.affinity);
    t.true((chosen.maglevSlot ?? -1) >= 0 && (chosen.maglevSlot ?? 0) < 1_021);
    const out = rig.one(0, 1, udp(40_000, 'x', service));
    t.is(chosen.rewrite, `${own[1]} 40000 > ${out.ip?.dst} 5353 / 17`);
    t.is(out.ip?.dst, family.podAt(chosen.backend ?? 0));

    const again = await explain(rig, 0, udp(40_001, 'x', service));
    t.true(again.affinity);
    t.is(again.maglevSlot, null);
    t.is(again.backend, chosen.backend);
    const taken = await explain(
      rig,
      0,
      fromClient(service, { src: family.other }).udp({ src: 40_000, dst: 53 }).build(),
    );
    const second = rig.one(
      0,
      1,
      fromClient(service, { src: family.other }).udp({ src: 40_000, dst: 53 }).build(),
    );
    t.is(taken.rewrite, `${own[1]} ${second.udp?.src} > ${second.ip?.dst} 5353 / 17`);
  });

  contract(`an error of a flow is explained, ${name}`, async (rig) => {
    const { t } = rig;
    const [toPod] = rig.pass(0, 1, udp(40_000, 'x', service));
    const [type, icmp] = name === 'IPv4' ? [3, 1] : [1, 58];
    const frame = fromPod(client).icmpError({ type, code: 1, quoting: toPod }).build();
    t.like(await explain(rig, 1, frame), {
      fate: 'forward',
      flow: { direction: 'related', state: 'unreplied' },
      rewrite: `${service} 0 > ${client} 0 / ${icmp}`,
    });
  });

  contract(`what would be dropped is explained by its reason, ${name}`, async (rig) => {
    const { t } = rig;
    t.like(await explain(rig, 0, tcp('S', 1, family.idle)), {
      ...NOTHING,
      fate: 'drop',
      reason: 'no_backend',
      rejected: true,
      scope: SCOPE.outside,
      frontend: first + OF.idle,
      pool: first + OF.idle,
      rewrite: null,
      route: null,
      neighbour: null,
    });
    t.like(await explain(rig, 0, tcp('R', 1, service)), {
      fate: 'drop',
      reason: 'tcp_no_flow',
      rejected: false,
      frontend: first + OF.tcp,
    });
    t.like(await explain(rig, 0, fromClient(service).udp({ src: 1, dst: 9 }).build()), {
      ...NOTHING,
      fate: 'drop',
      reason: 'service_port_unknown',
      rejected: true,
    });
    t.like(await explain(rig, 0, fromClient(pod, { ttl: 1 }).udp({ src: 1, dst: 9 }).build()), {
      fate: 'drop',
      reason: 'ttl_expired',
    });
    t.like(await explain(rig, 0, fromClient(own[0]).udp({ src: 1, dst: 9 }).build()), {
      fate: 'drop',
      reason: 'not_for_host',
    });
    t.like(await explain(rig, 0, udp(1, 'x', service).slice(0, 20)), {
      ...NOTHING,
      fate: 'drop',
      reason: name === 'IPv4' ? 'malformed_ipv4' : 'malformed_ipv6',
      tuple: null,
      rewrite: null,
    });
  });

  contract(`what would wait for a neighbour is explained, ${name}`, async (rig) => {
    const { t } = rig;
    const frame = fromClient(hop).udp({ src: 1, dst: 9 }).build();
    t.like(await explain(rig, 0, frame), {
      fate: 'hold',
      reason: null,
      route: { interface: 1, gateway: null, mac: null },
      neighbour: { address: hop, mac: null },
    });
    const beyond = name === 'IPv4' ? '10.9.0.1' : 'fd09::1';
    const gateway = name === 'IPv4' ? '10.2.0.7' : 'fd02::7';
    t.like(await explain(rig, 0, fromClient(beyond).udp({ src: 1, dst: 9 }).build()), {
      fate: 'hold',
      route: { interface: 1, gateway, mac: null },
      neighbour: { address: gateway, mac: null },
    });
  });

  contract(`fragments are explained, ${name}`, async (rig) => {
    const { t } = rig;
    const datagram = fromClient(service).udp({ src: 7, dst: 53, payload: new Uint8Array(2_000) });
    const [one, two] = fragments(datagram.build(), 1_500);
    t.like(await explain(rig, 0, two), { fate: 'hold', rewrite: null, route: null });
    t.like(await explain(rig, 0, one), {
      fate: 'forward',
      rewrite: `${client} 7 > ${pod} 5353 / 17`,
    });
    rig.pass(0, 1, one);
    t.like(await explain(rig, 0, two), {
      fate: 'forward',
      flow: { direction: 'forward', state: 'unreplied' },
    });
    t.like(await explain(rig, 0, one), { fate: 'drop', reason: 'fragment_overlap' });
  });

  contract(`what would be answered is explained, ${name}`, async (rig) => {
    const { t } = rig;
    t.like(await explain(rig, 0, fromClient(own[0]).icmpEcho().build()), {
      fate: 'answer',
      reason: null,
    });
    const ask =
      name === 'IPv4'
        ? arp({ operation: 1, senderMac: NET.client.mac, sender: client, target: own[0] })
        : solicitation({ mac: NET.client.mac, sender: client, target: own[0] });
    t.like(await explain(rig, 0, ask), { fate: 'answer', tuple: null });
  });

  contract(`the scope of the source is explained, ${name}`, async (rig) => {
    const { t } = rig;
    await rig.commit({ podNetworks: [`${client}/${name === 'IPv4' ? 32 : 128}`] });
    t.is((await explain(rig, 0, tcp('S', 1, service))).scope, SCOPE.pod);
    await rig.commit({ podNetworks: [], scopes: [{ on: 0, scope: 'host' }] });
    const own0 = fromClient(service, { src: own[0] }).tcp({ src: 1, dst: 80, flags: 'S' });
    t.is((await explain(rig, 0, own0.build())).scope, SCOPE.node);
  });
}

/** Whatever was told comes true. */
const FATES: readonly [string, (family: Family) => [slot: 0 | 1, frame: Uint8Array]][] = [
  ['TCP', ({ service }) => [0, tcp('S', 1, service)]],
  ['UDP', ({ service }) => [0, udp(1, 'x', service)]],
  [
    'SCTP',
    ({ service }) => [0, fromClient(service).sctp({ src: 1, dst: 70, chunk: 'init' }).build()],
  ],
  ['echo', ({ service }) => [0, fromClient(service).icmpEcho({ id: 9 }).build()]],
  [
    'hairpin',
    ({ service }) => [1, fromPod(service).tcp({ src: 5_000, dst: 80, flags: 'S' }).build()],
  ],
  ['plain routing', ({ podAt }) => [0, fromClient(podAt(9)).udp({ src: 1, dst: 2 }).build()]],
];

for (const family of FAMILIES) {
  for (const [title, make] of FATES) {
    contract(`what is told comes true: ${title}, ${family.name}`, async (rig) => {
      const { t } = rig;
      const [slot, frame] = make(family);
      const told = await explain(rig, slot, frame);
      t.is(told.fate, 'forward');
      const out = rig.one(slot, told.route?.interface ?? 9, frame);
      t.is(told.neighbour?.mac, out.eth.dst);
      if (told.frontend === null) return;
      const l4 = out.tcp ?? out.udp ?? out.sctp ?? { src: out.icmp?.id, dst: 0 };
      const { src, dst, protocol } = out.ip ?? { src: '', dst: '', protocol: 0 };
      t.is(told.rewrite, `${src} ${l4.src} > ${dst} ${l4.dst} / ${protocol}`);
    });
  }
}

contract('there is nothing to explain of an interface that is not there', async (rig) => {
  const error = await rig.t.throwsAsync<SluiceError>(rig.engine.explain(5, udp()));
  rig.t.is(error?.code, 'ERR_INTERFACE_UNKNOWN');
});

contract('explaining starts nothing that time would end', async (rig) => {
  const { t } = rig;
  await explain(rig, 0, fromClient(V4.hop).udp({ src: 1, dst: 2 }).build());
  rig.step(5_000);
  t.deepEqual(rig.drops(), {});
  t.is(rig.counter('originated'), 0);
});
