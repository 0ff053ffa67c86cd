// SPDX-License-Identifier: Apache-2.0
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { command, folderOf, sluice } from '../support/cli.js';
import { service, workload } from '../support/network.js';

const OBJECTS = [
  workload('shop/web'),
  workload('shop/cart', { replicas: 2 }),
  service('shop/cart', [{ port: 80, targetPort: 8080 }]),
];
const MANIFEST = JSON.stringify({ apiVersion: 'v1', kind: 'List', items: OBJECTS });

/** Paths of files with these texts, in a folder of the test's own. */
async function files(t: ExecutionContext, ...texts: string[]): Promise<string[]> {
  const folder = await folderOf(t);
  const paths = texts.map((_, index) => join(folder, `${index}.yaml`));
  await Promise.all(paths.map((path, index) => writeFile(path, texts[index]!)));
  return paths;
}

test('without a table the matrix is printed, and is one', async (t) => {
  const [manifest = ''] = await files(t, MANIFEST);
  const { code, stdout, stderr } = await command('check', manifest);
  t.is(stdout, 'FROM       cart.shop:80\nshop/cart  +\nshop/web   +\n');
  t.is(stderr, '');
  t.is(code, 0);
  const [table = ''] = await files(t, stdout);
  const again = await command('check', manifest, '--expect', table);
  t.is(again.code, 0);
  t.regex(again.stdout, /^ok {5}shop\/web -> cart\.shop:80 \(TCP\): allowed$/m);
  t.regex(again.stdout, /^2 ok, 0 wrong$/m);
});

test('a line for each probe, and what is wrong with those that are', async (t) => {
  const [manifest = '', table = ''] = await files(
    t,
    MANIFEST,
    [
      '- { from: shop/web, to: "cart.shop:80", expect: allowed, backends: [shop/cart] }',
      '- { from: shop/web, to: "cart.shop:80", expect: denied }',
      '- { from: shop/web, to: "cart.shop:80", expect: allowed, backends: 3 }',
      '- { from: shop/web, to: "cart.shop:80", expect: allowed, backends: [shop/web] }',
      '- matrix: |',
      '    FROM      cart.shop:81',
      '    shop/web  -',
      '',
    ].join('\n'),
  );
  const { code, stdout } = await command('check', manifest, '--expect', table);
  t.is(code, 1);
  t.deepEqual(stdout.split('\n'), [
    'ok     shop/web -> cart.shop:80 (TCP): allowed',
    'WRONG  shop/web -> cart.shop:80 (TCP): expected denied, but it is allowed',
    '       shop/cart-1 (10.128.0.2:8080 on node-1) and 1 more: allowed',
    '         no policy has a rule for it',
    'WRONG  shop/web -> cart.shop:80 (TCP): expected 3 backends, found 2: ' +
      'shop/cart-1 (10.128.0.2:8080 on node-1), shop/cart-2 (10.128.0.3:8080 on node-1)',
    'WRONG  shop/web -> cart.shop:80 (TCP): expected the backends shop/web, found ' +
      'shop/cart-1 (10.128.0.2:8080 on node-1), shop/cart-2 (10.128.0.3:8080 on node-1)',
    'WRONG  shop/web -> cart.shop:81 (TCP): expected denied, but it is rejected (service_port_unknown)',
    '       there is no backend that it could go to',
    "       The address is a service's, the port and protocol are not; the sender is told",
    '1 ok, 4 wrong',
    '',
  ]);
});

test('JSON has all of it', async (t) => {
  const [manifest = '', table = ''] = await files(
    t,
    MANIFEST,
    '- { from: shop/web, to: "cart.shop:80", expect: denied }',
  );
  const { code, stdout } = await command('check', manifest, '--expect', table, '--json');
  t.is(code, 1);
  const report = JSON.parse(stdout);
  t.like(report, { ok: 0, wrong: 1, skipped: {}, warnings: [] });
  t.like(report.probes[0], { from: 'shop/web', to: 'cart.shop:80', expect: 'denied', ok: false });
  t.like(report.probes[0], { verdict: 'allowed' });
  t.regex(report.probes[0].difference, /^expected denied, but it is allowed/);
  t.like(report.probes[0].backends[0], { pod: 'shop/cart-1', port: 8080 });
  const matrix = JSON.parse((await command('check', manifest, '--json', '--pods')).stdout);
  t.deepEqual(
    matrix.probes.map(({ from }: { from: string }) => from),
    ['shop/cart-1', 'shop/cart-2', 'shop/web-1'],
  );
});

test('what is passed over and what looks wrong is told on stderr', async (t) => {
  const objects = [
    ...OBJECTS,
    { apiVersion: 'v1', kind: 'Secret', metadata: { name: 'x' } },
    service('shop/nobody', [{ port: 80 }]),
  ];
  const items = JSON.stringify({ apiVersion: 'v1', kind: 'List', items: objects });
  const { code, stderr } = await sluice(['check', '-', '--nodes', '2'], { stdin: items });
  t.is(code, 0);
  t.deepEqual(stderr.trim().split('\n'), [
    'sluice: passed over, as nothing here depends on it: 1 Secret',
    'sluice: Service shop/nobody: no pod has the labels of its selector',
  ]);
});

const WRONG: readonly (readonly [manifest: string, table: string, message: RegExp])[] = [
  ['kind: Pod', '[]', /^sluice: .*0\.yaml#1: apiVersion: .*\(ERR_MANIFEST\)$/m],
  [MANIFEST, '{ from: a }', /1\.yaml: expected a list of .*, found an object \(ERR_CONFIG\)$/m],
  [
    MANIFEST,
    '- { from: a/b, to: c, expect: yes }',
    /1\.yaml: \[0\]\.expect: expected allowed, denied, /,
  ],
  [
    MANIFEST,
    '- { from: a/b, to: c, expects: denied }',
    /\[0\]\.expects: unknown key "expects"; did you mean expect\?/,
  ],
  [
    MANIFEST,
    '- { from: a/b, to: "c.a:1", expect: denied }',
    /from: there is no pod or workload "a\/b" \(ERR_OPTIONS\)$/m,
  ],
  [
    MANIFEST,
    '- matrix: "FROM a:1 b:2\\nshop/web +"',
    /\[0\]\.matrix: shop\/web: expected 2 cells, found 1/,
  ],
  [
    MANIFEST,
    'FROM  a:1\nshop/web  ?\n',
    /1\.yaml: shop\/web: expected \+, -, \. or a verdict, found "\?"/,
  ],
  [MANIFEST, '- { from: [', /1\.yaml: not YAML: /],
];

for (const [manifest, table, message] of WRONG) {
  test(`ends with 2: ${table.slice(0, 60)} ${manifest.slice(0, 10)}`, async (t) => {
    const [first = '', second = ''] = await files(t, manifest, table);
    const { code, stdout, stderr } = await command('check', first, '--expect', second);
    t.regex(stderr, message);
    t.is(stdout, '');
    t.is(code, 2);
  });
}

test('a table that is not there ends with 2', async (t) => {
  const [manifest = ''] = await files(t, MANIFEST);
  const { code, stderr } = await command('check', manifest, '--expect', '/nowhere.yaml');
  t.is(stderr, 'sluice: /nowhere.yaml: there is no such file (ERR_CONFIG)\n');
  t.is(code, 2);
});

test('the boutique is as expected, and a mistake in its policies is named', async (t) => {
  const boutique = 'examples/boutique';
  const rest = ['--nodes', '3', '--expect', `${boutique}/expected.yaml`];
  const right = await command('check', `${boutique}/manifests`, ...rest);
  t.is(right.code, 0);
  t.regex(right.stdout, /^208 ok, 0 wrong$/m);
  t.is(right.stderr, '');
  const mistaken = await command('check', `${boutique}/manifests`, `${boutique}/mistakes`, ...rest);
  t.is(mistaken.code, 1);
  t.regex(
    mistaken.stdout,
    /^WRONG {2}orders\/payments -> orders-db\.data:5432 \(TCP\): expected denied, but it is allowed\n.*\n.*\n +ingress passes at node-2: rule ingress\[0\] of NetworkPolicy data\/orders-db-for-mailer accepts it$/m,
  );
});
