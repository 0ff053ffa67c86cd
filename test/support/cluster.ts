// SPDX-License-Identifier: Apache-2.0
import { type ClusterChange, ClusterState } from '../../lib/sources/kubernetes/cluster-state.js';
import type { WatchedKind } from '../../lib/sources/kubernetes/watched.js';
import { ClusterModel } from './cluster-model.js';

interface Metadata {
  name: string;
  namespace: string;
  uid: string;
  resourceVersion: string;
  labels?: Record<string, string>;
}

let versions = 0;

/** As an API server has it: each time another version. */
const metadata = (name: string, over: object = {}): Metadata => ({
  name,
  namespace: 'shop',
  uid: name,
  resourceVersion: `${++versions}`,
  ...over,
});

export const service = (name: string, spec: object = {}, over: Over = {}) => ({
  metadata: metadata(name, over.metadata),
  spec: { clusterIP: '10.96.0.10', ports: [{ port: 80 }], ...spec },
  status: { loadBalancer: { ingress: (over.ingress ?? []).map((ip) => ({ ip })) } },
});

export const slice = (name: string, of: string, endpoints: unknown, over: object = {}) => ({
  metadata: metadata(name, { labels: { 'kubernetes.io/service-name': of } }),
  addressType: 'IPv4',
  ports: [{ port: 8080 }],
  endpoints,
  ...over,
});

export const pod = (name: string, ips: string[], over: Over & { spec?: object } = {}) => ({
  metadata: metadata(name, over.metadata),
  spec: { containers: [], ...over.spec },
  status: { phase: 'Running', podIPs: ips.map((ip) => ({ ip })), ...over.status },
});

interface Over {
  metadata?: object;
  status?: object;
  ingress?: string[];
}

export const at = (address: string, conditions: object = {}, nodeName = 'here') => ({
  addresses: [address],
  conditions,
  nodeName,
});

/** A state, and the model that its changes come to. */
export class Scene {
  readonly state: ClusterState;
  readonly model = new ClusterModel();

  constructor(options: ConstructorParameters<typeof ClusterState>[0] = { nodeName: 'here' }) {
    this.state = new ClusterState(options);
  }

  put(kind: WatchedKind, ...objects: unknown[]): this {
    for (const object of objects) this.state.put(kind, object);
    return this;
  }

  remove(kind: WatchedKind, ...objects: unknown[]): this {
    for (const object of objects) this.state.remove(kind, object);
    return this;
  }

  list(kind: WatchedKind, ...objects: unknown[]): this {
    this.state.beginList(kind);
    this.put(kind, ...objects);
    this.state.endList(kind);
    return this;
  }

  take(limit?: number): ClusterChange {
    const change = this.state.take(limit);
    this.model.apply(change);
    return change;
  }

  /** `NAME ADDRESS ...: PORT>BACKEND ...` of each service, with all that has come taken. */
  services(): string[] {
    while (this.take().more);
    return this.model.sections().services.map((each) => {
      const external = [...(each.externalIPs ?? []), ...(each.loadBalancer?.addresses ?? [])];
      const addresses = [...each.addresses, ...external.map((address) => `+${address}`)];
      const ports = each.ports.map(({ port, nodePort, backends }) => {
        const number = nodePort === undefined ? `${port}` : `${port}=${nodePort}`;
        const at = backends.map((backend) => `${backend.address}:${backend.port}`);
        return `${number}>${at.join(',')}`;
      });
      return `${each.name} ${addresses.join(' ')}: ${ports.join(' ')}`;
    });
  }

  /** `NAME ADDRESS ...` of each pod, with all that has come taken. */
  pods(): string[] {
    while (this.take().more);
    return this.model.sections().pods.map(({ name, addresses }) => [name, ...addresses].join(' '));
  }
}

/** Sections of a change that say something, and what they name. */
export function named({ model }: ClusterChange): Record<string, string[]> {
  const rows = Object.entries(model).map(([section, changes]) => {
    const { put = [], removed = [] } = changes as { put?: { name: string }[]; removed?: string[] };
    return [section, [...put.map(({ name }) => name), ...removed.map((key) => `-${key}`)]];
  });
  return Object.fromEntries(rows);
}
