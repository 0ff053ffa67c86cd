// SPDX-License-Identifier: Apache-2.0
import { familyOf, formatAddress, formatMac, type Prefix } from '../model/address.js';
import type { Protocol } from '../model/model.js';
import type { AddressRow, ScopeRow } from './addresses.js';
import { addressColumn, packed, prefixColumns, u8, u16, u32 } from './columns.js';
import type { PlacedRoute } from './groups.js';
import { nextHopKey } from './next-hop-key.js';
import { PolicyDelta } from './policy/policy-delta.js';
import { emptyDelta, FRONTEND_KIND, type ProgramDelta } from './program.js';
import type { HopRow, RouteRow } from './routes.js';
import type { SourceRow } from './sources.js';
import type { FrontendView, PoolView, PortView } from './view.js';

/** IANA numbers of the protocols that frontends may have. Echo is a protocol of its family. */
const PROTOCOL_NUMBERS = { TCP: 6, UDP: 17, SCTP: 132 } as const;
const ICMP_NUMBERS = { 4: 1, 6: 58 } as const;

interface FrontendRow {
  frontend: FrontendView;
  protocol: number;
  service: number;
  pools: { pod: number; node: number; outside: number };
  rangesFirst: number;
}

/** Column by column: there may be hundreds of thousands. */
interface BackendRows {
  readonly slot: number[];
  readonly address: string[];
  readonly port: number[];
  readonly service: number[];
  readonly flushed: number[];
  readonly group: number[];
}

/** Collects the rows of one delta and turns them into columns. */
export class DeltaBuilder {
  readonly #frontends: FrontendRow[] = [];
  readonly #ranges: Prefix[] = [];
  readonly #removedFrontends: number[] = [];
  readonly #backends: BackendRows = {
    ...{ slot: [], address: [], port: [] },
    ...{ service: [], flushed: [], group: [] },
  };
  readonly #removedBackends: number[] = [];
  readonly #pools: { pool: PoolView; first: number }[] = [];
  readonly #members = { backend: [] as number[], weight: [] as number[] };
  readonly #removedPools: number[] = [];
  readonly #groups: { slot: number; hops: readonly HopRow[]; first: number }[] = [];
  readonly #hops: HopRow[] = [];
  readonly #removedGroups: number[] = [];
  readonly #routes: PlacedRoute[] = [];
  readonly #removedRoutes: RouteRow[] = [];
  #addresses: readonly AddressRow[] | null = null;
  #scopes: readonly ScopeRow[] | null = null;
  #podNetworks: readonly Prefix[] | null = null;
  #serviceNetworks: readonly Prefix[] | null = null;
  #sources: readonly SourceRow[] | null = null;
  /** What changes of identities and rule sets. */
  readonly policy = new PolicyDelta();

  /**
   * @param service - number of the service port
   * @param pools - of the service port; those that the frontend names are there
   */
  putFrontend(
    frontend: FrontendView,
    protocol: Protocol,
    service: number,
    pools: PortView['pools'],
  ): void {
    const { pod, node, outside } = frontend.pools;
    this.#frontends.push({
      frontend,
      protocol:
        protocol === 'ICMP' ? ICMP_NUMBERS[familyOf(frontend.address)] : PROTOCOL_NUMBERS[protocol],
      service,
      pools: { pod: pools[pod]!.slot, node: pools[node]!.slot, outside: pools[outside]!.slot },
      rangesFirst: frontend.ranges.length === 0 ? 0 : this.#ranges.length,
    });
    this.#ranges.push(...frontend.ranges);
  }

  removeFrontend(slot: number): void {
    this.#removedFrontends.push(slot);
  }

  /**
   * @param service - number of the service port
   * @param group - slot, or {@link NO_GROUP}
   */
  putBackend(
    slot: number,
    address: string,
    port: number,
    service: number,
    flushed: boolean,
    group: number,
  ): void {
    const rows = this.#backends;
    rows.slot.push(slot);
    rows.address.push(address);
    rows.port.push(port);
    rows.service.push(service);
    rows.flushed.push(flushed ? 1 : 0);
    rows.group.push(group);
  }

  removeBackend(slot: number): void {
    this.#removedBackends.push(slot);
  }

  putPool(pool: PoolView): void {
    this.#pools.push({ pool, first: this.#members.backend.length });
    for (const backend of pool.backends) this.#members.backend.push(backend);
    for (const weight of pool.weights) this.#members.weight.push(weight);
  }

  removePool(slot: number): void {
    this.#removedPools.push(slot);
  }

  putGroup(slot: number, hops: readonly HopRow[]): void {
    this.#groups.push({ slot, hops, first: this.#hops.length });
    for (const hop of hops) this.#hops.push(hop);
  }

  removeGroup(slot: number): void {
    this.#removedGroups.push(slot);
  }

  putRoute(route: PlacedRoute): void {
    this.#routes.push(route);
  }

  removeRoute(row: RouteRow): void {
    this.#removedRoutes.push(row);
  }

  setAddresses(rows: readonly AddressRow[]): void {
    this.#addresses = rows;
  }

  setScopes(rows: readonly ScopeRow[]): void {
    this.#scopes = rows;
  }

  setPodNetworks(networks: readonly Prefix[]): void {
    this.#podNetworks = networks;
  }

  setServiceNetworks(networks: readonly Prefix[]): void {
    this.#serviceNetworks = networks;
  }

  setSources(rows: readonly SourceRow[]): void {
    this.#sources = rows;
  }

  /** Nothing has been put, removed or set. */
  get empty(): boolean {
    const lists: readonly (readonly unknown[])[] = [
      ...[this.#frontends, this.#removedFrontends, this.#backends.slot, this.#removedBackends],
      ...[this.#pools, this.#removedPools, this.#groups, this.#removedGroups],
      ...[this.#routes, this.#removedRoutes],
    ];
    const networks = [this.#podNetworks, this.#serviceNetworks, this.#sources];
    const tables = [this.#addresses, this.#scopes, ...networks];
    if (!this.policy.empty || tables.some((table) => table !== null)) return false;
    return lists.every(({ length }) => length === 0);
  }

  build(): ProgramDelta {
    return {
      ...emptyDelta(),
      frontends: frontendColumns(this.#frontends),
      ranges: prefixColumns(this.#ranges),
      removedFrontends: new Uint32Array(this.#removedFrontends),
      backends: {
        slot: new Uint32Array(this.#backends.slot),
        address: addressColumn(this.#backends.address),
        port: new Uint16Array(this.#backends.port),
        service: new Uint32Array(this.#backends.service),
        flushed: new Uint8Array(this.#backends.flushed),
        group: new Uint32Array(this.#backends.group),
      },
      removedBackends: new Uint32Array(this.#removedBackends),
      pools: {
        slot: u32(this.#pools, ({ pool }) => pool.slot),
        first: u32(this.#pools, ({ first }) => first),
        count: u32(this.#pools, ({ pool }) => pool.backends.length),
        silent: u8(this.#pools, ({ pool }) => (pool.silent ? 1 : 0)),
      },
      members: {
        backend: new Uint32Array(this.#members.backend),
        weight: new Uint16Array(this.#members.weight),
      },
      removedPools: new Uint32Array(this.#removedPools),
      groups: {
        slot: u32(this.#groups, ({ slot }) => slot),
        first: u32(this.#groups, ({ first }) => first),
        count: u32(this.#groups, ({ hops }) => hops.length),
      },
      nextHops: hopColumns(this.#hops),
      removedGroups: new Uint32Array(this.#removedGroups),
      routes: {
        ...prefixColumns(this.#routes.map(({ row }) => networkOfRoute(row))),
        group: u32(this.#routes, ({ group }) => group),
      },
      removedRoutes: prefixColumns(this.#removedRoutes.map(networkOfRoute)),
      addresses: this.#addresses && {
        interface: u16(this.#addresses, (row) => row.interface),
        address: packed(this.#addresses, ({ address }) => address, 16),
        length: u8(this.#addresses, ({ length }) => length),
      },
      scopes: this.#scopes && {
        interface: u16(this.#scopes, (row) => row.interface),
        scope: u8(this.#scopes, ({ scope }) => scope),
      },
      podNetworks: this.#podNetworks && prefixColumns(this.#podNetworks),
      serviceNetworks: this.#serviceNetworks && prefixColumns(this.#serviceNetworks),
      sources: this.#sources && {
        ...prefixColumns(this.#sources.map(({ prefix }) => prefix)),
        interface: u16(this.#sources, (row) => row.interface),
      },
      ...this.policy.build(),
    };
  }
}

function frontendColumns(rows: readonly FrontendRow[]): ProgramDelta['frontends'] {
  return {
    slot: u32(rows, ({ frontend }) => frontend.slot),
    address: addressColumn(rows.map(({ frontend }) => frontend.address)),
    port: u16(rows, ({ frontend }) => frontend.port),
    protocol: u8(rows, ({ protocol }) => protocol),
    kind: u8(rows, ({ frontend }) => FRONTEND_KIND[frontend.kind]),
    service: u32(rows, ({ service }) => service),
    podPool: u32(rows, ({ pools }) => pools.pod),
    nodePool: u32(rows, ({ pools }) => pools.node),
    outsidePool: u32(rows, ({ pools }) => pools.outside),
    masquerade: u8(rows, ({ frontend }) => frontend.masquerade),
    affinity: u32(rows, ({ frontend }) => frontend.affinity),
    rangesFirst: u32(rows, ({ rangesFirst }) => rangesFirst),
    rangesCount: u32(rows, ({ frontend }) => frontend.ranges.length),
  };
}

function hopColumns(rows: readonly HopRow[]): ProgramDelta['nextHops'] {
  const keyOf = ({ name, gateway, mac }: HopRow) =>
    nextHopKey(`${name} ${formatAddress(gateway)} ${formatMac(mac)}`);
  return {
    interface: u16(rows, (row) => row.interface),
    gateway: packed(rows, ({ gateway }) => gateway, 16),
    mac: packed(rows, ({ mac }) => mac, 6),
    key: u32(rows, keyOf),
    weight: u8(rows, ({ weight }) => weight),
  };
}

function networkOfRoute({ prefix: bytes, length }: RouteRow): Prefix {
  return { bytes, length };
}
