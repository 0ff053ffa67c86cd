// SPDX-License-Identifier: Apache-2.0
// Formats native/ in place; `--check` changes nothing and fails where something would change.
import { join } from 'node:path';
import { filesUnder } from './fingerprint.js';
import { ROOT } from './native.js';
import { run, which } from './processes.js';

const files = filesUnder(join(ROOT, 'native'), (file) => /\.(h|cc)$/.test(file));
if (!which('clang-format')) {
  console.log(
    'clang-format is not installed: native/ was not looked at (apt-get install clang-format)',
  );
} else if (files.length > 0) {
  const mode = process.argv.includes('--check') ? ['--dry-run', '-Werror'] : ['-i'];
  const result = await run('clang-format', [...mode, ...files], { cwd: ROOT });
  process.stderr.write(result.output.replaceAll(ROOT, ''));
  process.exitCode = result.ok ? 0 : 1;
}
