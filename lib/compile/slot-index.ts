// SPDX-License-Identifier: Apache-2.0
import type { PoolChoice } from './frontends.js';
import type { ServiceState } from './services.js';
import type { BackendAt, FrontendView, PortView } from './view.js';

/** What the slots of services mean. */
export class SlotIndex {
  /** By number of the service port. */
  readonly ports = new Map<number, PortView>();
  readonly backends = new Map<number, BackendAt>();
  readonly frontends = new Map<number, { port: PortView; frontend: FrontendView }>();
  readonly pools = new Map<number, { port: PortView; choice: PoolChoice }>();

  get backendCount(): number {
    return this.backends.size;
  }

  remember(state: ServiceState): void {
    for (const port of state.ports.values()) {
      this.ports.set(port.number, port);
      for (const backend of port.backends) this.backends.set(backend.slot, { port, backend });
      for (const frontend of port.frontends) this.frontends.set(frontend.slot, { port, frontend });
      for (const choice of ['cluster', 'local'] as const) {
        const pool = port.pools[choice];
        if (pool !== null) this.pools.set(pool.slot, { port, choice });
      }
    }
  }

  forget(state: ServiceState | undefined): void {
    for (const port of state?.ports.values() ?? []) {
      this.ports.delete(port.number);
      for (const { slot } of port.backends) this.backends.delete(slot);
      for (const { slot } of port.frontends) this.frontends.delete(slot);
      for (const pool of Object.values(port.pools)) if (pool !== null) this.pools.delete(pool.slot);
    }
  }
}
