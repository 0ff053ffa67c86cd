// SPDX-License-Identifier: Apache-2.0
import { Counter, Gauge, type Registry } from 'prom-client';

/** A value and its labels, in the order of the metric's. */
export type Sample = readonly [value: number, ...labels: string[]];

/** A metric whose values stand somewhere else, and are read when somebody asks for them. */
export interface SampledMetric<State> {
  type: 'counter' | 'gauge';
  name: string;
  help: string;
  labels: readonly string[];
  read(state: State): Iterable<Sample>;
}

/** A family of metrics that are read from one state, all at one moment. */
export class SampledMetrics<State> {
  readonly #metrics: { spec: SampledMetric<State>; metric: Counter | Gauge }[];

  constructor(registry: Registry, specs: readonly SampledMetric<State>[]) {
    this.#metrics = specs.map((spec) => {
      const { name, help, labels: labelNames } = spec;
      const config = { name, help, labelNames, registers: [registry] };
      return { spec, metric: spec.type === 'counter' ? new Counter(config) : new Gauge(config) };
    });
  }

  /** Takes over the values of now; what is not there any more has gone. `null`: nothing is there. */
  fill(state: State | null): void {
    for (const { spec, metric } of this.#metrics) {
      metric.reset();
      // A metric without labels is 0 after that, and would be taken for a value.
      if (spec.labels.length === 0) metric.remove();
      if (state === null) continue;
      for (const [value, ...labels] of spec.read(state))
        metric.inc(Object.fromEntries(spec.labels.map((name, at) => [name, labels[at]!])), value);
    }
  }
}

/** Values by key, as samples with the key as their label. */
export function byKey(values: Readonly<Record<string, number>>): Sample[] {
  return Object.entries(values).map(([key, value]) => [value, key]);
}
