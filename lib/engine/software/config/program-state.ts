// SPDX-License-Identifier: Apache-2.0
import {
  type AddressColumns,
  FRONTEND_KIND,
  INTERFACE_SCOPE,
  type NextHopColumns,
  type ProgramDelta,
  type ScopeColumns,
} from '../../../compile/program.js';
import { addressBytes, addressOfRow, isZero, type Network } from '../base/address.js';
import { BackendTable } from '../table/backends.js';
import { GroupTable, type Links, type NextHop } from '../table/groups.js';
import { buildMaglev } from '../table/maglev.js';
import { NO_ROUTE, RouteTable } from '../table/routes.js';
import { type Pool, ServiceTable } from '../table/service-table.js';
import { checkDelta } from './check-delta.js';
import { OwnAddresses } from './own-addresses.js';
import { PolicyState } from './policy-state.js';
import { networksOf } from './rows.js';
import { Sources } from './sources.js';

/** What a program may name besides its own rows, and how much of it there may be. */
export interface ProgramLimits {
  backends: number;
  interfaces: number;
  /** Of each family. */
  routes: number;
  /** Whether there is an interface in this slot. */
  hasInterface(slot: number): boolean;
}

/**
 * The program that the stages execute. They run on the same thread as {@link commit}, so a change
 * made in place is seen whole by the next poll, and what is checked before anything is touched makes
 * it a transaction.
 */
export class ProgramState {
  readonly services = new ServiceTable();
  readonly routes = new RouteTable();
  readonly groups = new GroupTable();
  /** The next hop that is this node's kernel, if an interface leads there. */
  host: NextHop | null = null;
  readonly pools = new Map<number, Pool>();
  readonly backends: BackendTable;
  readonly addresses: OwnAddresses;
  /** Interface scopes by slot. */
  readonly scopes: Uint8Array;
  podNetworks: readonly Network[] = [];
  serviceNetworks: readonly Network[] = [];
  readonly policy = new PolicyState();
  readonly sources: Sources;
  readonly #limits: ProgramLimits;
  // How many pools have a backend as a member, by slot.
  readonly #backendUses: Uint32Array;
  #generation = 0;

  constructor(limits: ProgramLimits) {
    this.#limits = limits;
    this.backends = new BackendTable(limits.backends);
    this.addresses = new OwnAddresses(limits.interfaces);
    this.scopes = new Uint8Array(limits.interfaces);
    this.sources = new Sources(limits.interfaces);
    this.#backendUses = new Uint32Array(limits.backends);
  }

  /**
   * Applies all of a delta or nothing.
   * @returns the new generation number
   * @throws SluiceError `ERR_PROGRAM`, `ERR_CAPACITY`
   */
  commit(delta: ProgramDelta): number {
    checkDelta(delta, this, this.#limits);
    this.#generation++;
    for (const slot of delta.removedFrontends) this.services.remove(slot);
    for (const slot of delta.removedPools) this.#removePool(slot);
    for (const slot of delta.pools.slot) this.#removePool(slot);
    this.#changeBackends(delta);
    this.#putPools(delta);
    this.#putFrontends(delta);
    this.#changeRoutes(delta);
    if (delta.addresses !== null) this.#replaceAddresses(delta.addresses);
    if (delta.scopes !== null) this.#replaceScopes(delta.scopes);
    if (delta.podNetworks !== null) this.podNetworks = networksOf(delta.podNetworks);
    if (delta.serviceNetworks !== null) this.serviceNetworks = networksOf(delta.serviceNetworks);
    if (delta.sources !== null) this.sources.replace(delta.sources);
    this.policy.apply(delta);
    return this.#generation;
  }

  /** How many pools have a backend as a member. */
  usesOfBackend(slot: number): number {
    return this.#backendUses[slot];
  }

  /** Whether what goes to an address goes to this node's kernel. */
  isHost(words: Int32Array, at: number): boolean {
    return this.host !== null && this.addresses.has(words, at);
  }

  /**
   * The next hop of a flow's hash by the route to an address, or to the host.
   * @returns `null`: there is none
   */
  findWay(words: Int32Array, at: number, hash: number, links: Links): NextHop | null {
    if (this.isHost(words, at)) return this.host;
    const group = this.routes.lookup(words, at);
    return group === NO_ROUTE ? null : this.groups.choose(group, hash, links);
  }

  /** Takes away what an interface has: addresses, scope, sources, the next hops over it. */
  removeInterface(slot: number): void {
    this.routes.removeGroups(this.groups.removeInterface(slot));
    this.addresses.removeInterface(slot);
    this.policy.touch();
    this.scopes[slot] = INTERFACE_SCOPE.outside;
    this.#findHost();
    this.sources.removeInterface(slot);
  }

  #removePool(slot: number): void {
    for (const backend of this.pools.get(slot)?.members ?? []) this.#backendUses[backend]--;
    this.pools.delete(slot);
  }

  #changeBackends({ backends, removedBackends }: ProgramDelta): void {
    const put = new Set(backends.slot);
    for (const slot of removedBackends) if (!put.has(slot)) this.backends.remove(slot);
    for (let row = 0; row < backends.slot.length; row++) {
      this.backends.put(
        backends.slot[row],
        addressOfRow(backends.address, row),
        backends.port[row],
        backends.service[row],
        backends.flushed[row],
        this.#generation,
        backends.group[row] | 0,
      );
    }
  }

  #putPools({ pools, members }: ProgramDelta): void {
    for (let row = 0; row < pools.slot.length; row++) {
      const first = pools.first[row];
      const slots = members.backend.slice(first, first + pools.count[row]);
      const weights = members.weight.subarray(first, first + pools.count[row]);
      this.pools.set(pools.slot[row], {
        slot: pools.slot[row],
        members: slots,
        eligible: new Set(slots.filter((_, member) => weights[member] > 0)),
        maglev: buildMaglev(
          Array.from(slots, (slot, member) => ({
            address: addressBytes(this.backends.address, slot * 4),
            port: this.backends.port[slot],
            weight: weights[member],
          })),
        ),
        silent: pools.silent[row] === 1,
      });
      for (const slot of slots) this.#backendUses[slot]++;
    }
  }

  #putFrontends({ frontends, ranges }: ProgramDelta): void {
    // All of them go first: two of them may have changed places.
    for (const slot of frontends.slot) this.services.remove(slot);
    for (let row = 0; row < frontends.slot.length; row++) {
      this.services.put({
        slot: frontends.slot[row],
        address: addressOfRow(frontends.address, row),
        port: frontends.port[row],
        protocol: frontends.protocol[row],
        isCluster: frontends.kind[row] === FRONTEND_KIND.cluster,
        service: frontends.service[row],
        pools: [frontends.podPool[row], frontends.nodePool[row], frontends.outsidePool[row]],
        masquerade: frontends.masquerade[row],
        affinity: frontends.affinity[row],
        ranges: networksOf(ranges, frontends.rangesFirst[row], frontends.rangesCount[row]),
      });
    }
  }

  #changeRoutes({ groups, nextHops, removedGroups, routes, removedRoutes }: ProgramDelta): void {
    for (const network of networksOf(removedRoutes)) this.routes.remove(network);
    for (const slot of removedGroups) this.groups.remove(slot);
    for (let row = 0; row < groups.slot.length; row++) {
      const first = groups.first[row];
      const hops = Array.from({ length: groups.count[row] }, (_, n) =>
        nextHopOf(nextHops, first + n),
      );
      this.groups.put(groups.slot[row], hops);
    }
    networksOf(routes).forEach((network, row) => {
      this.routes.put(network, routes.group[row]);
    });
  }

  // What is our own passes all policy.
  #replaceAddresses(columns: AddressColumns): void {
    this.addresses.replace(columns);
    this.policy.touch();
  }

  #replaceScopes({ interface: interfaces, scope }: ScopeColumns): void {
    this.scopes.fill(INTERFACE_SCOPE.outside);
    for (let row = 0; row < interfaces.length; row++) this.scopes[interfaces[row]] = scope[row];
    this.#findHost();
  }

  #findHost(): void {
    const slot = this.scopes.indexOf(INTERFACE_SCOPE.host);
    this.host = slot === -1 ? null : { ...HOST, interface: slot };
  }
}

const HOST: NextHop = { interface: 0, gateway: null, mac: null, key: 0, weight: 1 };

function nextHopOf(columns: NextHopColumns, row: number): NextHop {
  const gateway = addressOfRow(columns.gateway, row);
  const mac = columns.mac.slice(row * 6, row * 6 + 6);
  return {
    interface: columns.interface[row],
    gateway: isZero(gateway) ? null : gateway,
    mac: mac.every((byte) => byte === 0) ? null : mac,
    key: columns.key[row],
    weight: columns.weight[row],
  };
}
