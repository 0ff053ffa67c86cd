// SPDX-License-Identifier: Apache-2.0
// Tells whether something built is still what its sources say: by content, because a fresh clone
// and a copied tree carry modification times that mean nothing.
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

/** All files under `path` (a file or a folder), sorted, that `wanted` keeps. */
export function filesUnder(path, wanted = () => true) {
  if (!existsSync(path)) return [];
  if (!statSync(path).isDirectory()) return wanted(path) ? [path] : [];
  return readdirSync(path)
    .sort()
    .flatMap((name) => filesUnder(join(path, name), wanted));
}

/** Hash over the names and contents of `files` and over `extra`. */
export function fingerprint(files, extra = '') {
  const hash = createHash('sha256').update(extra);
  for (const file of files) hash.update(`\0${file}\0`).update(readFileSync(file));
  return hash.digest('hex');
}

/** The fingerprint that was kept at `stamp`, or `null`. */
export function readStamp(stamp) {
  return existsSync(stamp) ? readFileSync(stamp, 'utf8').trim() : null;
}

export function writeStamp(stamp, value) {
  mkdirSync(dirname(stamp), { recursive: true });
  writeFileSync(stamp, `${value}\n`);
}
