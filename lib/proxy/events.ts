// SPDX-License-Identifier: Apache-2.0
import type { EventEmitter } from 'node:events';
import type { BackendChanges } from '../compile/services.js';
import type { BackendAt, BackendState, ProgramView } from '../compile/view.js';
import { serviceKey } from '../model/checked.js';
import type { InterfaceKind, Protocol } from '../model/model.js';
import type { CounterReader, DropCounts } from '../observe/counters.js';
import { dropCounts } from '../observe/counters.js';

/** An interface was added or removed, or its peer came or went. */
export interface InterfaceEvent {
  name: string;
  kind: InterfaceKind;
  /** The peer is there: packets can pass. */
  up: boolean;
  /** What happened. `link`: the peer came (`up`) or went. */
  change: 'added' | 'removed' | 'link';
}

/** A backend of a service port changed with an `apply` or an `update`. */
export interface BackendEvent {
  /** `namespace/name` of the service. */
  service: string;
  /** Name of the service port; empty where the only port has none. */
  portName: string;
  servicePort: number;
  protocol: Protocol;
  address: string;
  port: number;
  /**
   * `active`: it gets new connections (again). `standby`, `draining`, `flushed`: no longer, because
   * others are preferred, its weight is 0, or its connections are cut. A backend that is added
   * without getting any is `added`, and then one of these.
   */
  state: 'added' | 'removed' | BackendState;
}

/** What {@link ServiceProxy} tells its listeners. */
export interface ProxyEvents {
  interface: [event: InterfaceEvent];
  backend: [event: BackendEvent];
  /** Packets dropped since the last such event, by reason; at most once a second, real clock only. */
  drops: [increments: DropCounts];
}

/** An emitter of {@link ProxyEvents}. */
export type ProxyEmitter = EventEmitter<ProxyEvents>;

/**
 * Emits to listeners that may throw: what a listener throws surfaces as an uncaught exception, as
 * with any emitter, but neither undoes nor interrupts the work that the event tells of.
 */
export function tell<K extends keyof ProxyEvents>(
  emitter: ProxyEmitter,
  name: K,
  event: ProxyEvents[K][0],
): void {
  for (const listener of emitter.rawListeners(name)) {
    try {
      Reflect.apply(listener, emitter, [event]);
    } catch (error) {
      process.nextTick(() => {
        throw error;
      });
    }
  }
}

/**
 * What a plan does to backends, as events. Call it before the plan is accepted: `view` has to know
 * the states of before.
 */
export function backendEvents(changes: BackendChanges, view: ProgramView): BackendEvent[] {
  const events = changes.removed.map((at) => backendEvent(at, 'removed'));
  for (const at of changes.added) {
    events.push(backendEvent(at, 'added'));
    if (at.backend.state !== 'active') events.push(backendEvent(at, at.backend.state));
  }
  for (const at of changes.changed) {
    const before = view.backend(at.backend.slot)?.backend.state;
    if (at.backend.state !== before) events.push(backendEvent(at, at.backend.state));
  }
  return events;
}

function backendEvent({ port, backend }: BackendAt, state: BackendEvent['state']): BackendEvent {
  return {
    service: serviceKey(port.service),
    portName: port.port.name,
    servicePort: port.port.port,
    protocol: port.port.protocol,
    address: backend.address,
    port: backend.port,
    state,
  };
}

/** Looks at the drop counters once a second and tells what was added. Holds no process alive. */
export class DropTicker {
  readonly #timer: NodeJS.Timeout;

  constructor(counters: CounterReader, emitter: ProxyEmitter) {
    let last = counters.allDrops();
    this.#timer = setInterval(() => {
      const now = counters.allDrops();
      const increments = dropCounts(now.map((count, index) => count - last[index]!));
      last = now;
      if (Object.keys(increments).length > 0) tell(emitter, 'drops', increments);
    }, 1_000).unref();
  }

  stop(): void {
    clearInterval(this.#timer);
  }
}
