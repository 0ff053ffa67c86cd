// SPDX-License-Identifier: Apache-2.0
import { Readable } from 'node:stream';
import { ServiceProxy } from '../proxy/service-proxy.js';
import type { Cluster } from './derive/cluster.js';
import type { ClusterNode } from './derive/nodes.js';
import type { Topology } from './topology.js';

/** The proxies of a cluster's nodes, each made when it is first asked for. */
export class NodeProxies {
  readonly #topology: Topology;
  readonly #manifest: string;
  readonly #proxies = new Map<string, Promise<ServiceProxy>>();

  constructor(cluster: Cluster, topology: Topology) {
    this.#topology = topology;
    this.#manifest = cluster.manifest;
  }

  of(node: ClusterNode): Promise<ServiceProxy> {
    const made = this.#proxies.get(node.name) ?? this.#open(node);
    this.#proxies.set(node.name, made);
    return made;
  }

  async close(): Promise<void> {
    const proxies = await Promise.allSettled(this.#proxies.values());
    for (const proxy of proxies) if (proxy.status === 'fulfilled') await proxy.value.close();
  }

  async #open(node: ClusterNode): Promise<ServiceProxy> {
    const setup = this.#topology.setup(node);
    const proxy = await ServiceProxy.open({
      engine: 'software',
      clock: 'manual',
      // Nothing is ever sent, so nothing has to be remembered.
      ...{ flows: 16, flows6: 16, affinities: 16, neighbours: 16, fragments: 16 },
      maxInterfaces: setup.interfaces.length,
      maxRoutes: 1_048_576,
    });
    try {
      // As an agent reads them: what a test finds is what a node would do.
      await proxy.apply({ manifests: '-', stdin: Readable.from([this.#manifest]), ...setup });
    } catch (error) {
      await proxy.close();
      throw error;
    }
    return proxy;
  }
}
