// SPDX-License-Identifier: Apache-2.0
import { AssertionError } from 'node:assert';
import { SluiceError } from '../errors.js';
import { show } from '../model/explain.js';
import { Fields } from '../model/fields.js';
import { type ManifestFile, readFiles } from '../sources/files/read.js';
import { type Comparison, compare } from './compare.js';
import { type Cluster, deriveCluster } from './derive/cluster.js';
import { type Expectation, type ExpectedTable, readTable } from './expected-table.js';
import { Matrix, type MatrixOptions, planMatrix } from './matrix.js';
import { Names } from './names.js';
import { NodeProxies } from './node-proxies.js';
import { type ProbeInput, type ProbeResult, Prober } from './probe.js';
import { Topology } from './topology.js';
import { Walker } from './walk.js';

export interface NetworkOptions {
  /** How many nodes there are where the manifests have none. Default 1. */
  nodes?: number;
}

/** What may be expected besides the verdict. */
export type ExpectedMore = Pick<Expectation, 'backends' | 'rule'>;

export interface NetworkNode {
  readonly name: string;
  readonly addresses: readonly string[];
  readonly podNetworks: readonly string[];
}

export interface NetworkPod {
  readonly namespace: string;
  readonly name: string;
  /** Name of the Deployment, StatefulSet, ... that it belongs to; `null`: to none that is given. */
  readonly workload: string | null;
  readonly node: string;
  readonly addresses: readonly string[];
}

export interface NetworkService {
  readonly namespace: string;
  readonly name: string;
  readonly addresses: readonly string[];
  readonly loadBalancer: readonly string[];
  readonly ports: readonly {
    readonly name: string;
    readonly protocol: string;
    readonly port: number;
    readonly nodePort: number;
  }[];
}

const MAX_NODES = 1_000;

/**
 * A cluster out of manifests, to be asked who may speak to whom. Every node has a proxy on the
 * software engine; what they say is what the same manifests make of packets in production.
 */
export class Network {
  readonly #cluster: Cluster;
  readonly #names: Names;
  readonly #proxies: NodeProxies;
  readonly #prober: Prober;

  private constructor(cluster: Cluster) {
    this.#cluster = cluster;
    this.#names = new Names(cluster);
    const topology = new Topology(cluster);
    this.#proxies = new NodeProxies(cluster, topology);
    const walker = new Walker(topology, this.#proxies);
    this.#prober = new Prober(cluster, this.#names, topology, walker);
  }

  /**
   * Reads manifests: paths of files and folders, or texts (whatever has more than one line).
   *
   * @throws SluiceError `ERR_MANIFEST`, `ERR_OPTIONS`
   */
  static async load(
    pathsOrTexts: string | readonly string[],
    options: NetworkOptions = {},
  ): Promise<Network> {
    const given = typeof pathsOrTexts === 'string' ? [pathsOrTexts] : pathsOrTexts;
    if (!Array.isArray(given) || given.some((each) => typeof each !== 'string' || each === '')) {
      throw new SluiceError('ERR_OPTIONS', `expected paths or texts, found ${show(pathsOrTexts)}`);
    }
    const files: ManifestFile[] = [];
    for (const [index, each] of (given as string[]).entries()) {
      if (each.includes('\n')) files.push({ name: `text ${index + 1}`, text: each });
      else files.push(...(await readFiles([each])));
    }
    return new Network(deriveCluster(files, nodeCount(options)));
  }

  /**
   * Takes objects as a YAML parser would make them.
   *
   * @throws SluiceError `ERR_MANIFEST`, `ERR_OPTIONS`
   */
  static from(objects: readonly object[], options: NetworkOptions = {}): Network {
    if (!Array.isArray(objects)) {
      throw new SluiceError('ERR_OPTIONS', `expected a list of objects, found ${show(objects)}`);
    }
    const files = objects.map((object, index) => ({
      name: `objects[${index}]`,
      text: JSON.stringify(object) ?? 'null',
    }));
    return new Network(deriveCluster(files, nodeCount(options)));
  }

  get nodes(): NetworkNode[] {
    return this.#cluster.nodes.map(({ name, addresses, podNetworks }) => ({
      name,
      addresses,
      podNetworks,
    }));
  }

  get pods(): NetworkPod[] {
    return this.#cluster.pods.map(({ namespace, name, workload, node, addresses }) => ({
      namespace,
      name,
      workload,
      node,
      addresses,
    }));
  }

  get services(): NetworkService[] {
    return this.#cluster.services.map(({ namespace, name, addresses, loadBalancer, ports }) => ({
      namespace,
      name,
      addresses,
      loadBalancer,
      ports: ports.map(({ targetPort: _, ...port }) => port),
    }));
  }

  /** How many objects of kinds that nothing here depends on were passed over, by kind. */
  get skipped(): Readonly<Record<string, number>> {
    return this.#cluster.skipped;
  }

  /** What looks like a mistake in the manifests, though a cluster would take it. */
  get warnings(): readonly string[] {
    return this.#cluster.warnings;
  }

  /**
   * Whether, where to and by which rule a connection gets.
   *
   * @example
   * ```ts
   * const { verdict, text } = await net.probe({ from: 'shop/frontend', to: 'cart.shop:80' });
   * ```
   * @throws SluiceError `ERR_OPTIONS`
   */
  probe(input: ProbeInput): Promise<ProbeResult> {
    return this.#prober.probe(input);
  }

  /**
   * Who may speak to whom.
   *
   * @example
   * ```ts
   * console.log(String(await net.matrix()));
   * ```
   * @throws SluiceError `ERR_OPTIONS`
   */
  async matrix(options: MatrixOptions = {}): Promise<Matrix> {
    const plan = planMatrix(options, this.#cluster);
    const results: ProbeResult[][] = [];
    for (const from of plan.sources) {
      const row: ProbeResult[] = [];
      for (const to of plan.destinations) row.push(await this.probe({ from, to }));
      results.push(row);
    }
    return new Matrix(plan, results);
  }

  /**
   * Asks for everything that a table expects, in its order.
   *
   * @throws SluiceError `ERR_CONFIG` for the table, `ERR_OPTIONS` for what it names
   */
  async compare(table: ExpectedTable): Promise<Comparison[]> {
    const comparisons: Comparison[] = [];
    for (const expected of readTable(table)) {
      const { from, to, protocol } = expected;
      const result = await this.probe({ from, to, ...(protocol !== undefined && { protocol }) });
      comparisons.push(compare(expected, result));
    }
    return comparisons;
  }

  /**
   * @throws AssertionError that says what is, and which rule of which policy decided
   * @throws SluiceError `ERR_OPTIONS`
   */
  async expectAllowed(input: ProbeInput & ExpectedMore): Promise<void> {
    await this.expectTable([{ ...input, expect: 'allowed' }]);
  }

  /**
   * That a policy says no: what is not reachable for another reason fails as well.
   *
   * @throws AssertionError that says what is, and which rule let it through
   * @throws SluiceError `ERR_OPTIONS`
   */
  async expectDenied(input: ProbeInput & ExpectedMore): Promise<void> {
    await this.expectTable([{ ...input, expect: 'denied' }]);
  }

  /**
   * @throws AssertionError with every difference
   * @throws SluiceError `ERR_CONFIG`, `ERR_OPTIONS`
   */
  async expectTable(table: ExpectedTable): Promise<void> {
    const comparisons = await this.compare(table);
    const wrong = comparisons.filter(({ difference }) => difference !== null);
    if (wrong.length === 0) return;
    const messages = wrong.map(
      ({ expected: { from, to }, result, difference }) =>
        `${from} -> ${to} (${result.protocol}): ${difference}`,
    );
    const count =
      comparisons.length === 1 ? [] : [`${wrong.length} of ${comparisons.length} wrong`];
    throw new AssertionError({
      message: [...count, ...messages].join('\n'),
      actual: wrong.map(({ result }) => result.verdict),
      expected: wrong.map(({ expected }) => expected.expect),
      operator: 'expectTable',
      stackStartFn: this.expectTable,
    });
  }

  /** Ends the proxies. They hold no process alive, so this may be left out. */
  close(): Promise<void> {
    return this.#proxies.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}

function nodeCount(options: NetworkOptions): number {
  const fields = new Fields(options, '', 'ERR_OPTIONS', ['nodes']);
  return fields.has('nodes') ? fields.integer('nodes', 1, MAX_NODES) : 1;
}
