// SPDX-License-Identifier: Apache-2.0
import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import test from 'ava';
import { checkBalancer } from '../../lib/model/check-balancer.js';
import { readConfigFile } from '../../lib/model/config-file.js';
import { readManifests } from '../../lib/sources/files/manifests.js';
import { balance } from '../../lib/sources/kubernetes/balancer.js';
import { translate } from '../../lib/sources/kubernetes/translate.js';

const ROOT = new URL('../../', import.meta.url);

test('examples/embed.ts runs', async (t) => {
  const { stdout, stderr } = await promisify(execFile)(
    process.execPath,
    ['--import=tsx', 'examples/embed.ts'],
    { cwd: fileURLToPath(ROOT), timeout: 60_000 },
  );
  t.is(stderr, '');
  t.regex(stdout, /^default\/web 10\.1\.1\.2 added$/m);
  t.regex(stdout, /^software /m);
  t.regex(stdout, /'web 10\.96\.0\.10'/);
});

test('router, balancer and node are configured for each other', async (t) => {
  const path = (name: string) => fileURLToPath(new URL(`examples/${name}.yaml`, ROOT));
  const [router, balancer, node] = await Promise.all(
    ['router', 'balancer', 'node'].map((name) => readConfigFile(path(name))),
  );
  t.deepEqual(router!.manifests, []);
  const { objects } = await readManifests(balancer!.manifests!);
  const spec = checkBalancer(balancer!.balancer, 'balancer');
  const { tunnels, services } = balance(translate(objects).services, objects.nodes, spec);
  const [tunnel] = tunnels;
  t.is(tunnel?.name, 'to-worker-1');
  t.is(services.length, 1);
  const end = node!.interfaces!.find(({ kind }) => kind === 'gre');
  t.is(end?.local, tunnel?.remote);
  t.is(end?.key, tunnel?.key);
  t.true(end?.peers?.includes(`${tunnel?.local}/32`));
  t.true(router!.routes![0]!.nextHops?.some(({ via }) => via === tunnel?.local));
});

test('the README embeds as the example does', async (t) => {
  const example = await readFile(new URL('examples/embed.ts', ROOT), 'utf8');
  const readme = await readFile(new URL('README.md', ROOT), 'utf8');
  const code = example
    .slice(example.indexOf('await using'))
    .replace(/fileURLToPath\(.*\)\)/, "'shop/'");
  const shown = `\`\`\`ts\nimport { ServiceProxy } from 'sluice';\n\n${code}\`\`\`\n`;
  t.true(readme.includes(shown), shown);
});
