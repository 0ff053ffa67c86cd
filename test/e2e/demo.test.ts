// SPDX-License-Identifier: Apache-2.0
import { accessSync, constants, existsSync, readdirSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import test, { type ExecutionContext } from 'ava';
import { DPDK_FOLDER, NETNS_FOLDER } from '../../lib/cli/demo/abandoned.js';
import { SPREAD } from '../../lib/cli/demo/checks.js';
import type { Outcome } from '../../lib/cli/demo/outcome.js';
import { nativeObstacle } from '../../lib/cli/demo/prerequisites.js';
import { preferredEngine } from '../../lib/engine/choose.js';
import { type Demo, lastLine, said, startDemo } from '../support/demo.js';

const CHECKS = [
  'http answered',
  'http spread',
  'http counts agree',
  'dns answered',
  'memif answered',
  'vhost-user answered',
  'every packet accounted for',
  'cleaned up',
];

const obstacle = await findObstacle();
const native = obstacle === null ? test.serial : test.skip;
const because = obstacle === null ? '' : ` (cannot run here: ${obstacle})`;

test.serial('software: the demo shows everything once', async (t) => {
  const outcome = await showOnce(t, 'software');
  t.regex(outcome.why, /^software engine: .*; pods are in this process$/);
});

test.serial('software: SIGTERM ends the live table, and ends it well', async (t) => {
  const demo = startDemo(t, ['--json', '--engine', 'software']);
  await said(demo, /INTERFACE[\s\S]*echo-vhost +up +[1-9]/);
  demo.child.kill('SIGTERM');
  t.is(await demo.code, 0, demo.stderr());
  const { checks, fates } = lastLine(demo);
  t.deepEqual(
    checks.map(({ name, ok }) => ({ name, ok })),
    [{ name: 'cleaned up', ok: true }],
  );
  t.true(fates.rx > 0);
});

native(`dpdk: the demo shows everything once${because}`, async (t) => {
  await showOnce(t, 'dpdk');
});

for (const moment of ['engine:', 'serve HTTP', 'HTTP connections'])
  native(`dpdk: Ctrl-C after "${moment}" leaves nothing behind${because}`, async (t) => {
    const demo = startDemo(t, ['--once', '--json', '--engine', 'dpdk']);
    await said(demo, new RegExp(moment));
    demo.child.kill('SIGINT');
    // A hurried user: the second one does not cut the clean-up short.
    demo.child.kill('SIGINT');
    t.is(await demo.code, 130, demo.stderr());
    const { checks } = lastLine(demo);
    t.deepEqual(
      checks.map(({ name, ok }) => ({ name, ok })),
      [
        { name: 'run to the end', ok: false },
        { name: 'cleaned up', ok: true },
      ],
    );
    t.deepEqual(traces(demo), []);
  });

native(`dpdk: a pod that dies makes the demo fail and clean up${because}`, async (t) => {
  const demo = startDemo(t, ['--once', '--json', '--engine', 'dpdk']);
  await said(demo, /behind memif and vhost-user/);
  for (const pid of childrenOf(demo)) if (/net_memif/.test(commandOf(pid))) process.kill(pid);
  t.is(await demo.code, 1, demo.stderr());
  const failed = lastLine(demo).checks.filter(({ ok }) => !ok);
  t.deepEqual(
    failed.map(({ name }) => name),
    ['memif answered'],
  );
  t.deepEqual(traces(demo), []);
});

async function showOnce(t: ExecutionContext, engine: 'dpdk' | 'software'): Promise<Outcome> {
  const demo = startDemo(t, ['--once', '--json', '--engine', engine]);
  t.is(await demo.code, 0, demo.stderr());
  const outcome = lastLine(demo);
  t.deepEqual(Object.keys(outcome), ['engine', 'why', 'checks', 'services', 'fates']);
  t.is(outcome.engine, engine);
  t.true(outcome.why.length > 0);
  for (const check of outcome.checks) {
    t.deepEqual(Object.keys(check), ['name', 'ok', 'detail']);
    t.true(check.ok, `${check.name}: ${check.detail}`);
  }
  const names = outcome.checks.map(({ name }) => name);
  for (const name of CHECKS) t.true(names.includes(name), name);

  const requests = Object.fromEntries(outcome.services.map((each) => [each.name, each.requests]));
  t.deepEqual(requests, { dns: 120, 'echo-memif': 120, 'echo-vhost': 120, web: 600 });
  const web = outcome.services.find(({ name }) => name === 'web')!;
  t.like(web, { address: '10.96.0.10', port: 80, protocol: 'TCP' });
  t.is(web.backends.length, 3);
  for (const backend of web.backends) {
    const share = backend.requests / web.requests;
    t.true(share >= SPREAD.least && share <= SPREAD.most, `${backend.address}: ${share}`);
  }
  const { rx, tx, drops } = outcome.fates;
  t.is(rx, tx + Object.values(drops).reduce((sum, each) => sum + each, 0));
  t.true(rx > 600 * 9);
  t.deepEqual(traces(demo), []);
  return outcome;
}

/** Whatever carries the number of the demo's process: namespaces, folders, processes. */
function traces(demo: Demo): string[] {
  const mark = `sluice-demo-${demo.child.pid}-`;
  const files = [NETNS_FOLDER, DPDK_FOLDER, tmpdir()].flatMap((folder) =>
    isReadable(folder) ? readdirSync(folder).filter((name) => name.startsWith(mark)) : [],
  );
  const processes = processIds()
    .map(commandOf)
    .filter((command) => command.includes(mark));
  return [...files, ...processes];
}

function childrenOf(demo: Demo): number[] {
  return processIds().filter((pid) => {
    const status = readIfThere(`/proc/${pid}/status`);
    return /^PPid:\s*(\d+)$/m.exec(status)?.[1] === String(demo.child.pid);
  });
}

function processIds(): number[] {
  if (!existsSync('/proc')) return [];
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number);
}

function commandOf(pid: number): string {
  return readIfThere(`/proc/${pid}/cmdline`).replaceAll('\0', ' ');
}

function readIfThere(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}

async function findObstacle(): Promise<string | null> {
  const { kind, why } = preferredEngine();
  return kind === 'software' ? why : nativeObstacle();
}

/** What this user cannot look into, its demo cannot have written to. */
function isReadable(folder: string): boolean {
  try {
    accessSync(folder, constants.R_OK | constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
