// SPDX-License-Identifier: Apache-2.0
import { INTERFACE_SCOPE } from '../../../compile/program.js';
import { DROP } from '../../reasons.js';
import { ADDRESS_WORDS } from '../base/address.js';
import { type Burst, FRAGMENT, PASSED } from '../packet/burst.js';
import type { Context } from './context.js';

/** A datagram is no longer than this, in bytes. */
const LONGEST = 65_535;

/** Whether the source is our own, where our own packets do not come from. */
export function isForged(burst: Burst, i: number, { program }: Context): boolean {
  return (
    program.scopes[burst.ingress[i]] !== INTERFACE_SCOPE.host &&
    program.addresses.has(burst.source, i * ADDRESS_WORDS)
  );
}

/** Whether the source is none that the interface may send with. */
export function isSpoofed(burst: Burst, i: number, { program }: Context): boolean {
  return !program.sources.allows(burst.ingress[i], burst.source, i * ADDRESS_WORDS);
}

/**
 * Notes which bytes of its datagram a fragment has.
 * @param offset - in bytes
 * @returns `PASSED` or one of `DROP`
 */
export function takeFragment(
  burst: Burst,
  i: number,
  identification: number,
  offset: number,
  length: number,
  more: boolean,
): number {
  const isSound = length > 0 && (!more || length % 8 === 0) && offset + length <= LONGEST;
  if (!isSound) return DROP.malformed_fragment;
  burst.fragment[i] = offset === 0 ? FRAGMENT.first : FRAGMENT.later;
  burst.identification[i] = identification;
  burst.fragmentOffset[i] = offset;
  burst.fragmentLength[i] = length;
  burst.moreFragments[i] = more ? 1 : 0;
  return PASSED;
}
