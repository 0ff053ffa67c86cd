// SPDX-License-Identifier: Apache-2.0
import { ruleNumber } from '../support/policy.js';
import { FAMILIES, FIRST, fromClient, fromPod, memory, NET, OF } from './net.js';
import {
  ID,
  inward,
  type Kind,
  opening,
  outward,
  policed,
  rules,
  SET,
  verdict,
} from './policing.js';
import { contract } from './rig.js';

/** Rules, a packet, and the row of the rule that decides; `null`: none is for it, and it passes. */
type Row = readonly [rules: readonly string[], kind: Kind, port: number, decides: number | null];

/** The client is held by selectors 1, 5 and 0xfffffffe. */
const ROWS: readonly Row[] = [
  [[], 'tcp', 80, null],
  [['deny any'], 'tcp', 80, 0],
  [['deny any'], 'echo', 0, 0],
  [['deny any'], 'gre', 0, 0],
  [['deny any'], 'icmp', 0, 0],
  [['accept any', 'deny any'], 'udp', 53, 0],
  [['deny any', 'accept any'], 'udp', 53, 0],
  // Peers.
  [['deny @1'], 'tcp', 80, 0],
  [['deny @5'], 'tcp', 80, 0],
  [['deny @4294967294'], 'tcp', 80, 0],
  [['deny @2', 'deny @3', 'deny @4', 'deny @6'], 'tcp', 80, null],
  [['accept @2', 'deny any'], 'tcp', 80, 1],
  [['accept @5', 'deny @1'], 'tcp', 80, 0],
  [['deny @5', 'accept @1'], 'tcp', 80, 0],
  [['deny @2', 'accept any', 'deny @1'], 'tcp', 80, 1],
  [['deny @9', 'deny @8', 'deny @7', 'deny @6', 'accept @5', 'deny any'], 'tcp', 80, 4],
  // Protocols and ports.
  [['deny any tcp'], 'tcp', 0, 0],
  [['deny any tcp'], 'tcp', 65_535, 0],
  [['deny any tcp'], 'udp', 80, null],
  [['deny any udp/80', 'deny any sctp/80'], 'sctp', 80, 1],
  [['deny any udp/80', 'deny any sctp/80'], 'tcp', 80, null],
  [['deny any tcp/80-90'], 'tcp', 79, null],
  [['deny any tcp/80-90'], 'tcp', 80, 0],
  [['deny any tcp/80-90'], 'tcp', 90, 0],
  [['deny any tcp/80-90'], 'tcp', 91, null],
  [['accept @1 tcp/80', 'accept @5 tcp/443', 'deny any'], 'tcp', 443, 1],
  [['accept @1 tcp/80', 'accept @5 tcp/443', 'deny any'], 'tcp', 444, 2],
  [['deny any tcp', 'deny any udp', 'deny any sctp'], 'echo', 0, null],
  [['deny any tcp', 'deny any udp', 'deny any sctp'], 'gre', 0, null],
  // Tiers.
  [['admin accept any', 'deny any', 'baseline deny any'], 'tcp', 80, 0],
  [['admin pass any', 'accept any', 'baseline deny any'], 'tcp', 80, 1],
  [['admin pass any', 'baseline deny any'], 'tcp', 80, 1],
  [['admin pass any', 'admin deny any'], 'tcp', 80, null],
  [['admin pass @2', 'admin deny any'], 'tcp', 80, 1],
  [['admin pass @1', 'admin deny @5', 'pass @5', 'deny any', 'baseline deny @1'], 'tcp', 80, 4],
  [['admin pass any tcp/80', 'admin deny any', 'baseline accept any'], 'tcp', 80, 2],
  [['admin pass any tcp/80', 'admin deny any', 'baseline accept any'], 'tcp', 81, 1],
  [['pass any', 'deny any', 'baseline pass any', 'baseline deny any'], 'tcp', 80, null],
];

const actionOf = (rule: string) => /accept|deny/.exec(rule)?.[0];

for (const family of FAMILIES) {
  const { name, pod, client, other, podAt, own } = family;

  for (const direction of ['ingress', 'egress'] as const) {
    const [into, packet] = direction === 'ingress' ? [0, inward] : [1, outward];
    for (const [set, kind, port, decides] of ROWS) {
      const title = `${direction}, ${name}, [${set.join(', ')}]: ${kind} ${port}`;
      contract(title, async (rig) => {
        const { t } = rig;
        await rig.commit(policed(family, { [direction]: set }));
        const frame = packet(family, kind, port);
        const allowed = decides === null || actionOf(set[decides]) === 'accept';
        const explained = await rig.engine.explain(into, frame);
        const rule = decides === null ? null : ruleNumber(SET[direction], decides);
        t.deepEqual(explained[direction], { allowed, rule });
        t.is(verdict(rig, into, frame), allowed ? 'passes' : `policy_denied_${direction}`);
      });
    }
  }

  contract(`who is in no network is in no selector, ${name}`, async (rig) => {
    const { t } = rig;
    const stranger = fromClient(pod, { src: podAt(99) });
    await rig.commit(policed(family, { ingress: ['deny @1', 'deny @2', 'deny @5'] }));
    t.is(verdict(rig, 0, opening(stranger, 'udp')), 'passes');
    await rig.commit(rules({ ingress: ['accept @1', 'accept @2', 'accept @5', 'deny any'] }));
    t.is(verdict(rig, 0, opening(stranger, 'udp')), 'policy_denied_ingress');
  });

  contract(`the longest network says who somebody is, ${name}`, async (rig) => {
    const { t } = rig;
    await rig.commit(policed(family, { ingress: ['accept @2', 'deny any'] }));
    const from = (src: string) => verdict(rig, 0, opening(fromClient(pod, { src }), 'udp'));
    t.is(from(client), 'policy_denied_ingress');
    t.is(from(other), 'passes');
    // All of them are the other one; who has a network of his own is not.
    const [everybody, clients] =
      name === 'IPv4' ? ['0.0.0.0/0', '10.0.0.0/24'] : ['::/0', 'fd00::/64'];
    const stranger = name === 'IPv4' ? '10.0.0.77' : 'fd00::77';
    t.is(from(stranger), 'policy_denied_ingress');
    await rig.commit({ identityNetworks: [{ network: everybody, identity: ID.other }] });
    t.deepEqual([stranger, client].map(from), ['passes', 'policy_denied_ingress']);
    await rig.commit({ identityNetworks: [{ network: clients, identity: ID.neighbour }] });
    t.deepEqual([stranger, other].map(from), ['policy_denied_ingress', 'passes']);
    await rig.commit({ removedIdentityNetworks: [clients, client] });
    t.deepEqual([stranger, client].map(from), ['passes', 'passes']);
  });

  contract(`both directions must agree, ${name}`, async (rig) => {
    const { t } = rig;
    const frame = (port: number) => opening(fromPod(podAt(3)), 'tcp', port);
    await rig.commit(policed(family, { egress: ['accept @3 tcp/80', 'deny any'] }));
    const peer = { slot: ID.neighbour, selectors: [3] };
    await rig.commit({
      ruleSets: [{ slot: 7, rules: ['accept @4 tcp/81', 'deny any'] }],
      identities: [{ ...peer, ingress: 7 }],
    });
    t.is(verdict(rig, 1, frame(80)), 'policy_denied_ingress');
    t.is(verdict(rig, 1, frame(81)), 'policy_denied_egress');
    t.is(verdict(rig, 1, frame(82)), 'policy_denied_egress');
    await rig.commit({ ruleSets: [{ slot: 7, rules: ['accept @4 tcp/80', 'deny any'] }] });
    t.is(verdict(rig, 1, frame(80)), 'passes');
    // The pod's ingress rules have no say in what it sends.
    await rig.commit({ identities: [{ ...peer, egress: 7 }] });
    t.is(verdict(rig, 1, frame(80)), 'passes');
  });

  contract(`a pod whose rules are not known yet talks to nobody, ${name}`, async (rig) => {
    const { t } = rig;
    const identities = (more: object) => [{ slot: 0, networks: [pod], ...more }];
    for (const pending of [{ ingress: 'pending' }, { egress: 'pending' }]) {
      await rig.commit({ identities: identities(pending) });
      for (const kind of ['tcp', 'udp', 'sctp', 'echo', 'gre'] as const) {
        t.is(verdict(rig, 0, inward(family, kind)), 'policy_pending');
        t.is(verdict(rig, 1, outward(family, kind)), 'policy_pending');
      }
      // Nor to the node, nor by way of a service.
      t.is(verdict(rig, 0, opening(fromClient(family.service), 'tcp', 80)), 'policy_pending');
      t.is(verdict(rig, 1, opening(fromPod(pod), 'gre')), 'policy_pending');
    }
    t.is(rig.counter('flowsCreated'), 0);
    await rig.commit({ identities: identities({}) });
    t.is(verdict(rig, 0, inward(family, 'tcp')), 'passes');
  });

  contract(`the node reaches its pods, whatever their rules, ${name}`, async (rig) => {
    const { t } = rig;
    await rig.commit({
      ...policed(family, { ingress: ['admin deny any'], egress: ['admin deny any'] }),
      scopes: [{ on: 0, scope: 'host' }],
      routes: [{ to: `${own[0]}/${name === 'IPv4' ? 32 : 128}`, over: 0, mac: NET.client.mac }],
    });
    for (const kind of ['tcp', 'echo', 'gre'] as const) {
      t.is(verdict(rig, 0, opening(fromClient(pod, { src: own[0] }), kind)), 'passes');
    }
    t.is(verdict(rig, 0, inward(family, 'tcp')), 'policy_denied_ingress');
    // What is ours may change, and with it what has been said of a connection.
    const node = opening(fromClient(pod, { src: own[0] }), 'tcp');
    await rig.commit({ addresses: [] });
    t.is(verdict(rig, 0, node), 'policy_denied_ingress');
  });

  contract(`pods reach the node, whatever their rules, ${name}`, async (rig) => {
    const { t } = rig;
    const slot = FIRST[name] + OF.tcp;
    // A process of the node serves.
    await rig.commit({
      ...policed(family, { ingress: ['admin deny any'], egress: ['admin deny any'] }),
      routes: [{ to: `${own[0]}/${name === 'IPv4' ? 32 : 128}`, over: 0, mac: NET.client.mac }],
      pools: [{ slot, backends: [{ slot: 60, at: family.at(own[0], 6443) }] }],
    });
    t.is(verdict(rig, 1, opening(fromPod(family.service), 'tcp', 80)), 'passes');
    t.is(verdict(rig, 1, outward(family, 'tcp')), 'policy_denied_egress');
  });

  contract(`pending comes before what is the node's own, ${name}`, async (rig) => {
    const { t } = rig;
    await rig.commit({
      identities: [{ slot: 0, ingress: 'pending', networks: [pod] }],
      scopes: [{ on: 0, scope: 'host' }],
    });
    const node = opening(fromClient(pod, { src: own[0] }), 'tcp');
    t.is(verdict(rig, 0, node), 'policy_pending');
    for (const kind of ['tcp', 'udp', 'sctp', 'echo', 'gre', 'icmp'] as const) {
      t.is(verdict(rig, 1, opening(fromPod(own[0]), kind)), 'policy_pending');
    }
    // Echo is ours to answer, and without a kernel the rest is for nobody.
    await rig.commit({ scopes: [] });
    for (const address of own) {
      t.is(verdict(rig, 1, opening(fromPod(address), 'echo')), 'policy_pending');
      t.is(verdict(rig, 1, opening(fromPod(address), 'tcp')), 'policy_pending');
    }
    t.is(rig.counter('answered'), 0);
  });

  contract(`addresses go with their interface, and what they let pass, ${name}`, async (rig) => {
    const { t } = rig;
    await rig.commit({
      ...policed(family, { ingress: ['deny any'] }),
      scopes: [{ on: 0, scope: 'host' }],
    });
    const node = opening(fromClient(pod, { src: own[0] }), 'tcp');
    t.is(verdict(rig, 0, node), 'passes');
    await rig.engine.removeInterface(0);
    await rig.engine.addInterface(memory(0));
    t.is(verdict(rig, 0, node), 'policy_denied_ingress');
  });

  contract(`a pod may talk to itself, ${name}`, async (rig) => {
    const { t } = rig;
    await rig.commit(policed(family, { ingress: ['admin deny any'], egress: ['admin deny any'] }));
    t.is(verdict(rig, 1, opening(fromPod(pod), 'tcp')), 'passes');
    t.is(verdict(rig, 1, opening(fromPod(pod), 'gre')), 'passes');
  });

  contract(`who has no rules is not tracked, ${name}`, async (rig) => {
    const { t } = rig;
    await rig.commit(policed(family, { ingress: ['deny any'] }));
    t.is(verdict(rig, 0, opening(fromClient(podAt(9)), 'tcp')), 'passes');
    t.is(verdict(rig, 0, opening(fromClient(podAt(3)), 'tcp')), 'passes');
    t.is(rig.counter('flowsCreated'), 0);
    t.is(verdict(rig, 0, opening(fromClient(podAt(9)), 'gre')), 'passes');
  });

  contract(`rules with nothing in them have connections tracked, ${name}`, async (rig) => {
    const { t } = rig;
    await rig.commit(policed(family, {}));
    for (const kind of ['tcp', 'udp', 'sctp', 'echo'] as const) {
      t.is(verdict(rig, 0, inward(family, kind)), 'passes');
    }
    t.is(rig.counter('flowsCreated'), 4);
    for (const kind of ['gre', 'icmp'] as const)
      t.is(verdict(rig, 0, inward(family, kind)), 'passes');
    t.is(rig.counter('flowsCreated'), 4);
  });
}
