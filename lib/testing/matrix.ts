// SPDX-License-Identifier: Apache-2.0
import { Fields } from '../model/fields.js';
import { type Comparison, compare } from './compare.js';
import type { Cluster } from './derive/cluster.js';
import { type ExpectedTable, readTable } from './expected-table.js';
import { nameOf, refuse, workloadOf } from './names.js';
import type { ProbeResult, Verdict } from './probe.js';

export interface MatrixOptions {
  /** Who asks. Default: one pod of every workload, and every pod that belongs to none. */
  from?: readonly string[];
  /** Whom they ask. Default: every port of every service. */
  to?: readonly string[];
  /** In place of `to`: these ports of everybody who asks, past all services. */
  ports?: readonly number[];
  /** `pods`: every pod, in place of one of each workload. */
  by?: 'workloads' | 'pods';
}

/** Who asks whom. */
export interface MatrixPlan {
  readonly sources: readonly string[];
  readonly destinations: readonly string[];
}

/** What stands in a matrix for a verdict; the others stand for themselves. */
const SIGNS: Partial<Record<Verdict, string>> = { allowed: '+', denied: '-' };

const KEYS = ['from', 'to', 'ports', 'by'];

/** Who may speak to whom: a row for each source, a column for each destination. */
export class Matrix {
  readonly sources: readonly string[];
  readonly destinations: readonly string[];
  readonly #results: readonly (readonly ProbeResult[])[];

  /** @internal */
  constructor(plan: MatrixPlan, results: readonly (readonly ProbeResult[])[]) {
    this.sources = plan.sources;
    this.destinations = plan.destinations;
    this.#results = results;
  }

  /** Row by row. */
  get results(): readonly ProbeResult[] {
    return this.#results.flat();
  }

  /** `undefined`: it was not asked. */
  get(from: string, to: string): ProbeResult | undefined {
    return this.#results[this.sources.indexOf(from)]?.[this.destinations.indexOf(to)];
  }

  /**
   * What is other than a table expects; what was not asked is refused.
   *
   * @throws SluiceError `ERR_CONFIG`, `ERR_OPTIONS`
   */
  compare(table: ExpectedTable): Comparison[] {
    return readTable(table).map((expected) => {
      const { from, to } = expected;
      const result = this.get(from, to) ?? refuse('table', `${from} -> ${to} was not asked`);
      return compare(expected, result);
    });
  }

  /**
   * An aligned table: `+` allowed, `-` denied, a word for everything else. As text it is a table of
   * expectations, too.
   */
  toString(): string {
    const rows = this.#results.map((row, index) => [
      this.sources[index]!,
      ...row.map(({ verdict }) => SIGNS[verdict] ?? verdict),
    ]);
    return aligned([['FROM', ...this.destinations], ...rows]);
  }
}

/** @throws SluiceError `ERR_OPTIONS` */
export function planMatrix(options: MatrixOptions, cluster: Cluster): MatrixPlan {
  const fields = new Fields(options, '', 'ERR_OPTIONS', KEYS);
  const byPods = fields.has('by') && fields.oneOf('by', ['workloads', 'pods']) === 'pods';
  const named = cluster.pods.map((pod) => (byPods ? nameOf(pod) : workloadOf(pod)));
  const everybody = [...new Set(named)].sort();
  if (fields.has('to') && fields.has('ports')) fields.fail('ports', 'leave to or ports out');
  const ports = fields.has('ports') ? fields.list('ports', 'port numbers') : null;
  return {
    sources: fields.has('from') ? fields.strings('from', 'senders') : everybody,
    destinations: fields.has('to')
      ? fields.strings('to', 'destinations')
      : ports === null
        ? servicePorts(cluster)
        : everybody.flatMap((name) => ports.map((port) => `${name}:${port}`)),
  };
}

/** Every service port, in the order of namespace and name; the protocol where it is not TCP. */
function servicePorts({ services }: Cluster): string[] {
  return services
    .filter(({ type }) => type !== 'ExternalName')
    .flatMap(({ namespace, name, ports }) =>
      ports.map(({ port, protocol }) => {
        const suffix = protocol === 'TCP' ? '' : `/${protocol}`;
        return `${name}.${namespace}:${port}${suffix}`;
      }),
    );
}

function aligned(rows: readonly (readonly string[])[]): string {
  const widths = rows[0]!.map((_, column) => Math.max(...rows.map((row) => row[column]!.length)));
  return rows
    .map((row) =>
      row
        .map((cell, column) => cell.padEnd(widths[column]!))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}
