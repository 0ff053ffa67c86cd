// SPDX-License-Identifier: Apache-2.0
import type { Panel } from '../rig/case.js';
import { axisOf } from './axis.js';
import { formatNumber } from './number.js';
import type { CaseReport, PointReport } from './report.js';
import type { Spread } from './spread.js';

const WIDTH = 760;
const PLOT_HEIGHT = 200;
const LEFT = 70;
const RIGHT = 20;
const TOP = 58;
/** Above a panel's plot: its title. Below: labels of the points. */
const PANEL_HEAD = 48;
const PANEL_FOOT = 36;
const BAR_SHARE = 0.72;
const WHISKER = 4;

// A background of its own, so that the plot can be read on whatever page it stands.
const STYLE = `
  .page { fill: #ffffff } text { fill: #24292f; font: 12px system-ui, sans-serif }
  .title { font-size: 15px; font-weight: 600 } .panel { font-weight: 600 }
  .note { font-size: 11px; fill: #57606a } .grid { stroke: #d0d7de } .axis { stroke: #57606a }
  .whisker { stroke: #24292f; stroke-width: 1.5 }
  .s0 { fill: #0969da } .s1 { fill: #d4772c } .s2 { fill: #2da44e } .s3 { fill: #8250df }
  .s4 { fill: #bf3989 } .s5 { fill: #6e7781 }
  @media (prefers-color-scheme: dark) {
    .page { fill: #0d1117 } text { fill: #e6edf3 } .note { fill: #9198a1 }
    .grid { stroke: #30363d } .axis { stroke: #9198a1 } .whisker { stroke: #e6edf3 }
    .s0 { fill: #58a6ff } .s1 { fill: #f0a35e } .s2 { fill: #56d364 } .s3 { fill: #bc8cff }
    .s4 { fill: #ff7bc8 } .s5 { fill: #8b949e }
  }`;

/** The plot of a case: bars are medians, whiskers go from the least to the greatest round. */
export function plot(report: CaseReport): string {
  const panels = report.panels.filter((panel) => pointsOf(report, panel).length > 0);
  const each = PANEL_HEAD + PLOT_HEIGHT + PANEL_FOOT;
  const height = TOP + panels.length * each + 10;
  const { machine, rounds } = report;
  const note = `${machine.cpu}, commit ${machine.commit ?? 'unknown'}; median of ${rounds} rounds, whiskers from least to greatest`;
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" width="${WIDTH}" height="${height}" role="img">`,
    `<title>${escapeText(`${report.case}: ${report.title}`)}</title>`,
    `<style>${STYLE}\n</style>`,
    `<rect class="page" width="${WIDTH}" height="${height}" rx="6"/>`,
    text(LEFT, 26, `${report.case}: ${report.title}`, 'title'),
    text(LEFT, 44, note, 'note'),
    ...panels.map((panel, index) => panelAt(report, panel, TOP + index * each)),
    '</svg>',
    '',
  ].join('\n');
}

function panelAt(report: CaseReport, panel: Panel, y: number): string {
  const points = pointsOf(report, panel);
  const figures = panel.figures.filter((key) =>
    points.some(({ summary }) => summary[key] !== undefined),
  );
  const unit = report.figures[figures[0]!]!.unit;
  const spreads = points.flatMap(({ summary }) => figures.flatMap((key) => summary[key] ?? []));
  const axis = axisOf(spreads, panel.scale ?? 'linear');
  const top = y + PANEL_HEAD;
  const bottom = top + PLOT_HEIGHT;
  const yOf = (value: number): number => bottom - axis.share(value) * PLOT_HEIGHT;
  const step = (WIDTH - LEFT - RIGHT) / points.length;
  const bar = Math.min((step * BAR_SHARE) / figures.length, 46);
  return [
    text(LEFT, y + 14, unit === '' ? panel.title : `${panel.title}, ${unit}`, 'panel'),
    legend(report, figures, y + 30),
    ...axis.ticks.map(
      (tick) =>
        `<line class="grid" x1="${LEFT}" x2="${WIDTH - RIGHT}" y1="${at(yOf(tick))}" y2="${at(yOf(tick))}"/>` +
        text(LEFT - 8, yOf(tick) + 4, String(Number(tick.toPrecision(6))), 'note', 'end'),
    ),
    ...points.flatMap(({ label, summary }, index) => {
      const middle = LEFT + (index + 0.5) * step;
      const first = middle - (bar * figures.length) / 2;
      return [
        ...figures.map((key, series) =>
          summary[key] === undefined
            ? ''
            : barAt(summary[key], `s${series}`, first + series * bar, bar, bottom, yOf),
        ),
        text(middle, bottom + 17, label, '', 'middle'),
      ];
    }),
    `<line class="axis" x1="${LEFT}" x2="${WIDTH - RIGHT}" y1="${bottom}" y2="${bottom}"/>`,
  ].join('\n');
}

function barAt(
  { min, median, max }: Spread,
  series: string,
  x: number,
  width: number,
  bottom: number,
  yOf: (value: number) => number,
): string {
  const middle = x + width / 2;
  const [low, top, high] = [yOf(min), yOf(median), yOf(max)];
  const line = (x1: number, x2: number, y1: number, y2: number): string =>
    `<line class="whisker" x1="${at(x1)}" x2="${at(x2)}" y1="${at(y1)}" y2="${at(y2)}"/>`;
  return [
    `<rect class="${series}" x="${at(x + 1)}" y="${at(top)}" width="${at(width - 2)}" height="${at(bottom - top)}"/>`,
    line(middle, middle, low, high),
    line(middle - WHISKER, middle + WHISKER, low, low),
    line(middle - WHISKER, middle + WHISKER, high, high),
    // In the bar's own place when the pointer rests on it.
    `<title>${formatNumber(median)} (${formatNumber(min)} to ${formatNumber(max)})</title>`,
  ].join('');
}

function legend(report: CaseReport, figures: readonly string[], y: number): string {
  let x = LEFT;
  return figures
    .map((key, series) => {
      const { title } = report.figures[key]!;
      const mark = `<rect class="s${series}" x="${at(x)}" y="${y - 9}" width="10" height="10"/>`;
      const entry = mark + text(x + 15, y, title);
      x += 15 + title.length * 7 + 20;
      return entry;
    })
    .join('');
}

function pointsOf(report: CaseReport, { group, figures }: Panel): PointReport[] {
  return report.points.filter(
    (point) =>
      (group === undefined || point.group === group) &&
      figures.some((key) => point.summary[key] !== undefined),
  );
}

function text(x: number, y: number, content: string, kind = '', anchor = 'start'): string {
  const named = kind === '' ? '' : ` class="${kind}"`;
  return `<text${named} x="${at(x)}" y="${at(y)}" text-anchor="${anchor}">${escapeText(content)}</text>`;
}

function at(value: number): string {
  return String(Math.round(value * 10) / 10);
}

function escapeText(content: string): string {
  return content.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}
