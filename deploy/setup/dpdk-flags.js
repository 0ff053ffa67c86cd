// SPDX-License-Identifier: Apache-2.0
// Prints pkg-config's compiler flags for DPDK with its headers as system headers: -Werror is for our
// own code, not for theirs.
import { execFileSync } from 'node:child_process';

const flags = execFileSync('pkg-config', ['--cflags', 'libdpdk'], { encoding: 'utf8' });
console.log(flags.trim().replace(/(^|\s)-I/g, '$1-isystem '));
