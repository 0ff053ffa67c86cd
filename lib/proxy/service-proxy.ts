// SPDX-License-Identifier: Apache-2.0
import { EventEmitter } from 'node:events';
import { Compiler } from '../compile/compile.js';
import { openEngine } from '../engine/choose.js';
import type { Engine, EngineDescription } from '../engine/engine.js';
import { SluiceError } from '../errors.js';
import type { ModelChange } from '../model/changes.js';
import type { CheckedChange } from '../model/checked.js';
import type { InterfaceSpec, NodeSpec } from '../model/model.js';
import { CounterReader } from '../observe/counters.js';
import type { ExplainReport } from '../observe/explain-report.js';
import { readStats, type Stats } from '../observe/stats.js';
import type { BackendView, FlowView, ServiceView } from '../observe/views.js';
import { DropTicker, type ProxyEvents, tell } from './events.js';
import { Explainer, type ExplainInput } from './explain.js';
import {
  type ApplyInput,
  checkChangeInput,
  checkInput,
  type ManifestInput,
  readInput,
} from './input.js';
import { InterfaceSet, refuseUnknown } from './interface-set.js';
import { InterfaceTable, type WantedInterface } from './interface-table.js';
import { withMade } from './made-interfaces.js';
import { checkProxyOptions, oneMoreInterface, type ProxyOptions } from './options.js';
import { ProgramReader } from './program-reader.js';
import { SerialQueue } from './serial-queue.js';
import { type Outcome, Transactor } from './transaction.js';

/** What an `apply` or an `update` did. */
export interface ApplyReport {
  /** Number of the running program: grows by one with every commit. */
  generation: number;
  /** `false`: everything was as asked already. */
  changed: boolean;
  /** Services and backends that run now. A backend of two service ports counts twice. */
  services: number;
  backends: number;
  /** Manifests only: objects of other kinds that were passed over, by kind. */
  skipped: Record<string, number>;
  /** What was asked for and is not served, or could not be tidied up. One sentence each. */
  warnings: string[];
}

const DEFAULT_FLOW_LIMIT = 1_000;

/**
 * A service proxy: an engine, what it shall do, and what it does.
 *
 * @example
 * ```ts
 * await using proxy = await ServiceProxy.open({ interfaces: ['tap:web,address=10.1.0.1/24'] });
 * await proxy.apply({ manifests: 'shop.yaml' });
 * console.log(proxy.services, proxy.stats().fates);
 * ```
 */
export class ServiceProxy extends EventEmitter<ProxyEvents> implements AsyncDisposable {
  /** The interfaces, to look at, add, and remove. */
  readonly interfaces: InterfaceSet;
  /** One sentence on why this engine runs. */
  readonly why: string;
  readonly #engine: Engine;
  readonly #table: InterfaceTable;
  readonly #counters: CounterReader;
  readonly #transactor: Transactor;
  readonly #program: ProgramReader;
  readonly #explainer: Explainer;
  readonly #queue = new SerialQueue();
  readonly #drops: DropTicker | null;
  #closing: Promise<void> | null = null;
  /** The node section in force, as it was given: manifests fill in what it leaves out. */
  #node: NodeSpec | undefined;

  private constructor(engine: Engine, why: string) {
    super();
    this.why = why;
    this.#engine = engine;
    this.#counters = new CounterReader(engine.counters);
    this.#table = new InterfaceTable(engine, this.#counters);
    this.#table.onLink = ({ checked: { name, kind }, up }) =>
      tell(this, 'interface', { name, kind, up, change: 'link' });
    const compiler = new Compiler(engine.options);
    this.#transactor = new Transactor(engine, compiler, this.#table, this.#counters);
    this.#program = new ProgramReader(compiler.view, (slot) => this.#transactor.connections(slot));
    this.#explainer = new Explainer(engine, compiler.view, this.#table);
    this.#drops = engine.options.clock === 'real' ? new DropTicker(this.#counters, this) : null;
    this.interfaces = new InterfaceSet(this.#table, {
      assertOpen: () => this.#assertOpen(),
      add: (spec) => this.#addInterface(spec),
      remove: (name) => this.#removeInterface(name),
      send: (slot, frames) => engine.send(slot, frames),
      receive: (slot, max) => engine.receive(slot, max),
    });
  }

  /**
   * Starts an engine and attaches the interfaces. Whatever fails, nothing is left running.
   *
   * @throws SluiceError `ERR_OPTIONS`, `ERR_INTERFACE_SPEC`, `ERR_ROUTE_SPEC`,
   * `ERR_ENGINE_UNAVAILABLE`, `ERR_ENGINE_BUSY`, `ERR_INTERFACE`, `ERR_INTERFACE_KIND`,
   * `ERR_HUGEPAGES`, `ERR_PERMISSION`
   */
  static async open(options: ProxyOptions = {}): Promise<ServiceProxy> {
    const checked = checkProxyOptions(options);
    const { engine, why } = await openEngine(checked.choice, checked.engine);
    const proxy = new ServiceProxy(engine, why);
    try {
      const node = checked.node === null ? {} : { node: checked.node.checked };
      await proxy.#change({ routes: checked.routes, ...node }, checked.interfaces);
      proxy.#node = checked.node?.spec;
    } catch (error) {
      await proxy.close();
      throw error;
    }
    return proxy;
  }

  /** Which engine runs, and on what. */
  get engine(): EngineDescription {
    return this.#engine.description;
  }

  /**
   * Brings the proxy to a desired state: all of it, or, if anything fails, none of it. Sections that
   * are left out stay as they are. Calls that overlap are done one after the other.
   *
   * @throws SluiceError `ERR_MODEL`, `ERR_MANIFEST`, `ERR_INTERFACE_SPEC`, `ERR_ROUTE_SPEC`,
   * `ERR_CAPACITY`, `ERR_INTERFACE`, `ERR_INTERFACE_KIND`, `ERR_INTERFACE_LIMIT`, `ERR_PROGRAM`,
   * `ERR_CLOSED`; `path` names the field, file or document
   */
  async apply(input: ApplyInput): Promise<ApplyReport> {
    this.#assertOpen();
    const early = checkInput(input);
    const node = structuredClone(input.node);
    return this.#queue.run(async () => {
      this.#assertOpen();
      // Files are read when their turn comes, so that the last call has the last word.
      const { model, interfaces, tunnels, skipped, warnings } =
        early ?? (await readInput(input as ManifestInput, this.#node));
      const outcome = await this.#run(model, withMade(this.#table.list(), interfaces, tunnels));
      this.#node = node ?? this.#node;
      return this.#report(outcome, skipped, warnings);
    });
  }

  /**
   * Changes the desired state by what is named: all of it, or, if anything fails, none of it. It costs
   * what it changes, not what there is. A destination, a node port or the address of a pod may pass
   * from one to another within one change. Calls of this and of {@link apply} that overlap are done
   * one after the other.
   *
   * @example
   * ```ts
   * await proxy.update({ services: { put: [web], removed: ['default/old'] } });
   * ```
   * @throws SluiceError as {@link apply}; `path` names the field, such as
   * `services.put[0].ports[1].backends[3].address` or `pods.removed[2]`
   */
  async update(change: ModelChange): Promise<ApplyReport> {
    this.#assertOpen();
    const checked = checkChangeInput(change);
    const node = structuredClone(change.node);
    return this.#queue.run(async () => {
      this.#assertOpen();
      const { interfaces } = checked;
      const outcome = await this.#run(
        checked.change,
        withMade(this.#table.list(), interfaces, null),
      );
      this.#node = node ?? this.#node;
      return this.#report(outcome, {}, []);
    });
  }

  /**
   * The services that run, in the order of namespace and name. A snapshot.
   * @throws SluiceError `ERR_CLOSED`
   */
  get services(): ServiceView[] {
    this.#assertOpen();
    return this.#program.services();
  }

  /**
   * The backends that run, in the order of their services. A snapshot.
   * @throws SluiceError `ERR_CLOSED`
   */
  get backends(): BackendView[] {
    this.#assertOpen();
    return this.#program.backends();
  }

  /**
   * Everything that is counted, read at one moment.
   * @throws SluiceError `ERR_CLOSED`
   */
  stats(): Stats {
    this.#assertOpen();
    return readStats(this.#counters, {
      generation: this.#transactor.generation,
      interfaces: this.interfaces.list(),
      occupancy: this.#engine.occupancy(),
      options: this.#engine.options,
      cpus: this.#engine.description.workerCpus,
    });
  }

  /**
   * Connections that have not expired, in no particular order.
   *
   * @param limit - at most so many
   * @throws SluiceError `ERR_OPTIONS`, `ERR_CLOSED`
   */
  async flows(limit: number = DEFAULT_FLOW_LIMIT): Promise<FlowView[]> {
    this.#assertOpen();
    if (!Number.isInteger(limit) || limit < 0)
      throw new SluiceError('ERR_OPTIONS', `expected a whole number, found ${limit}`, {
        path: 'limit',
      });
    const records = await this.#engine.flows(limit);
    return records.map((record) => this.#program.flow(record));
  }

  /**
   * What would become of a packet, decision by decision. Nothing is sent and nothing changes.
   *
   * @example
   * ```ts
   * const { text } = await proxy.explain({ from: '10.0.0.9', to: '10.96.0.10', port: 80 });
   * ```
   * @throws SluiceError `ERR_OPTIONS`, `ERR_INTERFACE_UNKNOWN`, `ERR_CLOSED`
   */
  async explain(input: ExplainInput): Promise<ExplainReport> {
    this.#assertOpen();
    return this.#explainer.explain(input);
  }

  /**
   * Manual clock only: sets the time and lets every worker poll once.
   * @throws SluiceError `ERR_OPTIONS` if the clock is real, `ERR_CLOSED`
   */
  step(nowMs: number): void {
    this.#assertOpen();
    this.#engine.step(nowMs);
  }

  /**
   * Stops everything: the transaction under way is finished, those behind it are refused. Resolves
   * when interfaces and workers are gone. May be called again.
   */
  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #close(): Promise<void> {
    this.#drops?.stop();
    await this.#queue.run(async () => {
      this.#table.onLink = null;
      await this.#engine.close();
    });
  }

  #addInterface(spec: string | InterfaceSpec): Promise<string> {
    const given = structuredClone(spec);
    return this.#queue.run(async () => {
      this.#assertOpen();
      const wanted = oneMoreInterface(this.#table.list(), given);
      await this.#run({}, wanted);
      return wanted[wanted.length - 1]!.checked.name;
    });
  }

  #removeInterface(name: string): Promise<void> {
    return this.#queue.run(async () => {
      this.#assertOpen();
      const present = this.#table.list();
      const left = present.filter(({ checked }) => checked.name !== name);
      if (left.length === present.length) refuseUnknown(name, this.#table);
      const { warnings } = await this.#run({}, left);
      if (warnings.length > 0) throw new SluiceError('ERR_INTERFACE', warnings.join('; '));
    });
  }

  #report(
    { changed, warnings }: Outcome,
    skipped: Record<string, number>,
    earlier: readonly string[],
  ): ApplyReport {
    return {
      generation: this.#transactor.generation,
      changed,
      ...this.#program.counts(),
      skipped,
      warnings: [...earlier, ...warnings],
    };
  }

  #change(model: CheckedChange, wanted: readonly WantedInterface[]): Promise<Outcome> {
    return this.#queue.run(() => this.#run(model, wanted));
  }

  async #run(change: CheckedChange, wanted: readonly WantedInterface[] | null): Promise<Outcome> {
    const isWatched = () => this.listenerCount('backend') > 0;
    const outcome = await this.#transactor.run(change, wanted, isWatched);
    for (const event of outcome.interfaceEvents) tell(this, 'interface', event);
    for (const event of outcome.backendEvents) tell(this, 'backend', event);
    return outcome;
  }

  #assertOpen(): void {
    if (this.#closing !== null)
      throw new SluiceError('ERR_CLOSED', 'the proxy has been closed; open another one');
  }
}
