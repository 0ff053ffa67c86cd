// SPDX-License-Identifier: Apache-2.0
// `npm run test:asan`: the addon built with ASan and UBSan, and its tests run with that build.
// Arguments are globs of test files; without any, the tests that load the addon.
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { nativeObstacle, ROOT } from './native.js';
import { run, tail, which } from './processes.js';
import { TapReader } from './tap.js';

const OUT = 'build-addon-asan';
/** Folders and files of test/ whose tests load the addon. */
const FOLDERS = ['contract', 'differential', 'e2e/commits', 'e2e/interfaces'];
const say = (line) => process.stdout.write(`${line}\n`);

process.exitCode = await main();

async function main() {
  const obstacle = (await nativeObstacle()) ?? (which('cmake') ? null : 'no cmake');
  if (obstacle) {
    say(`[sluice] nothing to check: ${obstacle}`);
    return 1;
  }
  say('[sluice] addon with ASan and UBSan: compiling ...');
  const build = await run(
    process.execPath,
    [
      join(ROOT, 'node_modules/cmake-js/bin/cmake-js'),
      'compile',
      '--debug',
      ...['--CDSLUICE_SANITIZE=ON', '--CDSLUICE_TESTS=OFF'],
      ...['--out', OUT, '--parallel', String(availableParallelism())],
    ],
    { cwd: ROOT, timeoutMs: 1_200_000, onStdout: (text) => process.stderr.write(text) },
  );
  if (!build.ok) {
    say(tail(build.output, 60));
    return 1;
  }
  const globs = process.argv.slice(2);
  const reader = new TapReader(say);
  const test = await run(
    process.execPath,
    [
      join(ROOT, 'node_modules/ava/entrypoints/cli.mjs'),
      '--tap',
      ...(globs.length
        ? globs
        : FOLDERS.flatMap((name) => [`test/${name}/**/*.test.ts`, `test/${name}.test.ts`])),
    ],
    {
      cwd: ROOT,
      timeoutMs: 3_600_000,
      env: { ...process.env, ...(await sanitizerEnvironment()) },
      onStdout: (text) => reader.write(text),
      onStderr: (text) => process.stderr.write(text),
    },
  );
  reader.end();
  // A report that did not end its process is a failure all the same.
  const reports = test.output.match(/ERROR: AddressSanitizer|runtime error:/g)?.length ?? 0;
  say(`${reader.passed} passed, ${reader.failed} failed, ${reader.skipped} skipped`);
  say(`${reports} sanitizer reports`);
  return test.ok && reader.complete && reader.passed > 0 && reports === 0 ? 0 : 1;
}

/** The program is an ordinary Node, so the runtime must be there before it. */
async function sanitizerEnvironment() {
  const libraries = [];
  for (const name of ['libasan.so', 'libubsan.so', 'libstdc++.so']) {
    const found = await run('gcc', [`-print-file-name=${name}`]);
    libraries.push(found.output.trim());
  }
  return {
    LD_PRELOAD: libraries.join(':'),
    // Node frees nothing at its end, and V8 keeps pointers where no leak checker looks.
    ASAN_OPTIONS: 'detect_leaks=0:abort_on_error=1:use_sigaltstack=0',
    UBSAN_OPTIONS: 'print_stacktrace=1:halt_on_error=1',
    SLUICE_ADDON: join(ROOT, OUT, 'Debug/sluice.node'),
  };
}
