// SPDX-License-Identifier: Apache-2.0
// Writes what is generated from native/base/reasons.h: lib/engine/reasons.ts and
// docs/drop-reasons.md. `--check` writes nothing and fails if a file is out of date.
import { readFileSync, writeFileSync } from 'node:fs';

const root = new URL('../../', import.meta.url);
const source = readFileSync(new URL('native/base/reasons.h', root), 'utf8');
const rows = [...source.matchAll(/^ {2}X\((\w+), "([^"]*)", "([^"]*)"\)/gm)].map(
  ([, symbol, cause, remedy]) => ({ symbol, cause, remedy }),
);

/** One entry of a literal, broken where the formatter would break it. */
function explanation({ symbol, cause, remedy }) {
  const field = (key, text) => {
    const quote = text.includes("'") ? '"' : "'";
    const whole = `    ${key}: ${quote}${text}${quote},`;
    return whole.length <= 100 ? whole : `    ${key}:\n      ${quote}${text}${quote},`;
  };
  return `  ${symbol}: {\n${field('cause', cause)}\n${field('remedy', remedy)}\n  },`;
}

const files = {
  'lib/engine/reasons.ts': `// SPDX-License-Identifier: Apache-2.0
// Generated from native/base/reasons.h by \`npm run generate\`. Do not edit.

/** Names of the drop reasons, in counter order. */
export const DROP_REASONS = [
${rows.map((row) => `  '${row.symbol}',`).join('\n')}
] as const;

export type DropReason = (typeof DROP_REASONS)[number];

/** Index of each reason: its offset among the drop counters. */
export const DROP = Object.fromEntries(DROP_REASONS.map((name, index) => [name, index])) as Record<
  DropReason,
  number
>;

/** What each reason means and what helps, as in docs/drop-reasons.md. */
export const DROP_EXPLANATIONS: Readonly<Record<DropReason, { cause: string; remedy: string }>> = {
${rows.map(explanation).join('\n')}
};
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
