// SPDX-License-Identifier: Apache-2.0

const HEADER = 24;
const RECORD_HEADER = 16;
const LINKTYPE_ETHERNET = 1;
const SNAPLEN = 65_535;
// As they read in the file's own byte order; times in nanoseconds have a magic number of their own.
const MAGIC_MICROSECONDS = 0xa1b2c3d4;
const MAGIC_NANOSECONDS = 0xa1b23c4d;

/**
 * Frames of a classic pcap file (the format of libpcap; micro- or nanoseconds, either byte order),
 * as views of `file`. Times are not read: frames are played as fast as they are taken.
 *
 * @throws Error that says what is wrong and at which byte
 */
export function readPcap(file: Uint8Array): Uint8Array[] {
  if (file.length < HEADER) throw new Error('is too short for a pcap file');
  const view = new DataView(file.buffer, file.byteOffset, file.byteLength);
  const littleEndian = isMagic(view.getUint32(0, true));
  if (!littleEndian && !isMagic(view.getUint32(0, false))) {
    throw new Error('is no classic pcap file (pcapng is not read)');
  }
  const linkType = view.getUint32(20, littleEndian) & 0x0fff_ffff;
  if (linkType !== LINKTYPE_ETHERNET) {
    throw new Error(`has link type ${linkType}; only Ethernet (1) is read`);
  }
  const frames: Uint8Array[] = [];
  for (let at = HEADER; at < file.length; ) {
    if (at + RECORD_HEADER > file.length) throw new Error(`ends inside a record, at byte ${at}`);
    const length = view.getUint32(at + 8, littleEndian);
    const first = at + RECORD_HEADER;
    if (first + length > file.length) throw new Error(`ends inside a record, at byte ${at}`);
    frames.push(file.subarray(first, first + length));
    at = first + length;
  }
  return frames;
}

function isMagic(value: number): boolean {
  return value === MAGIC_MICROSECONDS || value === MAGIC_NANOSECONDS;
}

/** Header of a classic pcap file: microseconds, little endian, Ethernet. */
export function pcapHeader(): Uint8Array {
  const header = new Uint8Array(HEADER);
  const view = new DataView(header.buffer);
  view.setUint32(0, MAGIC_MICROSECONDS, true);
  view.setUint16(4, 2, true);
  view.setUint16(6, 4, true);
  view.setUint32(16, SNAPLEN, true);
  view.setUint32(20, LINKTYPE_ETHERNET, true);
  return header;
}

/** A frame as a record, taken at `timeMs` since the epoch. */
export function pcapRecord(frame: Uint8Array, timeMs: number): Uint8Array {
  const record = new Uint8Array(RECORD_HEADER + frame.length);
  const view = new DataView(record.buffer);
  view.setUint32(0, Math.floor(timeMs / 1000), true);
  view.setUint32(4, Math.floor((timeMs % 1000) * 1000), true);
  view.setUint32(8, frame.length, true);
  view.setUint32(12, frame.length, true);
  record.set(frame, RECORD_HEADER);
  return record;
}
