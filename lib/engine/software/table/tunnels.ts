// SPDX-License-Identifier: Apache-2.0
import { anyHolds, isSame, type Network } from '../base/address.js';

export type TunnelKind = 'gre' | 'ipip' | 'vxlan';

/** An interface whose packets come and go within other interfaces' packets. */
export interface Tunnel {
  readonly slot: number;
  readonly kind: TunnelKind;
  /** Of `gre`: 32 bits, signed; `flow`: sent by flow, and any one taken; `null`: none. */
  readonly key: number | 'flow' | null;
  readonly vni: number;
  /** UDP, of `vxlan`; else 0. */
  readonly port: number;
  readonly ttl: number;
  readonly mtu: number;
  readonly isIpv4: boolean;
  readonly local: Int32Array;
  /** Zero: it receives only. */
  readonly remote: Int32Array;
  readonly hasRemote: boolean;
  /** Who may send where there is no remote; empty: everybody. */
  readonly peers: readonly Network[];
  /** Carries packets without an Ethernet header. */
  readonly isLayer3: boolean;
}

const FIT = { no: 0, loose: 1, exact: 2 } as const;

/**
 * The tunnels that there are, in slot order. Which one a packet is for: among those of its kind and
 * destination one that has its source as the remote end comes before one that has no remote end; of
 * equals the exact key before any key, then the lowest slot.
 */
export class TunnelTable {
  #tunnels: readonly Tunnel[] = [];
  smallestMtu = 0;

  get isEmpty(): boolean {
    return this.#tunnels.length === 0;
  }

  add(tunnel: Tunnel): void {
    this.#replace([...this.#tunnels, tunnel].sort((a, b) => a.slot - b.slot));
  }

  /** Removes the tunnel in a slot, if there is one. */
  remove(slot: number): void {
    this.#replace(this.#tunnels.filter((tunnel) => tunnel.slot !== slot));
  }

  /** Whether UDP packets to `port` may be for one of them. */
  hasPort(port: number): boolean {
    for (const tunnel of this.#tunnels) {
      if (tunnel.kind === 'vxlan' && tunnel.port === port) return true;
    }
    return false;
  }

  /** Whether a packet between these addresses may be for one of them. */
  expects(kind: TunnelKind, ends: PacketEnds): boolean {
    return this.#tunnels.some(
      (tunnel) => isAt(tunnel, kind, ends) && (isTo(tunnel, ends) || isOpenTo(tunnel, ends)),
    );
  }

  /** @param key - of `gre`, `null` where there is none; of `vxlan` the VNI */
  find(kind: TunnelKind, ends: PacketEnds, key: number | null): Tunnel | undefined {
    const here = this.#tunnels.filter((tunnel) => isAt(tunnel, kind, ends));
    return (
      best(
        here.filter((tunnel) => isTo(tunnel, ends)),
        key,
      ) ??
      best(
        here.filter((tunnel) => isOpenTo(tunnel, ends)),
        key,
      )
    );
  }

  #replace(tunnels: readonly Tunnel[]): void {
    this.#tunnels = tunnels;
    this.smallestMtu = Math.min(...tunnels.map(({ mtu }) => mtu));
  }
}

/** Addresses of a packet that may carry another one, at `at` of both, and its UDP port or 0. */
export interface PacketEnds {
  readonly source: Int32Array;
  readonly destination: Int32Array;
  readonly at: number;
  readonly port: number;
}

function isAt(tunnel: Tunnel, kind: TunnelKind, { destination, at, port }: PacketEnds): boolean {
  return tunnel.kind === kind && tunnel.port === port && isSame(tunnel.local, 0, destination, at);
}

function isTo({ remote, hasRemote }: Tunnel, { source, at }: PacketEnds): boolean {
  return hasRemote && isSame(remote, 0, source, at);
}

function isOpenTo({ hasRemote, peers }: Tunnel, { source, at }: PacketEnds): boolean {
  return !hasRemote && (peers.length === 0 || anyHolds(peers, source, at));
}

function best(tunnels: readonly Tunnel[], key: number | null): Tunnel | undefined {
  return (
    tunnels.find((tunnel) => fitOf(tunnel, key) === FIT.exact) ??
    tunnels.find((tunnel) => fitOf(tunnel, key) === FIT.loose)
  );
}

function fitOf(tunnel: Tunnel, key: number | null): number {
  if (tunnel.kind === 'ipip') return FIT.exact;
  if (tunnel.kind === 'vxlan') return tunnel.vni === key ? FIT.exact : FIT.no;
  if (tunnel.key === 'flow') return key === null ? FIT.no : FIT.loose;
  return tunnel.key === key ? FIT.exact : FIT.no;
}
