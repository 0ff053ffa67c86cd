// SPDX-License-Identifier: Apache-2.0
import { ADDRESS_WORDS, isSame } from '../base/address.js';
import { hashTuple } from '../base/crc32c.js';
import type { Burst } from '../packet/burst.js';
import type { Family } from '../packet/family.js';
import { QuotedPacket } from '../packet/quoted.js';
import { NO_FLOW } from '../table/flow-table.js';
import type { Context } from './context.js';

const quoted = new QuotedPacket();

/**
 * The flow that an ICMP error belongs to, in the direction in which the error goes: that of the replies
 * to the packet which it quotes.
 * @returns the entry, or `NO_FLOW`
 */
export function findRelated(burst: Burst, i: number, family: Family, context: Context): number {
  if (!quoted.read(burst, i, family)) return NO_FLOW;
  const flows = context.flowsOf(family);
  const ports = (quoted.ports << 16) | (quoted.ports >>> 16);
  const { source, destination, protocol } = quoted;
  const hash = hashTuple(destination, 0, source, 0, ports, protocol, family.firstWord);
  const entry = flows.find(destination, 0, source, 0, ports, protocol, hash);
  if (entry === NO_FLOW || flows.expired(entry >> 1, context.nowSeconds)) return NO_FLOW;
  const isOnItsWay = isSame(
    flows.keys,
    flows.destinationAt(entry),
    burst.destination,
    i * ADDRESS_WORDS,
  );
  return isOnItsWay ? entry : NO_FLOW;
}
