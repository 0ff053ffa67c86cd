// SPDX-License-Identifier: Apache-2.0
// The two kinds of panel: bars that stand, for points with short names, and bars that lie.
import type { Panel } from '../rig/case.js';
import { type Axis, axisOf } from './axis.js';
import { box, hint, line, lyingWhisker, tickText, uprightWhisker, words } from './marks.js';
import type { CaseReport, PointReport } from './report.js';

export const WIDTH = 760;
export const LEFT = 70;
const RIGHT = 20;
/** Above the bars: title and legend. Below: names. */
const HEAD = 48;
const FOOT = 36;
const BARS_HEIGHT = 200;
const BAR_SHARE = 0.72;
const WIDEST_BAR = 46;
const ROWS_LEFT = 400;
const ROW_HEIGHT = 17;

/** A panel with the points that it shows, and of its figures those that were measured. */
interface Content {
  report: CaseReport;
  panel: Panel;
  points: PointReport[];
  figures: string[];
  axis: Axis;
}

/** One panel, drawn, and how high it is. `null`: nothing of it was measured. */
export function drawPanel(
  report: CaseReport,
  panel: Panel,
  y: number,
): { svg: string; height: number } | null {
  const { group, figures: wanted, scale = 'linear' } = panel;
  const points = report.points.filter(
    (point) =>
      (group === undefined || point.group === group) &&
      wanted.some((key) => point.summary[key] !== undefined),
  );
  if (points.length === 0) return null;
  const figures = wanted.filter((key) => points.some(({ summary }) => summary[key] !== undefined));
  const spreads = points.flatMap(({ summary }) => figures.flatMap((key) => summary[key] ?? []));
  const content = { report, panel, points, figures, axis: axisOf(spreads, scale) };
  return panel.layout === 'rows' ? drawRows(content, y) : drawBars(content, y);
}

function drawBars(content: Content, y: number): { svg: string; height: number } {
  const { points, figures, axis } = content;
  const bottom = y + HEAD + BARS_HEIGHT;
  const yOf = (value: number): number => bottom - axis.share(value) * BARS_HEIGHT;
  const step = (WIDTH - LEFT - RIGHT) / points.length;
  const width = Math.min((step * BAR_SHARE) / figures.length, WIDEST_BAR);
  const marks = axis.ticks.map(
    (tick) =>
      line('grid', LEFT, yOf(tick), WIDTH - RIGHT, yOf(tick)) +
      words(LEFT - 8, yOf(tick) + 4, tickText(tick), 'note', 'end'),
  );
  const bars = points.flatMap(({ label, summary }, index) => {
    const middle = LEFT + (index + 0.5) * step;
    const first = middle - (width * figures.length) / 2;
    const each = figures.map((key, series) => {
      const found = summary[key];
      if (found === undefined) return '';
      const x = first + series * width;
      const top = yOf(found.median);
      return [
        `<g>${box(`s${series}`, x + 1, top, width - 2, bottom - top)}`,
        `${uprightWhisker(x + width / 2, yOf(found.min), yOf(found.max))}${hint(found)}</g>`,
      ].join('');
    });
    return [...each, words(middle, bottom + 17, label, '', 'middle')];
  });
  const ground = line('axis', LEFT, bottom, WIDTH - RIGHT, bottom);
  const svg = [...head(content, y), ...marks, ...bars, ground].join('\n');
  return { svg, height: HEAD + BARS_HEIGHT + FOOT };
}

function drawRows(content: Content, y: number): { svg: string; height: number } {
  const { points, figures, axis } = content;
  const top = y + HEAD;
  const pitch = ROW_HEIGHT * figures.length;
  const bottom = top + pitch * points.length;
  const xOf = (value: number): number =>
    ROWS_LEFT + axis.share(value) * (WIDTH - RIGHT - ROWS_LEFT);
  const marks = axis.ticks.map(
    (tick) =>
      line('grid', xOf(tick), top, xOf(tick), bottom) +
      words(xOf(tick), bottom + 15, tickText(tick), 'note', 'middle'),
  );
  const bars = points.flatMap(({ label, summary }, index) => {
    const first = top + index * pitch;
    const each = figures.map((key, series) => {
      const found = summary[key];
      if (found === undefined) return '';
      const middle = first + (series + 0.5) * ROW_HEIGHT;
      const length = xOf(found.median) - ROWS_LEFT;
      return [
        `<g>${box(`s${series}`, ROWS_LEFT, middle - ROW_HEIGHT * 0.36, length, ROW_HEIGHT * 0.72)}`,
        `${lyingWhisker(middle, xOf(found.min), xOf(found.max))}${hint(found)}</g>`,
      ].join('');
    });
    return [...each, words(ROWS_LEFT - 8, first + pitch / 2 + 4, label, '', 'end')];
  });
  const ground = line('axis', ROWS_LEFT, top, ROWS_LEFT, bottom);
  const svg = [...head(content, y), ...marks, ...bars, ground].join('\n');
  return { svg, height: HEAD + bottom - top + FOOT };
}

function head({ report, panel, figures }: Content, y: number): string[] {
  const { unit } = report.figures[figures[0]!]!;
  const title = unit === '' ? panel.title : `${panel.title}, ${unit}`;
  let x = LEFT;
  const legend = figures.map((key, series) => {
    const { title } = report.figures[key]!;
    const entry = box(`s${series}`, x, y + 21, 10, 10) + words(x + 15, y + 30, title);
    x += 35 + title.length * 7;
    return entry;
  });
  return [words(LEFT, y + 14, title, 'panel'), ...legend];
}
