// SPDX-License-Identifier: Apache-2.0
// `npm run bench`: the whole set-up, then the benchmarks. stdout is theirs alone.
import { join } from 'node:path';
import { handOver } from './hand-over.js';
import { ROOT } from './native.js';
import { setUp } from './steps.js';

const args = process.argv.slice(2);
// Neither needs anything that has to be built.
const onlyAsks = args.includes('--list') || args.includes('--help') || args.includes('-h');
const results = await setUp(onlyAsks ? 'any' : 'bench');
for (const name of ['npmPackages', ...(onlyAsks ? [] : ['nativeAddon', 'programs'])]) {
  const outcome = results[name]?.outcome;
  if (outcome === 'failed' || outcome === undefined) {
    process.stderr.write('[sluice] nothing can be measured without this step\n');
    process.exit(1);
  }
}
handOver('the benchmark', ['--import=tsx', join(ROOT, 'benchmarks/run.ts'), ...args]);
