// SPDX-License-Identifier: Apache-2.0
// The C++ tests: built with CMake under ASan and UBSan, run by CTest.
import { existsSync, readFileSync, rmSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { filesUnder } from './fingerprint.js';
import { nativeObstacle, ROOT } from './native.js';
import { run, tail, which } from './processes.js';

const BUILD = 'build-asan';
const REMEDY = 'apt-get install cmake ninja-build doctest-dev';
/** Node is not in these processes, so leaks are real ones. */
const SANITIZERS = {
  ASAN_OPTIONS: 'detect_leaks=1:abort_on_error=1',
  UBSAN_OPTIONS: 'print_stacktrace=1:halt_on_error=1',
};

/** Number of C++ test files: what is skipped where they cannot be built. */
export function nativeTestFiles() {
  return filesUnder(join(ROOT, 'native'), (file) => file.endsWith('_test.cc')).length;
}

/** Why the C++ tests cannot run here, or `null`. */
export async function nativeTestObstacle() {
  const obstacle = await nativeObstacle();
  if (obstacle) return obstacle;
  const missing = [];
  if (!which('cmake')) missing.push('cmake');
  if (!which('ninja')) missing.push('ninja');
  const compiler = (process.env['CXX'] ?? 'c++').split(' ');
  const doctest = await run(compiler[0], [
    ...compiler.slice(1),
    ...['-std=c++20', '-fsyntax-only', '-x', 'c++', '-include', 'doctest/doctest.h', '/dev/null'],
  ]);
  if (!doctest.ok) missing.push('doctest');
  return missing.length ? `no ${missing.join(', no ')} (get it: ${REMEDY})` : null;
}

/** Builds and runs them. Resolves to `{ passed, failed, skipped }`. */
export async function runNativeTests(say) {
  const stream = { cwd: ROOT, timeoutMs: 1_200_000, onStdout: lineWise(say) };
  const configure = await run(
    'cmake',
    ['-S', '.', '-B', BUILD, '-G', 'Ninja', '-DSLUICE_SANITIZE=ON', '-DCMAKE_BUILD_TYPE=Debug'],
    { cwd: ROOT },
  );
  if (!configure.ok) return broken(say, 'cmake did not configure', configure.output);
  const jobs = String(availableParallelism());
  const build = await run('cmake', ['--build', BUILD, '--parallel', jobs], stream);
  if (!build.ok) return broken(say, 'the C++ tests do not build', build.output, 60);

  const report = join(ROOT, BUILD, 'ctest.xml');
  rmSync(report, { force: true });
  const test = await run(
    'ctest',
    ['--test-dir', BUILD, '--output-on-failure', '--output-junit', report, '--timeout', '300'],
    { ...stream, env: { ...process.env, ...SANITIZERS } },
  );
  if (!existsSync(report)) return broken(say, 'ctest wrote no report', test.output);
  const counts = junitCounts(readFileSync(report, 'utf8'));
  if (counts.passed + counts.failed === 0) return broken(say, 'ctest found no tests', test.output);
  if (!test.ok && counts.failed === 0) counts.failed = 1;
  return counts;
}

/** Counts of a JUnit report by CTest; a test that is disabled or did not run counts as skipped. */
export function junitCounts(xml) {
  const suite = /<testsuite\b[^>]*>/s.exec(xml)?.[0] ?? '';
  const attribute = (name) => Number(new RegExp(`\\b${name}="(\\d+)"`).exec(suite)?.[1] ?? 0);
  const failed = attribute('failures') + attribute('errors');
  const skipped = attribute('skipped') + attribute('disabled');
  return { passed: attribute('tests') - failed - skipped, failed, skipped };
}

function broken(say, what, log, lines = 30) {
  say(`  FAILED  ${what}`);
  say(tail(log, lines).replace(/^/gm, '    '));
  return { passed: 0, failed: 1, skipped: 0 };
}

/** Ninja's and CTest's own lines, indented; whole ones only. */
function lineWise(say) {
  let rest = '';
  return (text) => {
    const lines = (rest + text).split('\n');
    rest = lines.pop();
    for (const line of lines) if (line.trim()) say(`    ${line.trimEnd()}`);
  };
}
