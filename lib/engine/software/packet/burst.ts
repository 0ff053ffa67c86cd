// SPDX-License-Identifier: Apache-2.0
import { ADDRESS_WORDS } from '../base/address.js';
import type { NextHop } from '../table/groups.js';
import type { Frontend } from '../table/service-table.js';
import type { Family } from './family.js';

/** Packets that are taken from an interface at once. */
export const MAX_BURST = 64;

/** What a check gives that has nothing to object to; else it gives one of `DROP`. */
export const PASSED = -1;

/** Where a packet goes next. A stage looks at the packets of its own lane and passes over the rest. */
export const LANE = {
  /** It has met its fate, or waits: nobody looks at it again. */
  done: 0,
  arp: 1,
  nd: 2,
  fragment: 3,
  flow: 4,
  service: 5,
  nat: 6,
  route: 7,
  rewrite: 8,
  neighbour: 9,
  /** To be sent and counted as forwarded. */
  forward: 10,
  /** To be sent and counted as answered. */
  answer: 11,
  /** To be sent and counted as handed to the host. */
  host: 12,
} as const;

/** What parse makes of a packet. */
export const CLASS = { other: 0, tcp: 1, udp: 2, sctp: 3, echo: 4, icmpError: 5, nd: 6 } as const;

/** Of a datagram in fragments: the first one has the L4 header, the later ones do not. */
export const FRAGMENT = { none: 0, first: 1, later: 2 } as const;

/**
 * Up to 64 packets that go through the stages together, a column for each thing that the stages
 * learn about them. Made once. Addresses are four words each (base/address.ts); `ports` holds the
 * source port in its upper and the destination port in its lower half.
 */
export class Burst {
  count = 0;
  /** Slot of the interface that the packet came in by. */
  readonly ingress = new Uint16Array(MAX_BURST);
  readonly frame: Uint8Array[] = new Array<Uint8Array>(MAX_BURST).fill(new Uint8Array(0));
  /** Bytes of the frame that count; stages may shorten it. */
  readonly length = new Uint32Array(MAX_BURST);
  readonly lane = new Uint8Array(MAX_BURST);
  /** `index` of the family. */
  readonly family = new Uint8Array(MAX_BURST);
  /** One of {@link CLASS}. */
  readonly class = new Uint8Array(MAX_BURST);
  /** Offset of the L4 header from the start of the frame. */
  readonly l4 = new Uint32Array(MAX_BURST);
  readonly source = new Int32Array(MAX_BURST * ADDRESS_WORDS);
  readonly destination = new Int32Array(MAX_BURST * ADDRESS_WORDS);
  readonly ports = new Int32Array(MAX_BURST);
  readonly protocol = new Uint8Array(MAX_BURST);
  readonly tcpFlags = new Uint8Array(MAX_BURST);
  /** Bytes from the IP header on. */
  readonly ipLength = new Uint32Array(MAX_BURST);
  readonly hash = new Int32Array(MAX_BURST);

  /** One of {@link FRAGMENT}; what follows is set for fragments alone. */
  readonly fragment = new Uint8Array(MAX_BURST);
  readonly identification = new Uint32Array(MAX_BURST);
  /** First byte of the datagram that the fragment carries, and how many. */
  readonly fragmentOffset = new Uint32Array(MAX_BURST);
  readonly fragmentLength = new Uint32Array(MAX_BURST);
  readonly moreFragments = new Uint8Array(MAX_BURST);

  /** Flow entry that `route` and `rewrite` go by, or `NO_FLOW`. */
  readonly entry = new Int32Array(MAX_BURST);
  /** Where it is dropped, the sender is to be told. */
  readonly rejected = new Uint8Array(MAX_BURST);
  /** One of `SCOPE`, where a frontend was found. */
  readonly scope = new Uint8Array(MAX_BURST);
  readonly frontend: (Frontend | null)[] = new Array<Frontend | null>(MAX_BURST).fill(null);
  /** Where there is a route: the next hop of its group. */
  readonly route: (NextHop | null)[] = new Array<NextHop | null>(MAX_BURST).fill(null);
  /** Its address: the gateway's, or the destination itself. */
  readonly nextHop = new Int32Array(MAX_BURST * ADDRESS_WORDS);
  /** It goes to this node's kernel. */
  readonly toHost = new Uint8Array(MAX_BURST);
  /** Slot of the interface to send on. */
  readonly egress = new Uint16Array(MAX_BURST);

  /** Whether a packet of a family may be left. */
  hasAnyOf(family: Family): boolean {
    for (let i = 0; i < this.count; i++) {
      if (this.family[i] === family.index && this.lane[i] !== LANE.done) return true;
    }
    return false;
  }

  /** Whether packet `i` is in a lane and of a family. */
  isIn(i: number, lane: number, family: Family): boolean {
    return this.lane[i] === lane && this.family[i] === family.index;
  }
}
