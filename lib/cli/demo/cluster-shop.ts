// SPDX-License-Identifier: Apache-2.0
import { EventEmitter, once } from 'node:events';
import { ClusterSync } from '../../agent/cluster-sync.js';
import type { ServiceProxy } from '../../proxy/service-proxy.js';
import { ApiConnection } from '../../sources/apiserver/connection.js';
import { record, statusOf, text } from '../../sources/apiserver/status.js';
import { readFiles } from '../../sources/files/read.js';
import { objectsOf } from '../../sources/files/unlisted.js';
import { warningText } from '../../sources/kubernetes/warnings.js';
import { ClusterNamespace, LABELS, notCreated } from './cluster-namespace.js';
import { MANIFESTS, type Seat } from './shop.js';
import type { Setting } from './world.js';

type Tree = Record<string, unknown>;

const DISCOVERY = '/apis/discovery.k8s.io/v1';
const SERVICE_NAME = 'kubernetes.io/service-name';
const REACH_MS = 10_000;
const IN_FORCE_MS = 20_000;
const RETRY_MS = 1_000;

/**
 * The shop's services in a cluster: an API server's Services and EndpointSlices, whose endpoints are the demo's
 * pods. They have no selectors, so that no controller of the cluster has anything to do with them.
 *
 * It watches its own namespace alone. The endpoints of other Services cannot be reached from here, a
 * large cluster has very many of them, and so there is nothing that the user has to be allowed to see.
 */
export class ClusterShop {
  readonly #connection: ApiConnection;
  readonly #namespace: ClusterNamespace;
  readonly #setting: Setting;
  readonly #rounds = new EventEmitter();
  /** Names of the services, and how many endpoints each has. */
  #expected = new Map<string, number>();
  #proxy: ServiceProxy | null = null;

  private constructor(connection: ApiConnection, namespace: ClusterNamespace, setting: Setting) {
    this.#connection = connection;
    this.#namespace = namespace;
    this.#setting = setting;
    this.#rounds.setMaxListeners(0);
  }

  /**
   * Makes a namespace, and in it the shop's objects. The clean-up takes it away.
   * @throws SluiceError `ERR_APISERVER` if the file or the server is none, or the server refuses
   */
  static async open(kubeconfig: string, setting: Setting): Promise<ClusterShop> {
    const { cleanup, say } = setting;
    const settings = { kubeconfig, qps: 50, burst: 100, userAgent: 'sluice-demo' };
    const connection = await ApiConnection.open(settings);
    cleanup.defer('connection to the API server', () => connection.close());
    await reach(connection, setting);
    const namespace = await ClusterNamespace.create(connection, setting);
    say(`namespace ${namespace.name} of ${connection.server}`);
    const shop = new ClusterShop(connection, namespace, setting);
    await shop.#create();
    return shop;
  }

  get server(): string {
    return this.#connection.server;
  }

  get namespace(): string {
    return this.#namespace.name;
  }

  /** Lists and watches, as the node agent does, until the clean-up. Resolves when the proxy serves the shop. */
  async serve(proxy: ServiceProxy): Promise<void> {
    const { cleanup, say } = this.#setting;
    this.#proxy = proxy;
    const sync = new ClusterSync({
      connection: this.#connection,
      proxy,
      scope: { nodeName: null, policy: false, namespace: this.namespace },
      nodeSpec: () => ({}),
      listener: {
        queued: () => undefined,
        change: ({ refused, warnings }) => {
          for (const { kind, name, path, message } of refused)
            say(`${kind} ${name} cannot be read: ${path}: ${message}`);
          for (const warning of warnings) say(warningText(warning));
        },
        node: () => undefined,
        refused: (members) => {
          for (const { key, reason } of members) say(`${key} is not served: ${reason}`);
        },
        round: () => undefined,
        synced: () => void this.#rounds.emit('round'),
        failed: (error) => say(`synchronization failed: ${(error as Error).message}`),
      },
      log: {
        debug: () => undefined,
        info: () => undefined,
        warn: (fields, message) => say(`${message}: ${text(record(fields)['error']) ?? ''}`),
      },
      minPeriodMs: 0,
      retryMs: RETRY_MS,
    });
    cleanup.defer('watches', () => sync.close());
    sync.start();
    await this.#until('the services of the shop', () =>
      [...this.#expected].every(([name, count]) => this.#backends(name).length === count),
    );
    const { size } = this.#expected;
    say(`${size} services of namespace ${this.namespace} are served, by what the API server says`);
  }

  /**
   * Says in the cluster that a pod of a service is terminating, or ready again.
   * @returns milliseconds from then until the proxy does as it says
   */
  async setTerminating(service: string, pod: Seat, terminating: boolean): Promise<number> {
    const { signal } = this.#setting;
    const path = this.#namespace.path(DISCOVERY, 'endpointslices', sliceOf(service));
    const { endpoints } = record(await this.#connection.getJson(path, {}, { signal }));
    const conditions = { ready: !terminating, serving: true, terminating };
    const changed = (Array.isArray(endpoints) ? endpoints : []).map((each: Tree) =>
      (each['addresses'] as unknown[])[0] === pod.address ? { ...each, conditions } : each,
    );
    const beginning = performance.now();
    await this.#connection.patchJson(path, { endpoints: changed }, { signal });
    await this.#until(`the change of ${pod.name}`, () => {
      const isActive = this.#backends(service).includes(pod.address);
      return isActive !== terminating;
    });
    return performance.now() - beginning;
  }

  async #create(): Promise<void> {
    const { signal } = this.#setting;
    for (const { value } of objectsOf(await readFiles([MANIFESTS]), [])) {
      const metadata = record(value['metadata']);
      const name = String(metadata['name']);
      const isService = value['kind'] === 'Service';
      const object = isService ? serviceOf(value, name) : this.#sliceObject(value);
      const path = isService
        ? this.#namespace.path('/api/v1', 'services')
        : this.#namespace.path(DISCOVERY, 'endpointslices');
      try {
        await this.#connection.postJson(path, object, { signal });
      } catch (error) {
        throw notCreated(`${value['kind']} ${name}`, error);
      }
    }
  }

  #sliceObject(value: Tree): Tree {
    const service = String(record(record(value['metadata'])['labels'])[SERVICE_NAME]);
    this.#expected.set(service, (value['endpoints'] as unknown[]).length);
    const labels = {
      ...LABELS,
      [SERVICE_NAME]: service,
      'endpointslice.kubernetes.io/managed-by': 'sluice-demo',
    };
    return { ...value, metadata: { name: sliceOf(service), labels } };
  }

  /** Addresses of those that get new connections. */
  #backends(service: string): string[] {
    const found = this.#proxy?.services.find(({ name }) => name === service);
    const backends = found?.ports[0]?.backends ?? [];
    return backends.filter(({ state }) => state === 'active').map(({ address }) => address);
  }

  async #until(what: string, holds: () => boolean): Promise<void> {
    const late = AbortSignal.timeout(IN_FORCE_MS);
    const signal = AbortSignal.any([this.#setting.signal, late]);
    try {
      while (!holds()) await once(this.#rounds, 'round', { signal });
    } catch (error) {
      this.#setting.signal.throwIfAborted();
      if (!late.aborted) throw error;
      throw new Error(`${what} did not come into force within ${IN_FORCE_MS / 1_000} s`);
    }
  }
}

/** Whoever may not ask for the version may still do the rest. */
async function reach(connection: ApiConnection, { signal, say }: Setting): Promise<void> {
  const settings = { signal, timeoutMs: REACH_MS };
  try {
    const version = record(await connection.getJson('/version', {}, settings));
    say(`Kubernetes ${text(version['gitVersion']) ?? 'of no version'} at ${connection.server}`);
  } catch (error) {
    if (statusOf(error) === undefined) throw error;
  }
}

const sliceOf = (service: string): string => `${service}-1`;

/** Its address is the server's to give; the pods have IPv4 whatever the cluster prefers. */
function serviceOf(value: Tree, name: string): Tree {
  const { ports } = record(value['spec']);
  const spec = { ports, ipFamilies: ['IPv4'], ipFamilyPolicy: 'SingleStack' };
  return { ...value, metadata: { name, labels: LABELS }, spec };
}
