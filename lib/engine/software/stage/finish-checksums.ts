// SPDX-License-Identifier: Apache-2.0
import { read16, read32, swap32, write16, write32 } from '../base/byte-order.js';
import { fold, sum } from '../base/checksum.js';
import { crc32c } from '../base/crc32c.js';
import { type Burst, CLASS, FRAGMENT } from '../packet/burst.js';
import { FAMILIES, pseudoSum, writeL4Checksum } from '../packet/family.js';
import { PROTOCOL, SCTP, TCP, UDP } from '../packet/headers.js';

/**
 * A kernel or a guest leaves checksums to the device where it can, and its peer takes the packets as
 * they are: what is unfinished is finished here, once, so that the rest of the path may rely on it.
 */
export function finishChecksum(burst: Burst, i: number): void {
  if (burst.fragment[i] !== FRAGMENT.none) return;
  const frame = burst.frame[i];
  const l4 = burst.l4[i];
  const rest = burst.length[i] - l4;
  switch (burst.class[i]) {
    case CLASS.tcp:
      finish(burst, i, rest, l4 + TCP.checksum);
      return;
    case CLASS.udp: {
      const at = l4 + UDP.checksum;
      if (read16(frame, at) === 0) return;
      finish(burst, i, read16(frame, l4 + UDP.length), at);
      // Zero would say that there is none (RFC 768).
      if (read16(frame, at) === 0) write16(frame, at, 0xffff);
      return;
    }
    case CLASS.sctp:
      if (read32(frame, l4 + SCTP.checksum) === 0) finishSctp(frame, l4, rest);
  }
}

function finish(burst: Burst, i: number, length: number, at: number): void {
  const frame = burst.frame[i];
  const family = FAMILIES[burst.family[i]];
  const protocol = burst.class[i] === CLASS.tcp ? PROTOCOL.tcp : PROTOCOL.udp;
  const pseudo = pseudoSum(family, frame, protocol, length);
  if (read16(frame, at) !== fold(pseudo)) return;
  if (fold(pseudo + sum(frame, burst.l4[i], length)) === 0xffff) return;
  writeL4Checksum(family, frame, protocol, burst.l4[i], length, at);
}

// CRC32c goes out least significant byte first (RFC 9260, appendix A).
function finishSctp(frame: Uint8Array, l4: number, length: number): void {
  const crc = ~crc32c(frame, -1, l4, length);
  write32(frame, l4 + SCTP.checksum, swap32(crc));
}
