// SPDX-License-Identifier: Apache-2.0
// npm's `install` hook: builds the native addon where that is possible. Installing never fails for
// want of DPDK or a compiler, because the software engine needs neither; who cannot do without the
// native engine says so with SLUICE_REQUIRE_NATIVE=1.
import { buildNative, nativeObstacle, nativeUpToDate } from './native.js';
import { tail } from './processes.js';

const required = process.env['SLUICE_REQUIRE_NATIVE'] === '1';
const say = (line) => process.stderr.write(`[sluice] ${line}\n`);

const obstacle = await nativeObstacle();
if (obstacle) {
  say(`native engine skipped: ${obstacle}; the software engine works without it`);
  if (required) process.exitCode = 1;
} else if (await nativeUpToDate()) {
  say('native engine: up to date');
} else {
  const begin = Date.now();
  const result = await buildNative();
  if (result.ok) {
    say(`native engine: built (${Math.round((Date.now() - begin) / 1000)} s)`);
  } else {
    process.stderr.write(`${tail(result.output, 40)}\n`);
    say(
      'native engine: the build failed; the software engine remains (again: npm run build:native)',
    );
    if (required) process.exitCode = 1;
  }
}
