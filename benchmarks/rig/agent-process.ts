// SPDX-License-Identifier: Apache-2.0
// The node agent under test, in a process of its own, with a probe beside it that looks after each commit which the wanted service is in where new flows to it go.
import { pino } from 'pino';
import { NodeAgent } from '../../lib/agent/agent.js';
import { effectiveConfiguration } from '../../lib/agent/effective.js';
import type { ModelChange } from '../../lib/model/changes.js';
import { ApiConnection } from '../../lib/sources/apiserver/connection.js';
import { ClusterState } from '../../lib/sources/kubernetes/cluster-state.js';
import type {
  AgentAnswer,
  AgentOrder,
  Loading,
  Programmed,
  Reached,
  Wanted,
} from './agent-messages.js';
import { Meter } from './agent-meter.js';
import { Probe } from './agent-probe.js';
import { monotonic } from './monotonic.js';
import { obeyParent } from './ordered-process.js';

/** The file says everything. */
const SURROUNDINGS = { hostname: '', cpus: 2, control: '', lockFile: '' };

const meter = new Meter();
let agent: NodeAgent | null = null;
let probe: Probe | null = null;
let outlook: Outlook | null = null;

/** What is looked at of an object that is put. */
interface WatchedSlice {
  metadata?: { name?: string };
  endpoints?: readonly { addresses?: readonly string[] }[];
}

/** Someone waits for new flows to a service to go somewhere. */
class Outlook {
  readonly wanted: Wanted;
  readonly #from: string | null;
  #line = 0;
  #stale = 0;
  #found: (reached: Reached) => void = () => undefined;
  #failed: (error: unknown) => void = () => undefined;
  readonly reached = new Promise<Reached>((resolve, reject) => {
    this.#found = resolve;
    this.#failed = reject;
  });

  /** @param from - where they go now */
  constructor(wanted: Wanted, from: string | null) {
    this.wanted = wanted;
    this.#from = from;
    this.reached.catch(() => undefined);
  }

  /** The slice has been read. */
  get isTold(): boolean {
    return this.#line > 0;
  }

  /** Versions of the slice that are older may still be on their way. */
  put(kind: string, object: WatchedSlice): void {
    if (kind !== 'EndpointSlice' || object.metadata?.name !== this.wanted.slice) return;
    if (object.endpoints?.[0]?.addresses?.[0] === this.wanted.backend) this.#line = monotonic();
  }

  /** What the slice says has been committed: packets have the last word. */
  async look(probe: Probe, taken: number): Promise<void> {
    const { address, backend } = this.wanted;
    try {
      for (;;) {
        const found = await probe.where(address, 'UDP');
        if (found === backend) break;
        if (found !== this.#from) throw new Error(`new flows to ${address} go to ${found}`);
        this.#stale += 1;
      }
      const [line, packet, stale] = [this.#line, monotonic(), this.#stale];
      this.#found({ line, taken, packet, stale });
    } catch (error) {
      this.#failed(error);
    }
  }
}

obeyParent(obey, close);

async function obey(order: AgentOrder): Promise<AgentAnswer> {
  if (order.ask === 'open') return { answer: 'ready', loading: await open(order.config) };
  if (agent === null || probe === null) throw new Error('there is no agent yet');
  switch (order.ask) {
    case 'want': {
      const { address, isNew } = order.wanted;
      outlook = new Outlook(order.wanted, isNew ? null : await probe.where(address, 'UDP'));
      return { answer: 'wanting' };
    }
    case 'reached': {
      const reached = await outlook!.reached;
      outlook = null;
      return { answer: 'reached', ...reached };
    }
    case 'mark':
      meter.mark();
      return { answer: 'marked' };
    case 'load':
      return { answer: 'load', load: meter.load };
    case 'programmed':
      return { answer: 'programmed', programmed: programmed(agent) };
    case 'check': {
      const faults: string[] = [];
      for (const sample of order.samples) faults.push(...(await probe.check(sample)));
      return { answer: 'checked', faults };
    }
    default:
      throw new Error(`${order.ask} is for a bare watch`);
  }
}

async function open(config: string): Promise<Loading> {
  const first = firstRequest();
  const opened = await NodeAgent.start({
    configuration: await effectiveConfiguration({ '--config': config }, SURROUNDINGS),
    log: pino({ level: 'warn' }, pino.destination(2)),
    version: '0.0.0',
  });
  agent = opened;
  const synced = opened.watch.synced.then(monotonic);
  await opened.ready;
  const ready = monotonic();
  const { loop } = meter;
  watchChanges(opened);
  return { asked: await first, synced: await synced, ready, loop };
}

/** When the API server is first asked; the meter starts there. */
function firstRequest(): Promise<number> {
  const prototype = ApiConnection.prototype;
  const { getJson } = prototype;
  return new Promise((resolve) => {
    prototype.getJson = function (...args) {
      prototype.getJson = getJson;
      meter.mark();
      resolve(monotonic());
      return getJson.apply(this, args);
    };
  });
}

/** Whoever looks out is told of each line about the slice, and of each commit with the service in it. */
function watchChanges(opened: NodeAgent): void {
  const { proxy } = opened;
  const looking = new Probe(proxy);
  probe = looking;
  const { put } = ClusterState.prototype;
  ClusterState.prototype.put = function (kind, object) {
    outlook?.put(kind, object as object);
    put.call(this, kind, object);
  };
  const update = proxy.update.bind(proxy);
  proxy.update = async (change: ModelChange) => {
    // Nothing is read between a take of changes and this.
    const waiting = outlook?.isTold ? outlook : null;
    const taken = monotonic();
    const report = await update(change);
    if (waiting !== null && isIn(waiting.wanted, change)) void waiting.look(looking, taken);
    return report;
  };
}

function isIn({ service }: Wanted, { services }: ModelChange): boolean {
  const put = services?.put ?? [];
  return put.some(({ namespace, name }) => `${namespace}/${name}` === service);
}

function programmed({ proxy }: NodeAgent): Programmed {
  const services = proxy.services.filter(({ namespace }) => namespace !== 'default');
  return {
    services: services.length,
    backends: services
      .flatMap(({ ports }) => ports)
      .reduce((sum, port) => sum + port.backends.length, 0),
  };
}

async function close(): Promise<void> {
  const closing = agent;
  agent = null;
  await closing?.close();
}
