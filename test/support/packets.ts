// SPDX-License-Identifier: Apache-2.0

/**
 * Frames for tests. `packet()` builds them layer by layer, with right lengths and checksums unless
 * a test asks for wrong ones; `fragments` cuts them; `read` takes them apart again; `faults` checks
 * every checksum from scratch. Shares no code with the engines.
 */
export * from './packets-build.js';
export * from './packets-bytes.js';
export { checksumOf, crc32c, PROTOCOL } from './packets-checksum.js';
export * from './packets-extensions.js';
export * from './packets-fragments.js';
export * from './packets-neighbours.js';
export * from './packets-read.js';
export * from './packets-tunnels.js';
