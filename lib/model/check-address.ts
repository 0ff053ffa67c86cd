// SPDX-License-Identifier: Apache-2.0
import { type ErrorCode, SluiceError } from '../errors.js';
import {
  formatAddress,
  formatPrefix,
  hostLength,
  isMartian,
  networkOf,
  type Prefix,
  parseAddress,
  parsePrefix,
  UNICAST_RULE,
  writeIpv4,
} from './address.js';
import { show } from './explain.js';

const SCRATCH = new Uint8Array(16);

/**
 * Canonical text of an address that something of ours may have.
 * @throws SluiceError of `code`
 */
export function checkAddress(value: unknown, path: string, code: ErrorCode): string {
  // There is one way to write IPv4, and models hold these by the hundred thousand.
  if (typeof value === 'string' && writeIpv4(value, SCRATCH, 0) && !isMartian(SCRATCH)) {
    return value;
  }
  const bytes = typeof value === 'string' ? parseAddress(value) : null;
  if (bytes === null) {
    const what = 'an IP address such as 10.96.0.10 (no leading zeros) or fd00::10';
    throw new SluiceError(code, `expected ${what}, found ${show(value)}`, { path });
  }
  if (isMartian(bytes)) {
    throw new SluiceError(code, `expected ${UNICAST_RULE}, found ${show(value)}`, { path });
  }
  return formatAddress(bytes);
}

/**
 * A prefix whose host bits are zero.
 * @param what - what a right value is, e.g. `a network such as 10.1.0.0/16 or fd00:1::/48`
 * @throws SluiceError of `code`
 */
export function checkPrefix(value: unknown, path: string, code: ErrorCode, what: string): Prefix {
  const prefix = typeof value === 'string' ? parsePrefix(value) : null;
  if (prefix === null) {
    const bare = typeof value === 'string' ? parseAddress(value) : null;
    const hint = bare === null ? '' : `; write ${value}/${hostLength(bare)}`;
    throw new SluiceError(code, `expected ${what}, found ${show(value)}${hint}`, { path });
  }
  const network = networkOf(prefix);
  if (formatPrefix(network) === formatPrefix(prefix)) return network;
  const message = `expected host bits of zero, found ${show(value)}; write ${formatPrefix(network)}`;
  throw new SluiceError(code, message, { path });
}
