// SPDX-License-Identifier: Apache-2.0
// Building the native addon: what it needs, whether it is up to date, and the build itself.
import { existsSync, readFileSync, realpathSync } from 'node:fs';
import { createRequire } from 'node:module';
import { availableParallelism } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { filesUnder, fingerprint, readStamp, writeStamp } from './fingerprint.js';
import { run, which } from './processes.js';

/** The folder of package.json. */
export const ROOT = fileURLToPath(new URL('../../', import.meta.url));

const ADDON = 'build/Release/sluice.node';
const STAMP = 'build/.setup-stamp';
const MINIMUM_DPDK = '22.11';

/** How to get what the native engine is built with. */
export const NATIVE_REMEDY =
  'apt-get install build-essential python3 pkg-config libdpdk-dev, then npm run build:native';

/** Why the native engine is not wanted, or `null`. */
export function nativeDeclined() {
  if (process.env['SLUICE_ENGINE'] === 'software') return 'SLUICE_ENGINE=software';
  if (process.env['SLUICE_SKIP_NATIVE'] === '1') return 'SLUICE_SKIP_NATIVE=1';
  return null;
}

/** Why the native engine cannot be built here, in a few words, or `null` if it can. */
export async function nativeObstacle() {
  const declined = nativeDeclined();
  if (declined) return `${declined} (unset it to build the addon)`;
  if (process.platform !== 'linux') return `needs Linux, this is ${process.platform}`;
  const compiler = process.env['CXX']?.split(' ')[0];
  const missing = [];
  if (!(compiler ? which(compiler) : (which('g++') ?? which('c++')))) missing.push('C++ compiler');
  for (const tool of ['make', 'python3', 'pkg-config']) if (!which(tool)) missing.push(tool);
  if (which('pkg-config')) {
    const found = await run('pkg-config', [`--atleast-version=${MINIMUM_DPDK}`, 'libdpdk']);
    if (!found.ok) missing.push(`DPDK ${MINIMUM_DPDK} or later`);
  }
  return missing.length ? `no ${missing.join(', no ')} (get it: ${NATIVE_REMEDY})` : null;
}

/**
 * `--nodedir` for Node's own headers where the distribution has installed them beside the program,
 * so that nothing is fetched; else `null`, and node-gyp looks for itself.
 */
export function nodeDirectory() {
  const prefix = join(dirname(realpathSync(process.execPath)), '..');
  const header = join(prefix, 'include/node/node_version.h');
  if (!existsSync(header)) return null;
  const text = readFileSync(header, 'utf8');
  const version = ['MAJOR', 'MINOR', 'PATCH'].map(
    (part) => new RegExp(`#define NODE_${part}_VERSION (\\d+)`).exec(text)?.[1],
  );
  return `v${version.join('.')}` === process.version ? prefix : null;
}

/** True if the addon is there and was built from the sources that are there now. */
export async function nativeUpToDate() {
  return existsSync(join(ROOT, ADDON)) && readStamp(join(ROOT, STAMP)) === (await sourcePrint());
}

/** Builds the addon. Resolves to what {@link run} says. */
export async function buildNative(options = {}) {
  const print = await sourcePrint();
  const nodedir = nodeDirectory();
  const result = await run(
    process.execPath,
    [
      nodeGyp(),
      'rebuild',
      `--jobs=${availableParallelism()}`,
      ...(nodedir ? [`--nodedir=${nodedir}`] : []),
    ],
    { cwd: ROOT, timeoutMs: 1_200_000, ...options },
  );
  if (result.ok) writeStamp(join(ROOT, STAMP), print);
  return result;
}

async function sourcePrint() {
  // Tests are not part of the addon: changing one is no reason to build it again.
  const sources = filesUnder(
    join(ROOT, 'native'),
    (file) => !/_(test|bench|fuzz)\.cc$|\/(testing|corpus)\//.test(file),
  );
  const dpdk = await run('pkg-config', ['--modversion', 'libdpdk']);
  return fingerprint(
    [...sources, ...filesUnder(join(ROOT, 'binding.gyp'))],
    `${process.arch} ${process.versions.modules} ${dpdk.output}`,
  );
}

function nodeGyp() {
  // npm hands its own node-gyp to lifecycle scripts; ours is a dependency and comes first.
  try {
    return createRequire(import.meta.url).resolve('node-gyp/bin/node-gyp.js');
  } catch {
    return (
      process.env['npm_config_node_gyp'] ?? join(ROOT, 'node_modules/node-gyp/bin/node-gyp.js')
    );
  }
}
