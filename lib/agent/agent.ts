// SPDX-License-Identifier: Apache-2.0
import { setTimeout as sleep } from 'node:timers/promises';
import type { Logger } from 'pino';
import { ServiceProxy } from '../proxy/service-proxy.js';
import type { ClusterWatch } from '../sources/apiserver/cluster-watch.js';
import { ApiConnection } from '../sources/apiserver/connection.js';
import { EventRecorder } from '../sources/apiserver/event-recorder.js';
import { ClusterSync } from './cluster-sync.js';
import { type EffectiveConfiguration, shownConfiguration } from './effective.js';
import { openHealthServer } from './health-server.js';
import type { HttpListener } from './http-listener.js';
import { KeptListener } from './kept-listener.js';
import { logEvents } from './log-events.js';
import { AgentMetrics } from './metrics.js';
import { openMetricsServer } from './metrics-server.js';
import { nodeSection } from './node-section.js';
import { ProxyHealth } from './proxy-health.js';
import { Reporter } from './reporter.js';
import { ServiceHealthServers } from './service-health.js';

export interface NodeAgentOptions {
  configuration: EffectiveConfiguration;
  log: Logger;
  /** Of the package. */
  version: string;
}

/**
 * The agent of a node: watches the API server and keeps a proxy in step with it, and answers for both.
 * What the API server says is in force once all its lists are complete, and while it is away the
 * latest that it said stays in force.
 */
export class NodeAgent implements AsyncDisposable {
  readonly proxy: ServiceProxy;
  readonly metrics: AgentMetrics;
  readonly health: ProxyHealth;
  readonly #connection: ApiConnection;
  readonly #events: EventRecorder;
  readonly #sync: ClusterSync;
  readonly #services: ServiceHealthServers;
  readonly #closing: (() => Promise<void>)[] = [];
  readonly #log: Logger;

  private constructor(
    { configuration, log }: NodeAgentOptions,
    proxy: ServiceProxy,
    connection: ApiConnection,
    metrics: AgentMetrics,
  ) {
    const { nodeName, policy, serviceProxyName, syncPeriod, minSyncPeriod } = configuration;
    this.#log = log;
    this.proxy = proxy;
    this.#connection = connection;
    this.health = new ProxyHealth(2 * syncPeriod);
    this.metrics = metrics;
    this.#events = new EventRecorder(connection, { nodeName, log });
    const reporter = new Reporter({ log, nodeName, events: this.#events, metrics: this.metrics });
    this.#services = new ServiceHealthServers({
      serving: () => this.health.healthy && !this.health.draining,
      failed: (failure) => reporter.healthCheckFailed(failure),
    });
    this.#sync = new ClusterSync({
      connection,
      proxy,
      scope: { nodeName, policy, ...(serviceProxyName !== null && { serviceProxyName }) },
      nodeSpec: (node) => nodeSection(configuration, node),
      listener: {
        queued: () => {
          this.health.queued();
          this.metrics.queued();
        },
        change: (change) => {
          reporter.change(change);
          if (change.node !== undefined) this.health.setNode(change.node);
          void this.#services.update(change.health);
        },
        node: (spec) => void this.#services.setAddresses(reporter.node(spec)),
        refused: (members) => reporter.notTaken(members),
        round: (round) => reporter.round(round),
        synced: (dirty) => this.health.synced(dirty),
        failed: (error, seconds) => {
          this.health.failed();
          reporter.failed(error, seconds);
        },
      },
      log,
      minPeriodMs: minSyncPeriod,
      retryMs: syncPeriod,
    });
    this.metrics.connect({
      dataplane: () => ({ engine: proxy.engine.kind, stats: proxy.stats() }),
      source: () => ({
        watches: this.watch.state(),
        counts: this.#sync.state.counts(),
        pending: this.#sync.state.pending,
        aside: this.#sync.aside,
      }),
    });
  }

  /** Resolves when everything of the first lists is in force. */
  get ready(): Promise<void> {
    return this.#sync.ready;
  }

  get watch(): ClusterWatch {
    return this.#sync.watch;
  }

  /**
   * Starts the engine, attaches the interfaces, opens the servers and begins to watch. The API server may be away: it
   * is waited for in the background. Whatever fails, nothing is left running.
   * @throws SluiceError as `ServiceProxy.open` does, `ERR_APISERVER` if its configuration is wrong, and
   * `ERR_LISTEN` with `bindAddressHardFail`
   */
  static async start(options: NodeAgentOptions): Promise<NodeAgent> {
    const { configuration, log, version } = options;
    const { api, interfaces, routes, node, open } = configuration;
    const metrics = new AgentMetrics({ version });
    const connection = await ApiConnection.open({
      requested: (request) => metrics.requested(request),
      ...(api.kubeconfig !== null && { kubeconfig: api.kubeconfig }),
      ...(api.master !== null && { master: api.master }),
      qps: api.qps ?? Number.POSITIVE_INFINITY,
      burst: api.burst,
      userAgent: `sluice/${version}`,
    });
    let agent: NodeAgent;
    try {
      const proxy = await ServiceProxy.open({ ...open, interfaces, routes, node });
      log.info({ engine: proxy.engine, why: proxy.why }, 'engine started');
      logEvents(proxy, log);
      agent = new NodeAgent(options, proxy, connection, metrics);
    } catch (error) {
      connection.close();
      throw error;
    }
    try {
      await agent.#open(configuration);
    } catch (error) {
      await agent.close();
      throw error;
    }
    return agent;
  }

  /** Balancers are told to look elsewhere, and everything goes on for `ms`, or until `signal` is aborted. */
  async drain(ms: number, signal?: AbortSignal): Promise<void> {
    this.health.drain();
    if (ms > 0) await sleep(ms, undefined, signal && { signal }).catch(() => undefined);
  }

  async close(): Promise<void> {
    await this.#sync.close();
    for (const close of this.#closing.splice(0).toReversed()) await close();
    await this.#services.close();
    this.#events.close();
    this.#connection.close();
    await this.proxy.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #open(configuration: EffectiveConfiguration): Promise<void> {
    const { healthz, metrics, bindAddressHardFail } = configuration;
    const serve = async (what: string, open: () => Promise<HttpListener>): Promise<void> => {
      if (bindAddressHardFail) {
        const listener = await open();
        this.#closing.push(() => listener.close());
        return;
      }
      const kept = new KeptListener(open, (error) =>
        this.#log.error({ reason: (error as Error).message }, `${what} cannot be served yet`),
      );
      this.#closing.push(() => kept.close());
    };
    if (healthz !== null)
      await serve('health', () =>
        openHealthServer(healthz, this.health, (path, status) =>
          this.metrics.answered(path, status),
        ),
      );
    if (metrics !== null)
      await serve('metrics', () =>
        openMetricsServer(metrics, {
          metrics: this.metrics,
          configuration: () => shownConfiguration(configuration),
        }),
      );
    this.#sync.start();
  }
}

/** What the command line has to do with the agent. */
export interface RunNodeAgent extends NodeAgentOptions {
  stop: AbortSignal;
  /** Called with the proxy once it runs. */
  started(agent: NodeAgent): void;
}

/**
 * Runs the agent of a node until `stop` is aborted, and drains then.
 * @throws SluiceError if it cannot start
 */
export async function runNodeAgent({ stop, started, ...options }: RunNodeAgent): Promise<void> {
  const { configuration, log } = options;
  await using agent = await NodeAgent.start(options);
  started(agent);
  let isInStep = false;
  void agent.ready.then(() => {
    isInStep = true;
    log.info('in step with the API server');
  });
  if (!stop.aborted)
    await new Promise<void>((resolve) => {
      stop.addEventListener('abort', () => resolve(), { once: true });
    });
  // Who serves nothing has nobody to wait for.
  const drainPeriod = isInStep ? configuration.drainPeriod : 0;
  log.info({ cause: stop.reason, drainPeriod }, drainPeriod > 0 ? 'draining' : 'stopping');
  await agent.drain(drainPeriod);
}
