// SPDX-License-Identifier: Apache-2.0

import type { Route } from '../table/routes.js';
import type { Pool } from '../table/service-table.js';

/** Packets that are taken from an interface at once. */
export const MAX_BURST = 64;

/** Where a packet goes next. A stage looks at the packets of its own lane and passes over the rest. */
export const LANE = {
  /** It has met its fate: nobody looks at it again. */
  done: 0,
  arp: 1,
  flow: 2,
  service: 3,
  nat: 4,
  rewrite: 5,
  route: 6,
  neighbour: 7,
  /** To be sent and counted as forwarded. */
  forward: 8,
  /** To be sent and counted as answered. */
  answer: 9,
} as const;

/**
 * Up to 64 packets that go through the stages together, a column for each thing that the stages
 * learn about them. Made once. Addresses are numbers (`10.0.0.1` is `0x0a000001`); `ports` holds the
 * source port in its upper and the destination port in its lower half.
 */
export class Burst {
  count = 0;
  /** Slot of the interface that all packets of this burst came in by. */
  ingress = 0;
  readonly frame: Uint8Array[] = new Array<Uint8Array>(MAX_BURST).fill(new Uint8Array(0));
  /** Bytes of the frame that count; stages may shorten it. */
  readonly length = new Uint32Array(MAX_BURST);
  readonly lane = new Uint8Array(MAX_BURST);
  /** Offset of the L4 header from the start of the frame. */
  readonly l4 = new Uint16Array(MAX_BURST);
  readonly source = new Uint32Array(MAX_BURST);
  readonly destination = new Uint32Array(MAX_BURST);
  readonly ports = new Uint32Array(MAX_BURST);
  readonly protocol = new Uint8Array(MAX_BURST);
  readonly tcpFlags = new Uint8Array(MAX_BURST);
  /** IP total length. */
  readonly ipLength = new Uint16Array(MAX_BURST);
  readonly hash = new Uint32Array(MAX_BURST);
  /** Flow entry that `rewrite` goes by. */
  readonly entry = new Uint32Array(MAX_BURST);
  readonly pool: (Pool | null)[] = new Array<Pool | null>(MAX_BURST).fill(null);
  readonly route: (Route | null)[] = new Array<Route | null>(MAX_BURST).fill(null);
  readonly nextHop = new Uint32Array(MAX_BURST);
  /** Slot of the interface to send on. */
  readonly egress = new Uint16Array(MAX_BURST);
}
