// SPDX-License-Identifier: Apache-2.0
import type { PacketBuilder } from '../support/packets.js';
import type { ProgramLiteral } from '../support/program.js';
import { type Family, fromClient, fromPod } from './net.js';
import type { Rig } from './rig.js';

/** Identities, by slot: the pod with its rules, and those that it talks to. */
export const ID = { pod: 0, client: 1, other: 2, neighbour: 3 } as const;

/** Selectors that hold each of them. */
export const SELECTORS = {
  pod: [4],
  client: [1, 5, 0xfffffffe],
  other: [2, 5],
  neighbour: [3, 5],
} as const;

/** Slots of the pod's rule sets. */
export const SET = { ingress: 0, egress: 1 } as const;

export interface PodRules {
  /** Default: none. */
  ingress?: readonly string[];
  egress?: readonly string[];
}

/** The pod has rules, if empty ones; its peers are known to selectors. */
export function policed(family: Family, { ingress = [], egress = [] }: PodRules): ProgramLiteral {
  return {
    ruleSets: [
      { slot: SET.ingress, rules: ingress },
      { slot: SET.egress, rules: egress },
    ],
    identities: [
      {
        slot: ID.pod,
        ingress: SET.ingress,
        egress: SET.egress,
        selectors: SELECTORS.pod,
        networks: [family.pod],
      },
      { slot: ID.client, selectors: SELECTORS.client, networks: [family.client] },
      { slot: ID.other, selectors: SELECTORS.other, networks: [family.other] },
      { slot: ID.neighbour, selectors: SELECTORS.neighbour, networks: [family.podAt(3)] },
    ],
  };
}

/** New rules for the pod, in place of those that it has. */
export function rules({ ingress = [], egress = [] }: PodRules): ProgramLiteral {
  return {
    ruleSets: [
      { slot: SET.ingress, rules: ingress },
      { slot: SET.egress, rules: egress },
    ],
  };
}

/** Sends one frame. @returns `passes`, or what it is dropped for */
export function verdict(rig: Rig, into: number, frame: Uint8Array): string {
  const before = rig.drops();
  const forwarded = rig.counter('forwarded');
  const originated = rig.counter('originated');
  rig.send(into, frame);
  rig.step();
  for (const slot of [0, 1]) rig.receive(slot);
  const dropped = Object.entries(rig.drops()).filter(
    ([reason, count]) => count > (before[reason] ?? 0),
  );
  if (dropped.length === 0) {
    rig.t.is(rig.counter('forwarded'), forwarded + 1);
    return 'passes';
  }
  const [[reason]] = dropped;
  if (reason.startsWith('policy_')) {
    rig.t.is(rig.counter('originated'), originated, 'the sender is not told');
  }
  return reason;
}

/** What kinds of packet the rules are tried with. */
export type Kind = 'tcp' | 'udp' | 'sctp' | 'echo' | 'gre' | 'icmp';

/** A packet that opens a connection, where its protocol has any; `gre` and `icmp` are no flows. */
export function opening(builder: PacketBuilder, kind: Kind, dst = 80, src = 40_000): Uint8Array {
  switch (kind) {
    case 'tcp':
      return builder.tcp({ src, dst, flags: 'S' }).build();
    case 'udp':
      return builder.udp({ src, dst, payload: 'x' }).build();
    case 'sctp':
      return builder.sctp({ src, dst, chunk: 'init' }).build();
    case 'echo':
      return builder.icmpEcho({ id: src }).build();
    case 'gre':
      return builder.payload(new Uint8Array(8), 47).build();
    case 'icmp':
      return builder.icmp({ type: 200 }).build();
  }
}

/** From the client to the pod. */
export function inward(family: Family, kind: Kind, port?: number): Uint8Array {
  return opening(fromClient(family.pod), kind, port);
}

/** From the pod to the client. */
export function outward(family: Family, kind: Kind, port?: number): Uint8Array {
  return opening(fromPod(family.client), kind, port);
}
