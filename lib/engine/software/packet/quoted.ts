// SPDX-License-Identifier: Apache-2.0
import { ADDRESS_WORDS } from '../base/address.js';
import { read16 } from '../base/byte-order.js';
import { type Burst, CLASS, PASSED } from './burst.js';
import { ExtensionWalk } from './extension-headers.js';
import { type Family, read } from './family.js';
import { ICMP, IPV4, IPV4_FRAGMENT, IPV6 } from './headers.js';
import { classOf, portsOf } from './l4.js';

const LEAST_L4 = 8;
// Offsets from the start of a header, of what headers.ts gives from the start of a frame.
const IPV4_FRAGMENT_AT = IPV4.fragment - IPV4.versionAndLength;
const IPV4_PROTOCOL_AT = IPV4.protocol - IPV4.versionAndLength;
const IPV6_NEXT_HEADER_AT = IPV6.nextHeader - IPV6.version;

const walk = new ExtensionWalk();

/** The packet that an ICMP error quotes: who sent what to whom. Made once. */
export class QuotedPacket {
  /** Offset of its IP header in the frame. */
  at = 0;
  /** Offset of its L4 header. */
  l4 = 0;
  /** End of what is quoted. */
  end = 0;
  protocol = 0;
  /** One of `CLASS`. */
  class = 0;
  readonly source = new Int32Array(ADDRESS_WORDS);
  readonly destination = new Int32Array(ADDRESS_WORDS);
  ports = 0;

  /** @returns `false`: nothing that could belong to a flow */
  read(burst: Burst, i: number, family: Family): boolean {
    const frame = burst.frame[i];
    this.at = burst.l4[i] + ICMP.minimumLength;
    this.end = burst.length[i];
    const isWhole = family.isIpv4 ? this.#readIpv4(frame) : this.#readIpv6(frame);
    if (!isWhole || this.end - this.l4 < LEAST_L4) return false;
    this.class = classOf(family, this.protocol, frame, this.l4);
    if (this.class === CLASS.other || this.class === CLASS.icmpError) return false;
    read(family, frame, this.at + family.sourceInHeader, this.source, 0);
    read(family, frame, this.at + family.destinationInHeader, this.destination, 0);
    this.ports = portsOf(family, this.class, frame, this.l4);
    return true;
  }

  #readIpv4(frame: Uint8Array): boolean {
    if (this.end - this.at < IPV4.minimumLength || frame[this.at] >>> 4 !== 4) return false;
    const header = (frame[this.at] & 0x0f) * 4;
    if (header < IPV4.minimumLength || this.at + header > this.end) return false;
    const fragment = read16(frame, this.at + IPV4_FRAGMENT_AT);
    if ((fragment & IPV4_FRAGMENT.offsetMask) !== 0) return false;
    this.protocol = frame[this.at + IPV4_PROTOCOL_AT];
    this.l4 = this.at + header;
    return true;
  }

  #readIpv6(frame: Uint8Array): boolean {
    if (this.end - this.at < IPV6.length || frame[this.at] >>> 4 !== 6) return false;
    const next = frame[this.at + IPV6_NEXT_HEADER_AT];
    if (walk.run(frame, next, this.at + IPV6.length, this.end) !== PASSED) return false;
    this.protocol = walk.protocol;
    this.l4 = walk.at;
    return walk.offset === 0;
  }
}
