// SPDX-License-Identifier: Apache-2.0
import { mkdirSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { writeAgentConfiguration } from './agent-configuration.js';
import type { AgentAnswer, AgentOrder, Load, Loading, Reached, Wanted } from './agent-messages.js';
import { Churn } from './churn.js';
import { monotonic } from './monotonic.js';
import { OrderedProcess } from './ordered-process.js';
import { PopulatedCluster } from './populated-cluster.js';
import { SHIPPED_COMMAND, type ShippedStart, startShipped } from './shipped-agent.js';

/** Room for what churn and probes add, and for backends that still have connections. */
const MORE_BACKENDS = 20_000;
const LOAD_TIMEOUT_MS = 300_000;
/** As the agent's lists have it. */
const PAGE_SIZE = 250;
/** Changes a second of other services. */
export const CHURN_RATE = 100;
const SAMPLES = 100;
const SETTLE_MS = 10_000;
/** Away for so long: longer than the first tries to reach it again. */
const OUTAGE_MS = 1_000;
/** Between two changes, so that they do not keep step with what has a period. */
const LONGEST_GAP_MS = 2;

/** An agent, or a bare watch. */
type Watching = OrderedProcess<AgentOrder, AgentAnswer>;

/** One change, in ms of `monotonic`. */
export interface Change extends Reached {
  /** Just before it was written. */
  written: number;
}

/** One start of an agent as it is shipped, of one that tells what it does, and of what lists and parses alone. */
export interface Start {
  shipped: ShippedStart;
  loading: Loading;
  /** ms */
  bareLists: number;
}

/**
 * An API server with many services, the agent under test and a bare watch, each a process of its own. The two
 * do not run at the same time.
 */
export class AgentRig implements AsyncDisposable {
  readonly cluster: PopulatedCluster;
  readonly commands = new Map<string, string>();
  readonly #folder: string;
  #agent: Watching | null = null;
  #watcher: Watching | null = null;

  private constructor(cluster: PopulatedCluster, folder: string) {
    this.cluster = cluster;
    this.#folder = folder;
  }

  /**
   * @param each - pods of a Service
   * @param folder - for the agent's files; made if need be
   */
  static async start(services: number, each: number, folder: string): Promise<AgentRig> {
    mkdirSync(folder, { recursive: true });
    return new AgentRig(await PopulatedCluster.start(services, each), folder);
  }

  /** All start anew, one after the other, and end. */
  async startAgent(fault: (what: string) => void): Promise<Start> {
    this.#freezeAll();
    const bareLists = await this.#listOnce();
    this.commands.set('agent', SHIPPED_COMMAND);
    const shipped = await startShipped(this.#configuration());
    await using agent = this.#process('agent');
    const loading = await this.#open(agent);
    await this.#check(agent, fault);
    return { shipped, loading, bareLists };
  }

  /** So many changes one after the other as the agent sees them, and a fifth as many as a bare watch does. */
  async changes(count: number): Promise<{ agent: Change[]; bare: Change[] }> {
    const bare = await this.#withWatcher((watcher) => this.#underChurn(watcher, count / 5));
    const agent = await this.#withAgent((agent) => this.#underChurn(agent, count));
    return { agent, bare };
  }

  /** So many Services with their slices. @returns ms from the first write to the first packet */
  newServices(count: number): Promise<number[]> {
    return this.#withAgent(async (agent) => {
      const times: number[] = [];
      await using _ = new Churn(this.cluster, CHURN_RATE);
      for (let at = 0; at < count; at++) {
        const { wanted, write, remove } = this.cluster.newService();
        const { written, packet } = await change(agent, wanted, write);
        times.push(packet - written);
        await remove();
        await pause();
      }
      return times;
    });
  }

  /** What the agent costs while others are changed. */
  churn(seconds: number): Promise<Load & { rate: number }> {
    return this.#withAgent(async (agent) => {
      await using churn = new Churn(this.cluster, CHURN_RATE);
      // The first changes after a standstill are no measure.
      await sleep(200);
      await agent.ask({ ask: 'mark' }, 'marked');
      await sleep(seconds * 1_000);
      const { load } = await agent.ask({ ask: 'load' }, 'load');
      return { ...load, rate: churn.rate };
    });
  }

  /** The server is killed and started again, and a change follows at once. @returns ms from when it serves */
  outage(): Promise<number> {
    return this.#withAgent(async (agent) => {
      const { server } = this.cluster;
      await server.kill9();
      await sleep(OUTAGE_MS);
      await server.restart();
      const back = monotonic();
      // The bare watch has lost its connection, and does not look for another.
      await this.#endWatcher();
      const { wanted, write } = this.cluster.nextProbe();
      return (await change(agent, wanted, write)).packet - back;
    });
  }

  /** Whatever was changed, the agent has all of it. */
  verify(fault: (what: string) => void): Promise<void> {
    return this.#withAgent((agent) => this.#check(agent, fault));
  }

  /** At once and synchronously, for the end of this process. */
  kill(): void {
    this.#agent?.kill();
    this.#watcher?.kill();
    this.cluster.abandon();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#agent?.[Symbol.asyncDispose]();
    await this.#endWatcher();
    await this.cluster[Symbol.asyncDispose]();
  }

  async #endWatcher(): Promise<void> {
    const ending = this.#watcher;
    this.#watcher = null;
    await ending?.[Symbol.asyncDispose]();
  }

  async #underChurn(watching: Watching, count: number): Promise<Change[]> {
    const changes: Change[] = [];
    await using _ = new Churn(this.cluster, CHURN_RATE);
    for (let at = 0; at < count; at++) {
      const { wanted, write } = this.cluster.nextProbe();
      changes.push(await change(watching, wanted, write));
      await pause();
    }
    return changes;
  }

  async #withAgent<T>(work: (agent: Watching) => Promise<T>): Promise<T> {
    this.#freezeAll();
    if (this.#agent === null) {
      this.#agent = this.#process('agent');
      await this.#open(this.#agent);
    }
    this.#agent.freeze(false);
    // It reads first what has come while it stood still.
    await this.#reachOnce(this.#agent);
    return work(this.#agent);
  }

  async #withWatcher<T>(work: (watcher: Watching) => Promise<T>): Promise<T> {
    this.#freezeAll();
    if (this.#watcher === null) {
      this.#watcher = this.#process('watcher');
      await this.#list(this.#watcher);
      await this.#watcher.ask({ ask: 'watch' }, 'watching');
    }
    this.#watcher.freeze(false);
    await this.#reachOnce(this.#watcher);
    return work(this.#watcher);
  }

  async #reachOnce(watching: Watching): Promise<void> {
    const { wanted, write } = this.cluster.nextProbe();
    await change(watching, wanted, write);
  }

  async #listOnce(): Promise<number> {
    await using watcher = this.#process('watcher');
    return await this.#list(watcher);
  }

  async #list(watcher: Watching): Promise<number> {
    const { url, ca, token } = this.cluster.server;
    const order = { ask: 'list', url, ca, token, pageSize: PAGE_SIZE } as const;
    return (await watcher.ask(order, 'listed', LOAD_TIMEOUT_MS)).ms;
  }

  async #open(agent: Watching): Promise<Loading> {
    const order = { ask: 'open', config: this.#configuration() } as const;
    return (await agent.ask(order, 'ready', LOAD_TIMEOUT_MS)).loading;
  }

  #configuration(): string {
    const { server, programmed } = this.cluster;
    const backends = programmed.backends + MORE_BACKENDS;
    return writeAgentConfiguration(this.#folder, { kubeconfig: server.kubeconfig, backends });
  }

  #process(name: 'agent' | 'watcher'): Watching {
    const started: Watching = new OrderedProcess(name);
    this.commands.set(name === 'agent' ? 'agent with a probe' : 'bare client', started.command);
    return started;
  }

  #freezeAll(): void {
    this.#agent?.freeze(true);
    this.#watcher?.freeze(true);
  }

  /** The agent has what the cluster has, sooner or later, and packets go where the slices say. */
  async #check(agent: Watching, fault: (what: string) => void): Promise<void> {
    const wanted = this.cluster.programmed;
    const end = performance.now() + SETTLE_MS;
    for (;;) {
      const { programmed } = await agent.ask({ ask: 'programmed' }, 'programmed');
      const samples = this.cluster.samples(SAMPLES);
      const { faults } = await agent.ask({ ask: 'check', samples }, 'checked');
      const isWhole =
        programmed.services === wanted.services && programmed.backends === wanted.backends;
      if (isWhole && faults.length === 0) return;
      if (performance.now() < end) continue;
      if (!isWhole)
        fault(`programmed: ${JSON.stringify(programmed)}, expected ${JSON.stringify(wanted)}`);
      for (const each of faults.slice(0, 5)) fault(`wrong backends: ${each}`);
      return;
    }
  }
}

async function change(
  watching: Watching,
  wanted: Wanted,
  write: () => Promise<void>,
): Promise<Change> {
  await watching.ask({ ask: 'want', wanted }, 'wanting');
  const reached = watching.ask({ ask: 'reached' }, 'reached', 60_000);
  const written = monotonic();
  const [{ line, taken, packet, stale }] = await Promise.all([reached, write()]);
  return { written, line, taken, packet, stale };
}

function pause(): Promise<void> {
  return sleep(Math.random() * LONGEST_GAP_MS);
}
