// SPDX-License-Identifier: Apache-2.0
import { concat, get16, put16 } from './packets-bytes.js';
import { checksumOf } from './packets-checksum.js';
import { chain, fragmentHeader, HEADER } from './packets-extensions.js';

/** A part of a datagram: bytes `from` to `to` of what may be cut in pieces. */
export interface Piece {
  from: number;
  to: number;
  /** Default: there is more behind `to`. */
  more?: boolean;
  id?: number;
}

const DEFAULT_ID = 0x1234;

/**
 * Cuts the IP packet of a frame in pieces, in their order.
 *
 * @param at - The MTU, or the places of the cuts: multiples of 8, counted behind the IP header.
 */
export function fragments(
  frame: Uint8Array,
  at: number | readonly number[],
  id = DEFAULT_ID,
): Uint8Array[] {
  const { head, data } = parts(frame);
  const cuts = typeof at === 'number' ? evenCuts(at, head.length - 14, data.length) : at;
  const edges = [0, ...cuts, data.length];
  return edges.slice(1).map((to, i) => fragment(frame, { from: edges[i], to, id }));
}

/** One piece, which need not go with others. */
export function fragment(frame: Uint8Array, { from, to, more, id }: Piece): Uint8Array {
  const { head, data, extension } = parts(frame);
  const piece = {
    offset: from,
    more: more ?? to < data.length,
    id: id ?? DEFAULT_ID,
  };
  const slice = data.slice(from, to);
  if (get16(frame, 12) === 0x0800) return concat(ipv4Head(head, piece, slice.length), slice);
  const { bytes } = chain([fragmentHeader(piece)], extension);
  const start = head.slice(0, head.length - 8);
  put16(start, 14 + 4, start.length - 14 - 40 + 8 + slice.length);
  return concat(start, bytes, slice);
}

function ipv4Head(
  head: Uint8Array,
  { offset, more, id }: { offset: number; more: boolean; id: number },
  length: number,
): Uint8Array {
  const bytes = head.slice();
  const ip = bytes.subarray(14);
  put16(ip, 2, ip.length + length);
  put16(ip, 4, id);
  put16(ip, 6, (more ? 0x2000 : 0) | (offset / 8));
  put16(ip, 10, 0);
  put16(ip, 10, checksumOf(ip));
  return bytes;
}

/** The frame up to the cut-up part, with room for a fragment header in IPv6, and that part. */
function parts(frame: Uint8Array): { head: Uint8Array; data: Uint8Array; extension: number } {
  if (get16(frame, 12) === 0x0800) {
    const start = 14 + (frame[14] & 0x0f) * 4;
    const data = frame.slice(start, 14 + get16(frame, 16));
    return { head: frame.slice(0, start), data, extension: 0 };
  }
  // Hop-by-hop options are for every router: they stay before the fragment header (RFC 8200, 4.5).
  const hasHopByHop = frame[20] === HEADER.hopByHop;
  const start = 54 + (hasHopByHop ? (frame[55] + 1) * 8 : 0);
  const nextAt = hasHopByHop ? 54 : 20;
  const head = concat(frame.slice(0, start), new Uint8Array(8));
  head[nextAt] = HEADER.fragment;
  const data = frame.slice(start, 54 + get16(frame, 18));
  return { head, data, extension: frame[nextAt] };
}

function evenCuts(mtu: number, header: number, length: number): number[] {
  const each = Math.floor((mtu - header) / 8) * 8;
  return Array.from({ length: Math.ceil(length / each) - 1 }, (_, i) => (i + 1) * each);
}
