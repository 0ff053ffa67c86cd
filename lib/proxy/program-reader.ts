// SPDX-License-Identifier: Apache-2.0
import type { PortView, ProgramView } from '../compile/view.js';
import type { FlowRecord } from '../engine/engine.js';
import { formatAddress } from '../model/address.js';
import { type BackendView, type FlowView, flowView, type ServiceView } from '../observe/views.js';

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
    const services = new Set<string>();
    let backends = 0;
    for (const port of this.#view.ports()) {
      services.add(serviceOf(port));
      backends += port.backends.length;
    }
    return { services: services.size, backends };
  }

  /** In the order of namespace and name. */
  services(): ServiceView[] {
    const services = new Map<string, ServiceView>();
    for (const port of this.#view.ports()) {
      const key = serviceOf(port);
      const service = services.get(key) ?? {
        namespace: port.namespace,
        name: port.service,
        addresses: [...port.addresses],
        ports: [],
      };
      services.set(key, service);
      const backends = port.backends.map(({ slot, address, port: backendPort, weight }) => ({
        address,
        port: backendPort,
        weight,
        connections: this.#connections(slot),
      }));
      service.ports.push({
        name: port.name,
        protocol: port.protocol,
        port: port.port,
        connections: backends.reduce((total, { connections }) => total + connections, 0),
        backends,
      });
    }
    return [...services.values()].sort(
      (a, b) => compare(a.namespace, b.namespace) || compare(a.name, b.name),
    );
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
          state: backend.weight === 0 ? ('draining' as const) : ('active' as const),
        })),
      ),
    );
  }

  flow(record: FlowRecord): FlowView {
    const at = this.#view.backend(record.backendSlot);
    // The slot may have a new meaning while the connections of its former backend go on.
    const isSame =
      at?.backend.address === formatAddress(record.backend) &&
      at.backend.port === record.backendPort &&
      at.port.port === record.servicePort &&
      at.port.addresses.includes(formatAddress(record.service));
    return flowView(record, isSame ? serviceOf(at.port) : null);
  }
}

function serviceOf(port: PortView): string {
  return `${port.namespace}/${port.service}`;
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
