// SPDX-License-Identifier: Apache-2.0
import { mkdirSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { CaseReport } from './report.js';
import { plot } from './svg.js';

const RESULTS = fileURLToPath(new URL('../results/', import.meta.url));

/** Keeps a report as JSON and as a plot. @returns the folder */
export function keepReport(report: CaseReport, results = RESULTS): string {
  const folder = report.quick ? `${results}quick/` : results;
  mkdirSync(folder, { recursive: true });
  writeFileSync(`${folder}${report.case}.json`, `${JSON.stringify(report, null, 2)}\n`);
  writeFileSync(`${folder}${report.case}.svg`, plot(report));
  return folder;
}
