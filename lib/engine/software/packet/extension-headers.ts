// SPDX-License-Identifier: Apache-2.0
import { DROP } from '../../reasons.js';
import { read16, read32 } from '../base/byte-order.js';
import { PASSED } from './burst.js';

const HOP_BY_HOP = 0;
const ROUTING = 43;
const FRAGMENT = 44;
const AUTHENTICATION = 51;
const DESTINATION_OPTIONS = 60;

const LEAST_BYTES = 8;
const MOST_HEADERS = 8;
const SEGMENTS_LEFT = 3;
const MORE_FRAGMENTS = 0x0001;
const OFFSET_MASK = 0xfff8;

/** Whether the path walks through it (a fragment header apart). */
export function isExtensionHeader(protocol: number): boolean {
  return (
    protocol === HOP_BY_HOP ||
    protocol === ROUTING ||
    protocol === AUTHENTICATION ||
    protocol === DESTINATION_OPTIONS
  );
}

/** A walk through the extension headers of IPv6 (RFC 8200, 4), and what it has found. Made once. */
export class ExtensionWalk {
  /** Next header behind the last one walked through. */
  protocol = 0;
  /** Offset of what lies behind it. */
  at = 0;
  /** There is a fragment header; what follows is 0 without one. */
  hasFragmentHeader = false;
  identification = 0;
  /** Offset of the fragment in its datagram, in bytes. */
  offset = 0;
  more = false;
  /** Next header of the fragment header. */
  fragmentProtocol = 0;
  /** Offset of what lies behind the fragment header. */
  dataAt = 0;

  /**
   * Walks from `at`, where `protocol` begins, and no further than `end`.
   * @returns `PASSED`, `malformed_ipv6` or `routing_header`
   */
  run(frame: Uint8Array, protocol: number, at: number, end: number): number {
    this.protocol = protocol;
    this.at = at;
    this.hasFragmentHeader = false;
    this.identification = 0;
    this.offset = 0;
    this.more = false;
    for (let count = 0; ; count++) {
      const header = this.protocol;
      if (header !== FRAGMENT && !isExtensionHeader(header)) return PASSED;
      if (count === MOST_HEADERS || (header === HOP_BY_HOP && count > 0)) {
        return DROP.malformed_ipv6;
      }
      if (this.at + LEAST_BYTES > end) return DROP.malformed_ipv6;
      const length = lengthOf(header, frame[this.at + 1]);
      if (this.at + length > end) return DROP.malformed_ipv6;
      if (header === ROUTING && frame[this.at + SEGMENTS_LEFT] !== 0) return DROP.routing_header;
      if (header === FRAGMENT && !this.#takeFragment(frame)) return DROP.malformed_ipv6;
      this.protocol = frame[this.at];
      this.at += length;
      if (this.offset !== 0) return PASSED;
    }
  }

  /** @returns `false`: it is the second one */
  #takeFragment(frame: Uint8Array): boolean {
    if (this.hasFragmentHeader) return false;
    const bits = read16(frame, this.at + 2);
    this.hasFragmentHeader = true;
    this.fragmentProtocol = frame[this.at];
    this.offset = bits & OFFSET_MASK;
    this.more = (bits & MORE_FRAGMENTS) !== 0;
    this.identification = read32(frame, this.at + 4);
    this.dataAt = this.at + LEAST_BYTES;
    return true;
  }
}

function lengthOf(header: number, length: number): number {
  if (header === FRAGMENT) return LEAST_BYTES;
  return header === AUTHENTICATION ? (length + 2) * 4 : (length + 1) * 8;
}
