// SPDX-License-Identifier: Apache-2.0
// Writes what is generated from native/base/reasons.h: lib/engine/reasons.ts and
// docs/drop-reasons.md. `--check` writes nothing and fails if a file is out of date.
import { readFileSync, writeFileSync } from 'node:fs';

const root = new URL('../../', import.meta.url);
const source = readFileSync(new URL('native/base/reasons.h', root), 'utf8');
const rows = [...source.matchAll(/^ {2}X\((\w+), "([^"]*)", "([^"]*)"\)/gm)].map(
  ([, symbol, cause, remedy]) => ({ symbol, cause, remedy }),
);

const files = {
  'lib/engine/reasons.ts': `// SPDX-License-Identifier: Apache-2.0
// Generated from native/base/reasons.h by \`npm run generate\`. Do not edit.

/** Names of the drop reasons, in counter order. Causes and remedies: docs/drop-reasons.md. */
export const DROP_REASONS = [
${rows.map((row) => `  '${row.symbol}',`).join('\n')}
] as const;

export type DropReason = (typeof DROP_REASONS)[number];

/** Index of each reason: its offset among the drop counters. */
export const DROP = Object.fromEntries(DROP_REASONS.map((name, index) => [name, index])) as Record<
  DropReason,
  number
>;
`,
  'docs/drop-reasons.md': `# Drop reasons

Generated from \`native/base/reasons.h\` by \`npm run generate\`. A packet is dropped for exactly one of these;
\`sluice get drops\` counts them.

| reason | cause | remedy |
| --- | --- | --- |
${rows.map((row) => `| \`${row.symbol}\` | ${row.cause} | ${row.remedy} |`).join('\n')}
`,
};

let stale = 0;
for (const [name, text] of Object.entries(files)) {
  const url = new URL(name, root);
  if (!process.argv.includes('--check')) {
    writeFileSync(url, text);
  } else if (readFileSync(url, 'utf8') !== text) {
    console.error(`${name} is out of date: run \`npm run generate\``);
    stale += 1;
  }
}
process.exitCode = stale ? 1 : 0;
