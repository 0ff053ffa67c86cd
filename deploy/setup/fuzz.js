// SPDX-License-Identifier: Apache-2.0
// `npm run fuzz`: builds the fuzzer of the packet path and lets it run.
//
//   npm run fuzz -- --minutes 60   for an hour instead of ten minutes
//   npm run fuzz -- --keep         puts what was found worth keeping into the repository's corpus
//
// An input that breaks a rule is kept as build-fuzz/crash-...; `build-fuzz/pipeline_fuzz FILE` runs it
// again. With its fix it goes into the corpus as regression-<what>, which --keep leaves alone.
import { copyFileSync, mkdirSync, readdirSync, rmSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { nativeObstacle, ROOT } from './native.js';
import { run, tail, which } from './processes.js';

const BUILD = join(ROOT, 'build-fuzz');
const FUZZER = join(BUILD, 'pipeline_fuzz');
const CORPUS = join(ROOT, 'native/stage/corpus/pipeline');
const GROWN = join(BUILD, 'corpus');
const COMPILER = 'clang++-19';
/** Longer inputs find what shorter ones do, and are harder to read. */
const LONGEST_INPUT = 1_024;
const say = (line) => process.stdout.write(`${line}\n`);

process.exitCode = await main();

async function main() {
  const { values } = parseArgs({
    options: { minutes: { type: 'string', default: '10' }, keep: { type: 'boolean' } },
  });
  const seconds = Math.round(Number(values.minutes) * 60);
  if (!(seconds > 0)) {
    say(`--minutes ${values.minutes}: not a number above zero`);
    return 1;
  }
  const obstacle = await fuzzObstacle();
  if (obstacle) {
    say(`[sluice] nothing to fuzz with: ${obstacle}`);
    return 1;
  }
  say('[sluice] fuzzer: compiling ...');
  if (!(await build())) return 1;

  mkdirSync(GROWN, { recursive: true });
  say(`[sluice] fuzzing for ${values.minutes} minutes`);
  const result = await fuzzer(
    [`-max_total_time=${seconds}`, `-artifact_prefix=${BUILD}/`, '-timeout=20', GROWN, CORPUS],
    seconds,
  );
  if (!result.ok) {
    say(tail(result.output, 60));
    return 1;
  }
  for (const line of result.output.split('\n')) if (/\bDONE\b|^Done /.test(line)) say(line);
  return values.keep ? keep() : 0;
}

async function fuzzObstacle() {
  const obstacle = await nativeObstacle();
  if (obstacle) return obstacle;
  const missing = [COMPILER, 'cmake', 'ninja'].filter((program) => !which(program));
  return missing.length
    ? `no ${missing.join(', no ')} (get it: apt-get install clang-19 libclang-rt-19-dev cmake ninja-build)`
    : null;
}

async function build() {
  const configure = await run(
    'cmake',
    ['-S', '.', '-B', BUILD, '-G', 'Ninja', '-DSLUICE_FUZZ=ON', `-DCMAKE_CXX_COMPILER=${COMPILER}`],
    { cwd: ROOT },
  );
  const jobs = String(availableParallelism());
  const made = configure.ok
    ? await run('cmake', ['--build', BUILD, '--parallel', jobs, '--target', 'pipeline_fuzz'], {
        cwd: ROOT,
        timeoutMs: 1_200_000,
      })
    : configure;
  if (!made.ok) say(tail(made.output, 60));
  return made.ok;
}

function fuzzer(args, seconds) {
  return run(FUZZER, [`-max_len=${LONGEST_INPUT}`, ...args], {
    cwd: ROOT,
    // Every input makes and frees a whole engine's tables: with AddressSanitizer's defaults that is
    // most of the time.
    env: { ...process.env, ASAN_OPTIONS: 'malloc_context_size=6:quarantine_size_mb=16' },
    timeoutMs: (seconds + 600) * 1_000,
  });
}

/** Replaces the repository's corpus by the fewest inputs that reach the same code. */
async function keep() {
  const chosen = join(BUILD, 'chosen');
  rmSync(chosen, { recursive: true, force: true });
  mkdirSync(chosen);
  // Edges alone: how often each is taken would keep ten times as many.
  const merge = ['-set_cover_merge=1', '-use_counters=0', chosen, CORPUS, GROWN];
  const result = await fuzzer(merge, 1_800);
  if (!result.ok) {
    say(tail(result.output, 60));
    return 1;
  }
  for (const name of readdirSync(CORPUS)) {
    if (!name.startsWith('regression-')) rmSync(join(CORPUS, name));
  }
  for (const name of readdirSync(chosen)) copyFileSync(join(chosen, name), join(CORPUS, name));
  say(`[sluice] ${readdirSync(CORPUS).length} inputs in ${CORPUS.slice(ROOT.length)}`);
  return 0;
}
