// SPDX-License-Identifier: Apache-2.0
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import test from 'ava';
import type { Command } from 'commander';
import { CONFIGURATION_FLAGS } from '../../lib/agent/flags.js';
import { defaultControlPath, errorBody, errorFromBody } from '../../lib/cli/control/protocol.js';
import { buildProgram } from '../../lib/cli/program.js';
import { formatTable } from '../../lib/cli/table.js';
import { preferredEngine } from '../../lib/engine/choose.js';
import { SluiceError } from '../../lib/errors.js';
import { command, folderOf, sluice } from '../support/cli.js';

const REFERENCE = new URL('../../docs/reference/cli.md', import.meta.url);

/** The options of every command. */
const EXPECTED: Readonly<Record<string, readonly string[]>> = {
  demo: ['--once', '--json', '--engine', '--kubeconfig'],
  agent: [
    '--config',
    ...CONFIGURATION_FLAGS.map(({ flag }) => flag),
    '--write-config-to',
    '--cleanup',
  ],
  run: [
    ...['-f, --file', '--interface', '--route', '--engine', '--config', '--workers'],
    ...['--control', '--log-level'],
  ],
  get: ['-o, --output', '--control', '--limit'],
  explain: [
    ...['--from', '--to', '--port', '--protocol', '--from-port', '--interface'],
    ...['--json', '--control'],
  ],
  check: ['--expect', '--nodes', '--pods', '--json'],
  'interface add': ['--control'],
  'interface remove': ['--control'],
  version: ['-o, --output'],
};

function commandOf(words: string): Command {
  let command = buildProgram({ out: () => {}, err: () => {}, exit: () => {} });
  for (const word of words.split(' '))
    command = command.commands.find((each) => each.name() === word)!;
  return command;
}

for (const [words, options] of Object.entries(EXPECTED)) {
  test(`--help of ${words} tells of every option, and so does the reference`, async (t) => {
    const command = commandOf(words);
    const help = command.helpInformation();
    const reference = await readFile(REFERENCE, 'utf8');
    const visible = command.options.filter(({ hidden }) => !hidden);
    t.deepEqual(
      visible.map(({ short, long }) => (short === undefined ? long : `${short}, ${long}`)),
      [...options],
    );
    for (const { long, description } of visible) {
      t.true(help.includes(long!), long);
      t.true(reference.includes(long!), `docs/reference/cli.md has no ${long}`);
      t.true(description.length > 0, `${long} is described`);
    }
    t.true(reference.includes(`sluice ${words}`), `docs/reference/cli.md has no sluice ${words}`);
  });
}

test('--help is printed and ends well', async (t) => {
  const help = await sluice(['--help']);
  t.is(help.code, 0);
  for (const word of ['demo', 'run', 'get', 'explain', 'interface', 'version'])
    t.true(help.stdout.includes(word));
  const run = await command('run', '--help');
  t.is(run.code, 0);
  t.true(run.stdout.includes('SIGHUP'));
});

const WRONG: readonly [words: string[], message: RegExp][] = [
  [['run', '--nope'], /^sluice: unknown option '--nope' \(ERR_OPTIONS\)$/m],
  [['fly'], /^sluice: unknown command 'fly' \(ERR_OPTIONS\)$/m],
  [['get', 'pods'], /^sluice: .*'pods' is invalid.*services.*\(ERR_OPTIONS\)$/m],
  [['get', 'flows', '--limit', 'all'], /^sluice: .*Expected a whole number.*\(ERR_OPTIONS\)$/m],
  [['get'], /^sluice: missing required argument 'what' \(ERR_OPTIONS\)$/m],
  [['explain', '--from', '10.0.0.1'], /^sluice: required option '--to .*not specified/],
  [
    ['explain', '--from', '10.0.0.1', '--to', '10.0.0.2', '--protocol', 'tcp'],
    /^sluice: .*'tcp' is invalid.*TCP, UDP, SCTP, ICMP.*\(ERR_OPTIONS\)$/m,
  ],
  [['run', '--engine', 'ebpf'], /^sluice: .*'ebpf' is invalid.*\(ERR_OPTIONS\)$/m],
  [['run', '-f', 'a.yaml', '--workers', '0'], /Expected a whole number, 1 or more/],
  [[], /^Usage: sluice /m],
];

for (const [words, message] of WRONG) {
  test(`wrong usage ends with 2: sluice ${words.join(' ')}`, async (t) => {
    const { code, stderr, stdout } = await command(...words);
    t.is(code, 2);
    t.is(stdout, '');
    t.regex(stderr, message);
  });
}

test('version tells of Sluice, DPDK, the engine and why, CPU and Node', async (t) => {
  const { code, stdout } = await command('version', '-o', 'json');
  t.is(code, 0);
  const { kind: engine, why } = preferredEngine();
  const preferred = { engine, why };
  const report = JSON.parse(stdout);
  t.deepEqual(Object.keys(report), ['sluice', 'dpdk', 'engine', 'why', 'cpu', 'node']);
  t.like(report, { ...preferred, node: process.versions.node });
  const text = (await command('version')).stdout;
  t.regex(
    text,
    /^Sluice +[0-9]+\.[0-9]+\.[0-9]+\nDPDK +\S.*\nEngine +(?:dpdk|software) \(.*\)\nCPU +\S.*\nNode +20\.|22\.|24\./,
  );
  const bad = await sluice(['version'], { env: { SLUICE_ENGINE: 'vpp' } });
  t.like(bad, { code: 2 });
  t.regex(bad.stderr, /^sluice: SLUICE_ENGINE: expected auto, dpdk or software/);
});

test('an engine that cannot run ends with 1 and the reason', async (t) => {
  const { code, stderr } = await sluice(
    ['run', '-f', '-', '--engine', 'dpdk', '--control', `/tmp/sluice-${process.pid}.sock`],
    {
      env: { SLUICE_ADDON: '/nowhere/sluice.node' },
    },
  );
  t.is(code, 1);
  t.regex(stderr, /^sluice: engine: dpdk cannot run: .* \(ERR_ENGINE_UNAVAILABLE\)$/m);
});

test('tables: titles, right-set numbers, no trailing blanks', (t) => {
  t.is(formatTable(['name', 'packets'], []), 'NAME  PACKETS');
  t.is(
    formatTable(
      ['name', 'packets', 'state'],
      [
        ['a', 5, 'up'],
        ['longer', 12_345_678, 'down'],
      ],
    ),
    ['NAME     PACKETS  STATE', 'a              5  up', 'longer  12345678  down'].join('\n'),
  );
});

test('errors survive the control socket', (t) => {
  const error = new SluiceError('ERR_MODEL', 'is wrong', { path: 'a.b' });
  const back = errorFromBody(JSON.parse(JSON.stringify(errorBody(error))));
  t.like(back, { code: 'ERR_MODEL', path: 'a.b', message: 'a.b: is wrong' });
  t.is(errorFromBody(errorBody(new Error('boom')))?.message, 'boom');
  t.is(errorFromBody({ error: { code: 'toString', message: 'x' } })?.code, 'ERR_AGENT');
  t.is(errorFromBody('nonsense'), null);
  t.is(errorFromBody(null), null);
});

test('the control socket is where its user may write', (t) => {
  t.is(defaultControlPath({}, 0), '/run/sluice/control.sock');
  const environment = { XDG_RUNTIME_DIR: '/run/user/7' };
  t.is(defaultControlPath(environment, 7), '/run/user/7/sluice/control.sock');
  t.regex(defaultControlPath({}, 7), /^\/.*\/\.sluice\/control\.sock$/);
});

test('errors of usage are one line, files and interfaces that are to blame are named', async (t) => {
  for (const [words, stderr] of [
    [['gte'], /^sluice: unknown command 'gte' \(Did you mean get\?\) \(ERR_OPTIONS\)\n$/],
    [
      ['run', '--config', '/nope.yaml'],
      /^sluice: \/nope\.yaml: there is no such file \(ERR_CONFIG\)\n$/,
    ],
  ] as const) {
    const result = await command(...words);
    t.is(result.code, 2);
    t.regex(result.stderr, stderr);
  }
  const folder = await folderOf(t);
  const refused = await sluice(
    ['run', '-f', '-', '--control', join(folder, 's.sock'), '--interface', 'tap:pod'],
    { stdin: '{}' },
  );
  t.is(refused.code, 2);
  t.regex(refused.stderr, /^sluice: interfaces\[pod\]\.kind: .*\(ERR_INTERFACE_KIND\)$/m);
});
