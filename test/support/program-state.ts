// SPDX-License-Identifier: Apache-2.0
import {
  FRONTEND_KIND,
  type NextHopColumns,
  NO_GROUP,
  type ProgramDelta,
  SCOPE,
} from '../../lib/compile/program.js';
import { formatAddress, formatMac } from '../../lib/model/address.js';

/** What a frontend does, in words that no slot appears in. */
export interface FrontendText {
  kind: string;
  /** Scopes whose sources are rewritten. */
  masquerade: string[];
  affinity: number;
  ranges: string[];
  /** Members by scope, `ADDRESS PORT weight N`; `silent` in front where an empty pool drops silently. */
  pools: Record<keyof typeof SCOPE, string[]>;
}

interface Frontend {
  key: string;
  service: number;
  pools: Record<keyof typeof SCOPE, number>;
  text: Omit<FrontendText, 'pools'>;
}

interface Pool {
  members: { backend: number; weight: number }[];
  silent: boolean;
}

interface Backend {
  endpoint: string;
  service: number;
  flushed: boolean;
  /** Slot, or `NO_GROUP`. */
  group: number;
}

const SCOPES = ['pod', 'node', 'outside'] as const;
const KINDS = Object.keys(FRONTEND_KIND);

/**
 * The slowest possible engine: applies deltas to maps and refuses what the contract of the program
 * forbids.
 */
export class ProgramState {
  readonly #frontends = new Map<number, Frontend>();
  readonly #pools = new Map<number, Pool>();
  readonly #backends = new Map<number, Backend>();
  readonly #groups = new Map<number, string[]>();
  readonly #routes = new Map<string, number>();
  #addresses: string[] = [];
  #scopes: string[] = [];
  #podNetworks: string[] = [];
  #serviceNetworks: string[] = [];

  apply(delta: ProgramDelta): void {
    const remove = (what: string, map: Map<number, unknown>, slots: Uint32Array) => {
      for (const slot of slots)
        must(map.delete(slot), `removes ${what} ${slot}, which is not there`);
    };
    remove('frontend', this.#frontends, delta.removedFrontends);
    remove('pool', this.#pools, delta.removedPools);
    remove('backend', this.#backends, delta.removedBackends);
    this.#putBackends(delta);
    this.#putPools(delta);
    this.#putFrontends(delta);
    this.#applyRoutes(delta);
    this.#applyTables(delta);
    this.#check();
  }

  /** What the program does, in words that no slot appears in. */
  describe() {
    const frontends = [...this.#frontends.values()].map(({ key, pools, text }) => {
      const members = (scope: keyof typeof SCOPE) => this.#poolText(pools[scope]);
      const byScope = { pod: members('pod'), node: members('node'), outside: members('outside') };
      return [key, { ...text, pools: byScope }] as const;
    });
    const backends = [...this.#backends.values()].map(({ endpoint, flushed, group }) => {
      const way = group === NO_GROUP ? '' : ` ${this.#groups.get(group)!.join()}`;
      return `${endpoint}${way}${flushed ? ' flushed' : ''}`;
    });
    return {
      frontends: Object.fromEntries(frontends.sort(([a], [b]) => (a < b ? -1 : 1))),
      backends: backends.sort(),
      routes: [...this.#routes]
        .flatMap(([prefix, group]) => this.#groups.get(group)!.map((hop) => `${prefix} ${hop}`))
        .sort(),
      addresses: this.#addresses,
      scopes: this.#scopes,
      podNetworks: this.#podNetworks,
      serviceNetworks: this.#serviceNetworks,
    };
  }

  /** Backend slots by `SERVICE ADDRESS PORT`. */
  backendSlots(): Map<string, number> {
    return new Map(
      [...this.#backends].map(([slot, { service, endpoint }]) => [`${service} ${endpoint}`, slot]),
    );
  }

  #putBackends({ backends, removedBackends }: ProgramDelta): void {
    const { slot: slots, address, port, service, flushed, group } = backends;
    slots.forEach((slot, row) => {
      must(!removedBackends.includes(slot), `uses backend ${slot} again within the delta`);
      this.#backends.set(slot, {
        endpoint: `${addressAt(address, row)} ${port[row]}`,
        service: service[row]!,
        flushed: flushed[row] === 1,
        group: group[row]!,
      });
    });
  }

  #putPools({ pools, members, removedPools }: ProgramDelta): void {
    pools.slot.forEach((slot, row) => {
      must(!removedPools.includes(slot), `uses pool ${slot} again within the delta`);
      const first = pools.first[row]!;
      this.#pools.set(slot, {
        members: Array.from({ length: pools.count[row]! }, (_, index) => ({
          backend: members.backend[first + index]!,
          weight: members.weight[first + index]!,
        })),
        silent: pools.silent[row] === 1,
      });
    });
  }

  #putFrontends({ frontends, ranges, removedFrontends }: ProgramDelta): void {
    const { address, port, protocol, kind, service, masquerade, affinity } = frontends;
    const networks = prefixes(ranges);
    frontends.slot.forEach((slot, row) => {
      must(!removedFrontends.includes(slot), `uses frontend ${slot} again within the delta`);
      const first = frontends.rangesFirst[row]!;
      this.#frontends.set(slot, {
        key: `${addressAt(address, row)} ${port[row]}/${protocol[row]}`,
        service: service[row]!,
        pools: {
          pod: frontends.podPool[row]!,
          node: frontends.nodePool[row]!,
          outside: frontends.outsidePool[row]!,
        },
        text: {
          kind: KINDS[kind[row]!]!,
          masquerade: SCOPES.filter((scope) => masquerade[row]! & (1 << SCOPE[scope])),
          affinity: affinity[row]!,
          ranges: networks.slice(first, first + frontends.rangesCount[row]!),
        },
      });
    });
  }

  #applyRoutes(delta: ProgramDelta): void {
    for (const prefix of prefixes(delta.removedRoutes)) {
      must(this.#routes.delete(prefix), `removes route ${prefix}, which is not there`);
    }
    for (const slot of delta.removedGroups) {
      must(this.#groups.delete(slot), `removes group ${slot}, which is not there`);
    }
    delta.groups.slot.forEach((slot, row) => {
      must(!delta.removedGroups.includes(slot), `uses group ${slot} again within the delta`);
      const first = delta.groups.first[row]!;
      const hops = Array.from({ length: delta.groups.count[row]! }, (_, n) => first + n);
      this.#groups.set(
        slot,
        hops.map((hop) => hopText(delta.nextHops, hop)),
      );
    });
    for (const [row, prefix] of prefixes(delta.routes).entries()) {
      this.#routes.set(prefix, delta.routes.group[row]!);
    }
  }

  #applyTables({ addresses, scopes, podNetworks, serviceNetworks }: ProgramDelta): void {
    if (addresses !== null) {
      const rows = prefixes({ prefix: addresses.address, length: addresses.length });
      this.#addresses = rows.map((address, row) => `${address} on ${addresses.interface[row]}`);
    }
    if (scopes !== null) {
      this.#scopes = Array.from(scopes.scope, (scope, row) => `${scopes.interface[row]} ${scope}`);
    }
    if (podNetworks !== null) this.#podNetworks = prefixes(podNetworks);
    if (serviceNetworks !== null) this.#serviceNetworks = prefixes(serviceNetworks);
  }

  #poolText(slot: number): string[] {
    const { members, silent } = this.#pools.get(slot)!;
    const texts = members.map(
      ({ backend, weight }) => `${this.#backends.get(backend)!.endpoint} weight ${weight}`,
    );
    return silent ? ['silent', ...texts] : texts;
  }

  #check(): void {
    const frontends = [...this.#frontends.values()];
    const keys = frontends.map(({ key }) => key);
    must(new Set(keys).size === keys.length, 'has two frontends of one key');
    for (const [slot, { members }] of this.#pools) {
      const slots = members.map(({ backend }) => backend);
      must(new Set(slots).size === slots.length, `has a member twice in pool ${slot}`);
      for (const backend of slots) {
        must(this.#backends.has(backend), `leaves pool ${slot} without its backend ${backend}`);
      }
    }
    for (const [slot, { group }] of this.#backends) {
      const isThere = group === NO_GROUP || this.#groups.has(group);
      must(isThere, `leaves backend ${slot} without its group ${group}`);
    }
    for (const { key, service, pools } of frontends) {
      for (const slot of Object.values(pools)) {
        const pool = this.#pools.get(slot);
        must(pool !== undefined, `leaves frontend ${key} without its pool ${slot}`);
        for (const { backend } of pool!.members) {
          must(this.#backends.get(backend)!.service === service, `mixes services at ${key}`);
        }
      }
    }
  }
}

// A weight of 1 goes without saying, and so does the key, which goes by the rest.
function hopText({ interface: over, gateway, mac, weight }: NextHopColumns, row: number): string {
  const hop = `via ${addressAt(gateway, row)} interface ${over[row]}`;
  const share = weight[row] === 1 ? '' : ` weight ${weight[row]}`;
  return `${hop} mac ${formatMac(mac.subarray(row * 6, row * 6 + 6))}${share}`;
}

function prefixes({ prefix, length }: { prefix: Uint8Array; length: Uint8Array }): string[] {
  return Array.from(length, (bits, row) => `${addressAt(prefix, row)}/${bits}`);
}

function addressAt(column: Uint8Array, row: number): string {
  return formatAddress(column.subarray(row * 16, row * 16 + 16));
}

function must(holds: boolean, complaint: string): void {
  if (!holds) throw new Error(`the delta ${complaint}`);
}
