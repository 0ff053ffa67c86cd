// SPDX-License-Identifier: Apache-2.0
// `npm start`: the whole set-up, then the demo. stdout is the demo's alone.
import { join } from 'node:path';
import { handOver } from './hand-over.js';
import { ROOT } from './native.js';
import { setUp } from './steps.js';

const results = await setUp();
for (const name of ['npmPackages', 'typescript']) {
  if (results[name]?.outcome === 'failed') {
    process.stderr.write('[sluice] the demo cannot start without this step\n');
    process.exit(1);
  }
}
handOver('the demo', [join(ROOT, 'dist/cli/main.js'), 'demo', ...process.argv.slice(2)]);
