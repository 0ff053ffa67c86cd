// SPDX-License-Identifier: Apache-2.0
// Prints native/sources.txt without its comments, for binding.gyp.
import { readFileSync } from 'node:fs';

const list = readFileSync(new URL('../../native/sources.txt', import.meta.url), 'utf8');
for (const line of list.split('\n')) {
  if (line.trim() && !line.startsWith('#')) console.log(line.trim());
}
