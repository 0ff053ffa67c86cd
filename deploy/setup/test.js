// SPDX-License-Identifier: Apache-2.0
// `npm test`: the set-up, the static checks, the C++ tests, the tests. The last line on stdout is
// `N passed, N failed, N skipped`, and the exit code says whether anything failed.
//
//   npm test                        everything
//   npm test -- --only unit         one part: static, native, or a folder of test/ (with commas)
//   npm test -- test/unit/x.test.ts these files (globs) alone
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { ROOT } from './native.js';
import { nativeTestFiles, nativeTestObstacle, runNativeTests } from './native-tests.js';
import { run, tail, which } from './processes.js';
import { setUp } from './steps.js';
import { TapReader } from './tap.js';

const AVA_TIMEOUT_MS = 2_400_000;
const total = { passed: 0, failed: 0, skipped: 0 };
const say = (line) => process.stdout.write(`${line}\n`);
const add = (counts) => {
  for (const key of Object.keys(total)) total[key] += counts[key];
};

try {
  await main();
} catch (error) {
  say(`FAILED: ${error.stack ?? error}`);
  total.failed += 1;
}
process.exitCode = total.failed > 0 ? 1 : 0;
say(`${total.passed} passed, ${total.failed} failed, ${total.skipped} skipped`);

async function main() {
  const { values, positionals } = parseArgs({
    options: { only: { type: 'string', multiple: true } },
    allowPositionals: true,
  });
  const only = values.only?.flatMap((value) => value.split(',')) ?? [];
  const everything = only.length === 0 && positionals.length === 0;
  for (const name of only) {
    if (!['static', 'native'].includes(name) && !existsSync(join(ROOT, 'test', name))) {
      throw new Error(`--only ${name}: neither static, native, nor a folder of test/`);
    }
  }

  const steps = await setUp('test');
  if (steps.npmPackages.outcome === 'failed') throw new Error('nothing can run without packages');
  // The engine was wanted and everything is there: that it cannot be built is a failure of ours.
  for (const name of ['nativeAddon', 'typescript']) {
    if (steps[name].outcome === 'failed') total.failed += 1;
  }

  if (everything || only.includes('static')) await staticChecks();
  if (everything || only.includes('native')) await nativeTests();
  const folders = only
    .filter((name) => existsSync(join(ROOT, 'test', name)))
    .map((name) => `test/${name}/**/*.test.ts`);
  const globs = [...positionals, ...folders];
  if (everything || globs.length > 0) await avaTests(globs);
}

async function staticChecks() {
  say('static checks');
  const node = (script, ...args) => [process.execPath, [join(ROOT, script), ...args]];
  await check('biome', ...node('node_modules/@biomejs/biome/bin/biome', 'check', '.'));
  await check('types', ...node('node_modules/typescript/bin/tsc', '--noEmit'));
  await check('generated files', ...node('deploy/setup/generate.js', '--check'));
  if (which('clang-format')) {
    await check('clang-format', ...node('deploy/setup/clang-format.js', '--check'));
  } else {
    say('  skipped  clang-format: not installed (get it: apt-get install clang-format)');
    total.skipped += 1;
  }
}

async function check(name, command, args) {
  const result = await run(command, args, { cwd: ROOT });
  say(`  ${result.ok ? 'ok' : 'FAILED'}  ${name}`);
  if (!result.ok) say(tail(result.output, 80).replace(/^/gm, '    '));
  total[result.ok ? 'passed' : 'failed'] += 1;
}

async function nativeTests() {
  say('C++ tests (ASan, UBSan)');
  const obstacle = await nativeTestObstacle();
  if (obstacle) {
    const files = nativeTestFiles();
    say(`  skipped  ${files} test files: ${obstacle}`);
    total.skipped += files;
    return;
  }
  add(await runNativeTests(say));
}

async function avaTests(globs) {
  say('tests');
  const reader = new TapReader(say);
  const result = await run(
    process.execPath,
    [join(ROOT, 'node_modules/ava/entrypoints/cli.mjs'), '--tap', ...globs],
    {
      cwd: ROOT,
      timeoutMs: AVA_TIMEOUT_MS,
      env: { ...process.env, NO_COLOR: '1', FORCE_COLOR: '0' },
      onStdout: (text) => reader.write(text),
      onStderr: (text) => process.stderr.write(text),
    },
  );
  reader.end();
  // A run that broke off, or that AVA is not content with, is no success whatever was counted.
  if (reader.failed === 0 && !(result.ok && reader.complete)) {
    say(`  FAILED  AVA ended with ${result.signal ?? result.code}`);
    say(tail(result.output).replace(/^/gm, '    '));
    reader.failed += 1;
  }
  add(reader);
}
