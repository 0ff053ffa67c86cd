// SPDX-License-Identifier: Apache-2.0
// What the benchmarks need in native code: the traffic generator and the micro-benchmarks.
import { availableParallelism } from 'node:os';
import { nativeObstacle, ROOT } from './native.js';
import { run, which } from './processes.js';
import { done, failed } from './progress.js';

/** CMake projects: where their sources are, where they are built, and how. */
const PROJECTS = [
  { source: 'benchmarks', build: 'build-generator', target: 'all', options: [] },
  {
    source: '.',
    build: 'build-bench',
    target: 'benchmarks',
    options: ['-DSLUICE_BENCH=ON', '-DSLUICE_TESTS=OFF'],
  },
];
const REMEDY = 'apt-get install cmake ninja-build libbenchmark-dev nlohmann-json3-dev';

/** Step of the set-up. Ninja knows what is up to date. */
export async function benchmarkPrograms(starting) {
  const obstacle = await nativeObstacle();
  if (obstacle) return failed(obstacle);
  const missing = ['cmake', 'ninja'].filter((tool) => !which(tool));
  if (missing.length > 0) return failed(`no ${missing.join(', no ')} (get it: ${REMEDY})`);
  starting(`compiling on ${availableParallelism()} cores`);
  for (const { source, build, target, options } of PROJECTS) {
    const configure = await cmake('-S', source, '-B', build, '-G', 'Ninja', ...options);
    if (!configure.ok)
      return failed(`cmake does not configure (get what it misses: ${REMEDY})`, configure.output);
    const jobs = String(availableParallelism());
    const built = await cmake('--build', build, '--target', target, '--parallel', jobs);
    if (!built.ok) return failed(`${build} does not build`, built.output);
  }
  return done();
}

function cmake(...args) {
  return run('cmake', args, { cwd: ROOT, timeoutMs: 1_200_000 });
}
