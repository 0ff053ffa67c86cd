// SPDX-License-Identifier: Apache-2.0

/** A cell: numbers are set to the right. */
export type Cell = string | number;

/**
 * Plain text table: upper-case titles, two spaces between columns, no lines, so that `awk` and
 * `grep` work on it. A table without rows is its titles alone.
 */
export function formatTable(titles: readonly string[], rows: readonly (readonly Cell[])[]): string {
  const texts = rows.map((row) => row.map(String));
  const widths = titles.map((title, column) =>
    Math.max(title.length, ...texts.map((row) => (row[column] ?? '').length)),
  );
  const isNumber = titles.map((_, column) => rows.some((row) => typeof row[column] === 'number'));
  const line = (cells: readonly string[]): string =>
    cells
      .map((cell, column) =>
        isNumber[column] ? cell.padStart(widths[column]!) : cell.padEnd(widths[column]!),
      )
      .join('  ')
      .trimEnd();
  return [titles.map((title) => title.toUpperCase()), ...texts].map(line).join('\n');
}
