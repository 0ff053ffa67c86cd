// SPDX-License-Identifier: Apache-2.0
import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import test from 'ava';

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

test('the README embeds as the example does', async (t) => {
  const example = await readFile(new URL('examples/embed.ts', ROOT), 'utf8');
  const readme = await readFile(new URL('README.md', ROOT), 'utf8');
  const code = example
    .slice(example.indexOf('await using'))
    .replace(/fileURLToPath\(.*\)\)/, "'shop/'");
  const shown = `\`\`\`ts\nimport { ServiceProxy } from 'sluice';\n\n${code}\`\`\`\n`;
  t.true(readme.includes(shown), shown);
});
