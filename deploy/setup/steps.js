// SPDX-License-Identifier: Apache-2.0
// The set-up, a step a function. Each may be taken at any time and any number of times: it looks
// first, and does nothing where there is nothing to do.
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { benchmarkPrograms } from './benchmark-programs.js';
import { filesUnder, fingerprint, readStamp, writeStamp } from './fingerprint.js';
import { buildNative, nativeDeclined, nativeObstacle, nativeUpToDate, ROOT } from './native.js';
import { SYSTEM_PACKAGES } from './packages.js';
import { run, which } from './processes.js';
import { done, failed, skipped, step } from './progress.js';

const HUGEPAGES = '/sys/kernel/mm/hugepages/hugepages-2048kB';
/**
 * 1 GiB: the engine's memory, its peers' in the demo, and some to spare. Benchmarks have tables for
 * millions of connections, two engines side by side, and a generator that knows every flow.
 */
const WANTED_FREE_HUGEPAGES = { any: 512, bench: 2_048 };
const HUGEPAGE_KIB = 2_048;

/**
 * Every step in order; without npm packages only the first two. `purpose`: `any`, or with what only
 * `test` or `bench` needs.
 */
export async function setUp(purpose = 'any') {
  const results = {
    systemPackages: await step('system packages', (starting) => systemPackages(starting, purpose)),
    npmPackages: await step('npm packages', npmPackages),
  };
  // Everything from here on runs on those packages.
  if (results.npmPackages.outcome === 'failed') return results;
  results.nativeAddon = await step('native engine', nativeAddon);
  results.typescript = await step('TypeScript', typescript);
  if (purpose === 'bench') {
    results.programs = await step('benchmark programs', benchmarkPrograms);
  }
  results.hugepages = await step('hugepages', (starting) => hugepages(starting, purpose));
  return results;
}

async function systemPackages(starting, purpose) {
  const declined = nativeDeclined();
  if (declined) return skipped(`${declined} needs none`);
  if (!which('apt-get') || !which('dpkg-query')) {
    return skipped('no apt-get here; see README.md for what the native engine needs');
  }
  const wanted = SYSTEM_PACKAGES.filter((entry) => entry.for?.includes(purpose) ?? true).filter(
    // Somebody else's package of the same program would be in the way of Debian's.
    ({ program }) => program === undefined || !which(program),
  );
  const missing = await missingPackages(wanted.map((entry) => entry.name));
  if (missing.length === 0) return skipped('all installed');
  const command = `apt-get install --no-install-recommends ${missing.join(' ')}`;
  if (process.getuid() !== 0) return skipped(`not root; get them: sudo ${command}`);

  starting(`installing ${missing.join(' ')}`);
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive', LC_ALL: 'C.UTF-8' };
  const apt = (...args) =>
    run('apt-get', ['-y', '-o', 'DPkg::Lock::Timeout=300', ...args], { env });
  // An update that fails is no reason to stop: the lists that are there may do.
  const update = await apt('update');
  const install = await apt('install', '--no-install-recommends', ...missing);
  return install.ok
    ? done()
    : failed(
        `going on without; get them: ${command}`,
        (update.ok ? '' : update.output) + install.output,
      );
}

async function missingPackages(names) {
  const format = ['-W', '-f', `\${Package} \${db:Status-Status}\n`];
  const { output } = await run('dpkg-query', [...format, ...names]);
  const installed = new Set(
    output
      .split('\n')
      .filter((line) => line.endsWith(' installed'))
      .map((line) => line.split(' ')[0]),
  );
  return names.filter((name) => !installed.has(name));
}

async function npmPackages(starting) {
  if (npmUpToDate()) return skipped('as in package-lock.json');
  starting('npm ci');
  // `--include=dev`: the compiler is one. No scripts: the native addon is a step of its own.
  const args = ['ci', '--ignore-scripts', '--include=dev', '--loglevel=error', '--no-progress'];
  // Under npm, npm_execpath is the very npm that runs us.
  const npm = process.env['npm_execpath'];
  const result = npm?.endsWith('.js')
    ? await run(process.execPath, [npm, ...args], { cwd: ROOT })
    : await run('npm', args, { cwd: ROOT });
  if (result.ok) return done();
  // npm says the reason first and explains its options afterwards.
  const [reason] = result.output.split('npm error Clean install a project');
  return failed('npm ci did not succeed', reason);
}

/** npm keeps in node_modules what it has installed there: each entry of ours must be in it. */
function npmUpToDate() {
  const hidden = join(ROOT, 'node_modules/.package-lock.json');
  if (!existsSync(hidden)) return false;
  const installed = JSON.parse(readFileSync(hidden, 'utf8')).packages;
  const wanted = JSON.parse(readFileSync(join(ROOT, 'package-lock.json'), 'utf8')).packages;
  return Object.entries(wanted).every(([path, entry]) => {
    if (path === '') return true;
    // Optional ones are for other platforms as well.
    return installed[path] ? installed[path].version === entry.version : entry.optional === true;
  });
}

async function nativeAddon(starting) {
  const obstacle = await nativeObstacle();
  if (obstacle) return skipped(obstacle);
  if (await nativeUpToDate()) return skipped('up to date');
  starting(`compiling on ${availableParallelism()} cores`);
  const result = await buildNative();
  return result.ok
    ? done()
    : failed('the software engine remains; again: npm run build:native', result.output);
}

async function typescript(starting) {
  const dist = join(ROOT, 'dist');
  const stamp = join(dist, '.setup-stamp');
  const sources = ['lib', 'typings', 'tsconfig.json', 'tsconfig.build.json', 'package-lock.json'];
  const print = fingerprint(sources.flatMap((path) => filesUnder(join(ROOT, path))));
  if (readStamp(stamp) === print) return skipped('up to date');
  starting('compiling');
  // What was compiled from files that are gone must not be found by anybody.
  rmSync(dist, { recursive: true, force: true });
  const tsc = join(ROOT, 'node_modules/typescript/bin/tsc');
  const result = await run(process.execPath, [tsc, '-p', 'tsconfig.build.json'], { cwd: ROOT });
  if (!result.ok) return failed('tsc found errors', result.output);
  writeStamp(stamp, print);
  return done();
}

async function hugepages(starting, purpose) {
  const declined = nativeDeclined();
  if (declined) return skipped(`${declined} needs none`);
  if (process.getuid() !== 0) return skipped('not root; the native engine uses ordinary memory');
  if (!existsSync(HUGEPAGES)) return skipped('this kernel has no 2 MB pages; ordinary memory does');

  const read = (name) => Number(readFileSync(join(HUGEPAGES, name), 'utf8'));
  const mount = await mountHugetlbfs();
  const wanted = WANTED_FREE_HUGEPAGES[purpose] ?? WANTED_FREE_HUGEPAGES.any;
  const lacking = wanted - read('free_hugepages');
  if (lacking <= 0) return skipped(`${read('free_hugepages')} free${mount}`);

  // A small machine keeps half of its free memory, whatever we would like.
  const affordable = Math.floor(availableMemoryKib() / 2 / HUGEPAGE_KIB);
  const more = Math.min(lacking, affordable);
  starting(`reserving ${more} pages of 2 MB`);
  try {
    writeFileSync(join(HUGEPAGES, 'nr_hugepages'), String(read('nr_hugepages') + more));
  } catch (error) {
    return skipped(`the kernel refused (${error.code}); ordinary memory does${mount}`);
  }
  const free = read('free_hugepages');
  return free > 0
    ? done(`${free} free${mount}`)
    : skipped(`the kernel gave none; ordinary memory does${mount}`);
}

async function mountHugetlbfs() {
  if (/ hugetlbfs /.test(readFileSync('/proc/mounts', 'utf8'))) return '';
  try {
    mkdirSync('/dev/hugepages', { recursive: true });
  } catch (error) {
    return `, /dev/hugepages cannot be made (${error.code})`;
  }
  const result = await run('mount', ['-t', 'hugetlbfs', 'hugetlbfs', '/dev/hugepages']);
  return result.ok
    ? ', mounted at /dev/hugepages'
    : ', not mounted (only other programs need that)';
}

function availableMemoryKib() {
  return Number(/^MemAvailable:\s+(\d+)/m.exec(readFileSync('/proc/meminfo', 'utf8'))?.[1] ?? 0);
}
