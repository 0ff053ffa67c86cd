// SPDX-License-Identifier: Apache-2.0
import { escaped, words } from './marks.js';
import { drawPanel, LEFT, WIDTH } from './panel.js';
import type { CaseReport } from './report.js';

const TOP = 58;
const BOTTOM = 10;

// A background of its own, so that the plot can be read on whatever page it stands.
const STYLE = `
  .page { fill: #ffffff } text { fill: #24292f; font: 12px system-ui, sans-serif }
  .title { font-size: 15px; font-weight: 600 } .panel { font-weight: 600 }
  .note { font-size: 11px; fill: #57606a } .grid { stroke: #d0d7de } .axis { stroke: #57606a }
  .whisker { stroke: #24292f; stroke-width: 1.5 }
  .s0 { fill: #0969da } .s1 { fill: #d4772c } .s2 { fill: #2da44e } .s3 { fill: #8250df }
  @media (prefers-color-scheme: dark) {
    .page { fill: #0d1117 } text { fill: #e6edf3 } .note { fill: #9198a1 }
    .grid { stroke: #30363d } .axis { stroke: #9198a1 } .whisker { stroke: #e6edf3 }
    .s0 { fill: #58a6ff } .s1 { fill: #f0a35e } .s2 { fill: #56d364 } .s3 { fill: #bc8cff }
  }`;

/** The plot of a case: bars are medians, whiskers go from the least to the greatest round. */
export function plot(report: CaseReport): string {
  const panels: string[] = [];
  let height = TOP;
  for (const panel of report.panels) {
    const drawn = drawPanel(report, panel, height);
    if (drawn === null) continue;
    panels.push(drawn.svg);
    height += drawn.height;
  }
  height += BOTTOM;
  const title = `${report.case}: ${report.title}`;
  const { machine, rounds } = report;
  const note = `${machine.cpu}, commit ${machine.commit ?? 'unknown'}; median of ${rounds} rounds, whiskers from least to greatest`;
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" width="${WIDTH}" height="${height}" role="img">`,
    `<title>${escaped(title)}</title>`,
    `<style>${STYLE}\n</style>`,
    `<rect class="page" width="${WIDTH}" height="${height}" rx="6"/>`,
    words(LEFT, 26, title, 'title'),
    words(LEFT, 44, note, 'note'),
    ...panels,
    '</svg>',
    '',
  ].join('\n');
}
