// SPDX-License-Identifier: Apache-2.0
import { arp, fragments, solicitation } from '../support/packets.js';
import type { DropCase } from './drop-cases.js';
import { FAMILIES, type Family, fromClient, fromPod, NET, tcp, V4, V6 } from './net.js';
import { type Kind, opening, type PodRules, policed } from './policing.js';
import type { Rig } from './rig.js';

/** What policy drops, and spoofed sources. */

function spoofedCases({ name, client, podAt }: Family): DropCase[] {
  const before = (rig: Rig) => rig.commit({ sources: [{ on: 1, from: podAt(2) }] });
  const frame = fromPod(client, podAt(3))
    .udp({ src: 1, dst: 2, payload: new Uint8Array(64) })
    .build();
  return [
    { reason: 'source_spoofed', title: name, into: 1, before, frame },
    {
      reason: 'source_spoofed',
      title: `${name}, a later fragment`,
      into: 1,
      before,
      frame: fragments(frame, [24])[1],
    },
  ];
}

const SENDERS: readonly DropCase[] = [
  {
    reason: 'source_spoofed',
    title: 'ARP',
    into: 1,
    before: (rig) => rig.commit({ sources: [{ on: 1, from: V4.pod }] }),
    frame: arp({ operation: 1, senderMac: NET.pod.mac, sender: V4.podAt(3), target: V4.own[1] }),
  },
  {
    reason: 'source_spoofed',
    title: 'neighbour discovery',
    into: 1,
    before: (rig) => rig.commit({ sources: [{ on: 1, from: V6.pod }] }),
    frame: solicitation({ mac: NET.pod.mac, sender: V6.podAt(3), target: V6.own[1] }),
  },
];

const KINDS: readonly Kind[] = ['tcp', 'udp', 'sctp', 'echo', 'gre', 'icmp'];

function policyCases(family: Family): DropCase[] {
  const { name, pod, client, service } = family;
  const having = (rules: PodRules) => (rig: Rig) => rig.commit(policed(family, rules));
  const pending = (rig: Rig) =>
    rig.commit({
      identities: [{ slot: 0, ingress: 'pending', egress: 'pending', networks: [pod] }],
    });
  const live = async (rig: Rig) => {
    rig.pass(0, 1, tcp('S', 40_000, service));
    await having({ ingress: ['deny any'] })(rig);
  };
  return [
    ...KINDS.flatMap((kind): DropCase[] => [
      {
        reason: 'policy_pending',
        title: `${name}, ${kind}`,
        before: pending,
        frame: opening(fromClient(pod), kind),
      },
      {
        reason: 'policy_denied_ingress',
        title: `${name}, ${kind}`,
        before: having({ ingress: ['deny any'] }),
        frame: opening(fromClient(pod), kind),
      },
      {
        reason: 'policy_denied_egress',
        title: `${name}, ${kind}`,
        into: 1,
        before: having({ egress: ['deny any'] }),
        frame: opening(fromPod(client), kind),
      },
    ]),
    {
      reason: 'policy_pending',
      title: `${name}, by way of a service`,
      before: pending,
      frame: tcp('S', 40_000, service),
    },
    {
      reason: 'policy_denied_ingress',
      title: `${name}, by way of a service`,
      before: having({ ingress: ['deny any'] }),
      frame: tcp('S', 40_000, service),
    },
    {
      reason: 'policy_denied_ingress',
      title: `${name}, a connection that was there before`,
      before: live,
      frame: tcp('A', 40_000, service),
    },
    {
      reason: 'policy_denied_ingress',
      title: `${name}, an ICMP error of no connection`,
      before: having({ ingress: ['deny any'] }),
      frame: fromClient(pod)
        .icmpError({
          type: name === 'IPv4' ? 3 : 1,
          quoting: fromPod(client).udp({ src: 1, dst: 2 }).build(),
        })
        .build(),
    },
  ];
}

export const POLICY_CASES: readonly DropCase[] = [
  ...FAMILIES.flatMap((family) => [...spoofedCases(family), ...policyCases(family)]),
  ...SENDERS,
];
