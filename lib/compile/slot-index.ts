// SPDX-License-Identifier: Apache-2.0
import type { PoolChoice } from './frontends.js';
import type { ServiceState } from './services.js';
import type { BackendAt, BackendView, FrontendView, PortView } from './view.js';

/** What the slots of services mean. Slots are dense: they are places in lists. */
export class SlotIndex {
  readonly #ports: (PortView | undefined)[] = [];
  readonly #backends = new Places<BackendView>();
  readonly #frontends = new Places<FrontendView>();
  readonly #pools = new Places<PoolChoice>();

  get backendCount(): number {
    return this.#backends.count;
  }

  /** @param number - of the service port */
  port(number: number): PortView | undefined {
    return this.#ports[number];
  }

  backend(slot: number): BackendAt | undefined {
    const at = this.#backends.get(slot);
    return at && { port: at.port, backend: at.item };
  }

  frontend(slot: number): { port: PortView; frontend: FrontendView } | undefined {
    const at = this.#frontends.get(slot);
    return at && { port: at.port, frontend: at.item };
  }

  pool(slot: number): { port: PortView; choice: PoolChoice } | undefined {
    const at = this.#pools.get(slot);
    return at && { port: at.port, choice: at.item };
  }

  remember(state: ServiceState): void {
    for (const port of state.ports) {
      put(this.#ports, port.number, port);
      for (const backend of port.backends) this.#backends.set(backend.slot, port, backend);
      for (const frontend of port.frontends) this.#frontends.set(frontend.slot, port, frontend);
      const { cluster, local } = port.pools;
      if (cluster !== null) this.#pools.set(cluster.slot, port, 'cluster');
      if (local !== null) this.#pools.set(local.slot, port, 'local');
    }
  }

  forget(state: ServiceState | undefined): void {
    for (const { number, backends, frontends, pools } of state?.ports ?? []) {
      this.#ports[number] = undefined;
      for (const { slot } of backends) this.#backends.delete(slot);
      for (const { slot } of frontends) this.#frontends.delete(slot);
      if (pools.cluster !== null) this.#pools.delete(pools.cluster.slot);
      if (pools.local !== null) this.#pools.delete(pools.local.slot);
    }
  }
}

/** Things of service ports, by slot. */
class Places<T> {
  readonly #ports: (PortView | undefined)[] = [];
  readonly #items: (T | undefined)[] = [];
  count = 0;

  get(slot: number): { port: PortView; item: T } | undefined {
    const port = this.#ports[slot];
    return port && { port, item: this.#items[slot]! };
  }

  /** The slot means nothing so far. */
  set(slot: number, port: PortView, item: T): void {
    put(this.#ports, slot, port);
    put(this.#items, slot, item);
    this.count++;
  }

  delete(slot: number): void {
    this.#ports[slot] = undefined;
    this.#items[slot] = undefined;
    this.count--;
  }
}

/** A list with gaps would become a slow one. */
function put<T>(list: (T | undefined)[], place: number, item: T): void {
  while (list.length < place) list.push(undefined);
  list[place] = item;
}
