// SPDX-License-Identifier: Apache-2.0
import type { PortView, ProgramView } from '../compile/view.js';
import type { FlowRecord } from '../engine/engine.js';
import { formatAddress, formatPrefix } from '../model/address.js';
import { type CheckedService, serviceKey } from '../model/checked.js';
import {
  type BackendView,
  type FlowView,
  flowView,
  protocolName,
  type ServiceBackendView,
  type ServiceView,
} from '../observe/views.js';

/** Shows the accepted program in the words of the model, with what has been counted. */
export class ProgramReader {
  readonly #view: ProgramView;
  readonly #connections: (backendSlot: number) => number;

  /** @param connections - connections that were assigned to the backend in a slot */
  constructor(view: ProgramView, connections: (backendSlot: number) => number) {
    this.#view = view;
    this.#connections = connections;
  }

  counts(): { services: number; backends: number } {
    return this.#view.counts();
  }

  /** In the order of namespace and name. */
  services(): ServiceView[] {
    const ports = new Map<CheckedService, PortView[]>();
    for (const port of this.#view.ports()) {
      const list = ports.get(port.service);
      if (list === undefined) ports.set(port.service, [port]);
      else list.push(port);
    }
    return [...ports]
      .map(([service, views]) => this.#service(service, views))
      .sort((a, b) => compare(a.namespace, b.namespace) || compare(a.name, b.name));
  }

  /** In the order of {@link services}. */
  backends(): BackendView[] {
    return this.services().flatMap(({ namespace, name, ports }) =>
      ports.flatMap((port) =>
        port.backends.map((backend) => ({
          service: `${namespace}/${name}`,
          portName: port.name,
          servicePort: port.port,
          protocol: port.protocol,
          ...backend,
        })),
      ),
    );
  }

  flow(record: FlowRecord): FlowView {
    const { backendSlot } = record;
    const at = backendSlot === null ? undefined : this.#view.backend(backendSlot);
    // The slot may have a new meaning while the connections of its former backend go on.
    const isSame =
      at?.backend.address === formatAddress(record.backend) &&
      at.backend.port === record.backendPort &&
      at.port.port.protocol === protocolName(record.protocol);
    return flowView(record, isSame ? serviceKey(at.port.service) : null);
  }

  #service(service: CheckedService, views: readonly PortView[]): ServiceView {
    return {
      namespace: service.namespace,
      name: service.name,
      addresses: [...service.addresses],
      externalIPs: [...service.externalIPs],
      loadBalancer: {
        addresses: [...service.loadBalancer],
        sourceRanges: service.sourceRanges.map(formatPrefix),
      },
      internalTrafficPolicy: service.internalTrafficPolicy,
      externalTrafficPolicy: service.externalTrafficPolicy,
      affinitySeconds: service.affinity,
      ports: service.ports.map((port) => {
        const backends = views
          .filter((view) => view.port === port)
          .flatMap((view) => this.#backends(view));
        return {
          name: port.name,
          protocol: port.protocol,
          port: port.port,
          nodePort: port.nodePort,
          connections: backends.reduce((total, { connections }) => total + connections, 0),
          backends,
        };
      }),
    };
  }

  #backends({ backends }: PortView): ServiceBackendView[] {
    return backends.map(({ slot, address, port, weight, state }) => ({
      address,
      port,
      weight,
      state,
      connections: this.#connections(slot),
    }));
  }
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
