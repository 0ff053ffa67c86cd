// SPDX-License-Identifier: Apache-2.0
import { familyOf, formatAddress, formatMac, type Prefix, writeAddress } from '../model/address.js';
import type { Protocol } from '../model/model.js';
import type { AddressRow, ScopeRow } from './addresses.js';
import type { PlacedRoute } from './groups.js';
import { nextHopKey } from './next-hop-key.js';
import { PolicyDelta } from './policy/policy-delta.js';
import { emptyDelta, FRONTEND_KIND, type PrefixColumns, type ProgramDelta } from './program.js';
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

interface BackendRow {
  slot: number;
  address: string;
  port: number;
  service: number;
  flushed: boolean;
  /** Slot, or {@link NO_GROUP}. */
  group: number;
}

/** Collects the rows of one delta and turns them into columns. */
export class DeltaBuilder {
  readonly #frontends: FrontendRow[] = [];
  readonly #ranges: Prefix[] = [];
  readonly #removedFrontends: number[] = [];
  readonly #backends: BackendRow[] = [];
  readonly #removedBackends: number[] = [];
  readonly #pools: { pool: PoolView; first: number }[] = [];
  readonly #members: PoolView['members'][number][] = [];
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

  putBackend(row: BackendRow): void {
    this.#backends.push(row);
  }

  removeBackend(slot: number): void {
    this.#removedBackends.push(slot);
  }

  putPool(pool: PoolView): void {
    this.#pools.push({ pool, first: this.#members.length });
    for (const member of pool.members) this.#members.push(member);
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
      ...[this.#frontends, this.#removedFrontends, this.#backends, this.#removedBackends],
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
      removedFrontends: Uint32Array.from(this.#removedFrontends),
      backends: {
        slot: Uint32Array.from(this.#backends, ({ slot }) => slot),
        address: addressColumn(this.#backends.map(({ address }) => address)),
        port: Uint16Array.from(this.#backends, ({ port }) => port),
        service: Uint32Array.from(this.#backends, ({ service }) => service),
        flushed: Uint8Array.from(this.#backends, ({ flushed }) => (flushed ? 1 : 0)),
        group: Uint32Array.from(this.#backends, ({ group }) => group),
      },
      removedBackends: Uint32Array.from(this.#removedBackends),
      pools: {
        slot: Uint32Array.from(this.#pools, ({ pool }) => pool.slot),
        first: Uint32Array.from(this.#pools, ({ first }) => first),
        count: Uint32Array.from(this.#pools, ({ pool }) => pool.members.length),
        silent: Uint8Array.from(this.#pools, ({ pool }) => (pool.silent ? 1 : 0)),
      },
      members: {
        backend: Uint32Array.from(this.#members, ({ backend }) => backend),
        weight: Uint16Array.from(this.#members, ({ weight }) => weight),
      },
      removedPools: Uint32Array.from(this.#removedPools),
      groups: {
        slot: Uint32Array.from(this.#groups, ({ slot }) => slot),
        first: Uint32Array.from(this.#groups, ({ first }) => first),
        count: Uint32Array.from(this.#groups, ({ hops }) => hops.length),
      },
      nextHops: hopColumns(this.#hops),
      removedGroups: Uint32Array.from(this.#removedGroups),
      routes: {
        ...prefixColumns(this.#routes.map(({ row }) => networkOfRoute(row))),
        group: Uint32Array.from(this.#routes, ({ group }) => group),
      },
      removedRoutes: prefixColumns(this.#removedRoutes.map(networkOfRoute)),
      addresses: this.#addresses && {
        interface: Uint16Array.from(this.#addresses, (row) => row.interface),
        address: packed(this.#addresses, ({ address }) => address, 16),
        length: Uint8Array.from(this.#addresses, ({ length }) => length),
      },
      scopes: this.#scopes && {
        interface: Uint16Array.from(this.#scopes, (row) => row.interface),
        scope: Uint8Array.from(this.#scopes, ({ scope }) => scope),
      },
      podNetworks: this.#podNetworks && prefixColumns(this.#podNetworks),
      serviceNetworks: this.#serviceNetworks && prefixColumns(this.#serviceNetworks),
      sources: this.#sources && {
        ...prefixColumns(this.#sources.map(({ prefix }) => prefix)),
        interface: Uint16Array.from(this.#sources, (row) => row.interface),
      },
      ...this.policy.build(prefixColumns),
    };
  }
}

function frontendColumns(rows: readonly FrontendRow[]): ProgramDelta['frontends'] {
  return {
    slot: Uint32Array.from(rows, ({ frontend }) => frontend.slot),
    address: addressColumn(rows.map(({ frontend }) => frontend.address)),
    port: Uint16Array.from(rows, ({ frontend }) => frontend.port),
    protocol: Uint8Array.from(rows, ({ protocol }) => protocol),
    kind: Uint8Array.from(rows, ({ frontend }) => FRONTEND_KIND[frontend.kind]),
    service: Uint32Array.from(rows, ({ service }) => service),
    podPool: Uint32Array.from(rows, ({ pools }) => pools.pod),
    nodePool: Uint32Array.from(rows, ({ pools }) => pools.node),
    outsidePool: Uint32Array.from(rows, ({ pools }) => pools.outside),
    masquerade: Uint8Array.from(rows, ({ frontend }) => frontend.masquerade),
    affinity: Uint32Array.from(rows, ({ frontend }) => frontend.affinity),
    rangesFirst: Uint32Array.from(rows, ({ rangesFirst }) => rangesFirst),
    rangesCount: Uint32Array.from(rows, ({ frontend }) => frontend.ranges.length),
  };
}

function hopColumns(rows: readonly HopRow[]): ProgramDelta['nextHops'] {
  const keyOf = ({ name, gateway, mac }: HopRow) =>
    nextHopKey(`${name} ${formatAddress(gateway)} ${formatMac(mac)}`);
  return {
    interface: Uint16Array.from(rows, (row) => row.interface),
    gateway: packed(rows, ({ gateway }) => gateway, 16),
    mac: packed(rows, ({ mac }) => mac, 6),
    key: Uint32Array.from(rows, keyOf),
    weight: Uint8Array.from(rows, ({ weight }) => weight),
  };
}

function networkOfRoute({ prefix: bytes, length }: RouteRow): Prefix {
  return { bytes, length };
}

function prefixColumns(rows: readonly Prefix[]): PrefixColumns {
  return {
    prefix: packed(rows, ({ bytes }) => bytes, 16),
    length: Uint8Array.from(rows, ({ length }) => length),
  };
}

/** The texts come from a checked model: each is an address. */
function addressColumn(texts: readonly string[]): Uint8Array {
  const bytes = new Uint8Array(texts.length * 16);
  texts.forEach((text, index) => {
    writeAddress(text, bytes, index * 16);
  });
  return bytes;
}

function packed<T>(rows: readonly T[], bytesOf: (row: T) => Uint8Array, width: number): Uint8Array {
  const bytes = new Uint8Array(rows.length * width);
  rows.forEach((row, index) => {
    bytes.set(bytesOf(row), index * width);
  });
  return bytes;
}
