// SPDX-License-Identifier: Apache-2.0

/** A metric as Prometheus reads it. */
export interface ScrapedMetric {
  name: string;
  type: string;
  help: string;
  samples: ScrapedSample[];
}

export interface ScrapedSample {
  /** With the suffix of a histogram's series. */
  name: string;
  labels: Record<string, string>;
  value: number;
}

const NAME = '[a-zA-Z_:][a-zA-Z0-9_:]*';
const LABEL = '[a-zA-Z_][a-zA-Z0-9_]*="(?:[^"\\\\\\n]|\\\\["\\\\n])*"';
const SAMPLE = new RegExp(`^(${NAME})(?:\\{(${LABEL}(?:,${LABEL})*)\\})? (\\S+)$`);
/** What Go's ParseFloat takes. */
const VALUE = /^(?:[-+]?(?:\d+\.?\d*|\.\d+)(?:e[-+]?\d+)?|nan|[-+]?inf)$/i;

/**
 * Reads Prometheus' text format 0.0.4 and accepts nothing that is not in it: each metric has HELP and
 * TYPE, once and before its samples; no series stands twice; histograms are complete and cumulative.
 */
export function parseExposition(text: string): Map<string, ScrapedMetric> {
  if (!text.endsWith('\n')) throw new Error('the last line has no end');
  const metrics = new Map<string, ScrapedMetric>();
  const series = new Set<string>();
  let current: ScrapedMetric | null = null;
  for (const line of text.split('\n')) {
    if (line === '') continue;
    const help = new RegExp(`^# HELP (${NAME}) (.+)$`).exec(line);
    if (help !== null) {
      if (metrics.has(help[1]!)) throw new Error(`${help[1]} stands twice`);
      current = { name: help[1]!, help: help[2]!, type: '', samples: [] };
      metrics.set(current.name, current);
      continue;
    }
    const type = new RegExp(`^# TYPE (${NAME}) (counter|gauge|histogram|summary)$`).exec(line);
    if (type !== null) {
      if (current?.name !== type[1] || current.type !== '') throw new Error(`misplaced: ${line}`);
      current.type = type[2]!;
      continue;
    }
    const sample = SAMPLE.exec(line);
    if (sample === null || !VALUE.test(sample[3]!)) throw new Error(`no sample: ${line}`);
    const name = sample[1]!;
    if (current === null || current.type === '' || !belongs(name, current))
      throw new Error(`a sample of another metric: ${line}`);
    const labels = parseLabels(sample[2] ?? '');
    const key = `${name} ${JSON.stringify(Object.entries(labels).sort())}`;
    if (series.has(key)) throw new Error(`stands twice: ${line}`);
    series.add(key);
    current.samples.push({ name, labels, value: Number(sample[3]!.replace('Inf', 'Infinity')) });
  }
  for (const metric of metrics.values()) {
    if (metric.type === 'histogram') checkHistogram(metric);
    if (metric.type === 'counter' && metric.samples.some(({ value }) => !(value >= 0)))
      throw new Error(`${metric.name} is negative`);
  }
  return metrics;
}

/** The value of the one series with these labels; `null`: there is none. */
export function sampleValue(
  metrics: ReadonlyMap<string, ScrapedMetric>,
  name: string,
  labels: Record<string, string> = {},
): number | null {
  const metric = metrics.get(name) ?? metrics.get(name.replace(/_(?:bucket|sum|count)$/, ''));
  const found = metric?.samples.filter(
    (sample) =>
      sample.name === name &&
      Object.keys(sample.labels).length === Object.keys(labels).length &&
      Object.entries(labels).every(([label, value]) => sample.labels[label] === value),
  );
  return found?.[0]?.value ?? null;
}

function belongs(name: string, { name: base, type }: ScrapedMetric): boolean {
  return type === 'histogram'
    ? [`${base}_bucket`, `${base}_sum`, `${base}_count`].includes(name)
    : name === base;
}

function parseLabels(text: string): Record<string, string> {
  const labels: Record<string, string> = {};
  for (const [, name, value] of text.matchAll(/([a-zA-Z_]\w*)="((?:[^"\\]|\\.)*)"/g)) {
    if (Object.hasOwn(labels, name!)) throw new Error(`a label stands twice: ${text}`);
    labels[name!] = value!.replace(/\\(.)/g, (_, char: string) => (char === 'n' ? '\n' : char));
  }
  return labels;
}

function checkHistogram({ name, samples }: ScrapedMetric): void {
  const groups = new Map<string, ScrapedSample[]>();
  for (const sample of samples) {
    const { le, ...labels } = sample.labels;
    if ((le !== undefined) !== (sample.name === `${name}_bucket`))
      throw new Error(`${sample.name}: a bound where none belongs, or none where one does`);
    const key = JSON.stringify(Object.entries(labels).sort());
    groups.set(key, [...(groups.get(key) ?? []), sample]);
  }
  for (const [key, group] of groups) {
    const buckets = group.filter((sample) => sample.name.endsWith('_bucket'));
    const count = group.find((sample) => sample.name === `${name}_count`)?.value;
    const hasSum = group.some((sample) => sample.name === `${name}_sum`);
    const bounds = buckets.map(({ labels }) => Number(labels['le']!.replace('Inf', 'Infinity')));
    const ascending = bounds.every((bound, at) => at === 0 || bound > bounds[at - 1]!);
    const cumulative = buckets.every(
      ({ value }, at) => at === 0 || value >= buckets[at - 1]!.value,
    );
    if (!ascending || !cumulative || bounds.at(-1) !== Number.POSITIVE_INFINITY)
      throw new Error(`${name} ${key}: buckets are not in order`);
    if (!hasSum || count !== buckets.at(-1)!.value)
      throw new Error(`${name} ${key}: sum or count is not right`);
  }
}
