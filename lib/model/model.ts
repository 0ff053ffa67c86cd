// SPDX-License-Identifier: Apache-2.0

/**
 * The model: the desired state, as a passive value. It knows nothing of Kubernetes' wire format.
 * A section that is left out stays as it is; a section that is given replaces the previous one.
 */
export interface Model {
  services?: readonly Service[];
  interfaces?: readonly InterfaceSpec[];
  routes?: readonly RouteSpec[];
}

export type Protocol = 'TCP' | 'UDP';

/** A service: one or more addresses, and the ports that it answers on. */
export interface Service {
  /** Unique with `namespace`. */
  name: string;
  /** Default: `default`. */
  namespace?: string;
  /** Virtual addresses (ClusterIPs), IPv4. */
  addresses: readonly string[];
  ports: readonly ServicePort[];
}

export interface ServicePort {
  /** Unique within the service; may be left out where there is one port. */
  name?: string;
  protocol: Protocol;
  port: number;
  backends: readonly Backend[];
}

export interface Backend {
  /** IPv4 address of the endpoint. */
  address: string;
  port: number;
  /** Share of new connections relative to the others, 0 to 65,535. 0 drains. Default 1. */
  weight?: number;
}

/** The kinds of interface there are; the software engine carries `memory` and `pcap`. */
export const INTERFACE_KINDS = [
  'memif',
  'vhost-user',
  'virtio-user',
  'tap',
  'af_packet',
  'pcap',
  'memory',
] as const;
export type InterfaceKind = (typeof INTERFACE_KINDS)[number];

/** An attach point. `kind:name,key=value,...` in text; see docs/reference/interfaces.md. */
export interface InterfaceSpec {
  kind: InterfaceKind;
  /** 1 to 15 characters out of `A-Z a-z 0-9 . _ -`; unique. */
  name: string;
  /** Our own addresses on this interface, each with its prefix length: `10.0.0.1/24`. */
  addresses?: readonly string[];
  /** Our own MAC: `02:00:00:00:00:01`. Default: the device's (`af_packet`) or random. */
  mac?: string;
  /** Largest IP packet in bytes, 576 to 9,000. Default 1,500. */
  mtu?: number;
  /** Index of the worker that polls it. Default: the least loaded. */
  worker?: number;
  /** `memif`, `vhost-user`, `virtio-user`: path of the Unix socket. */
  socket?: string;
  /**
   * Which side makes the socket. `memif`: default `server`. `vhost-user` (device side): default
   * `server`. A `virtio-user` (driver side) is always the client: its driver would wait for the peer.
   */
  role?: 'server' | 'client';
  /** `memif`: interface id within the socket. Default 0. */
  id?: number;
  /** `memif`: shared secret, at most 24 characters. */
  secret?: string;
  /** `tap`: network namespace (a name of `ip netns`, or a path) in which the device appears. */
  netns?: string;
  /** `tap`: name of the kernel device, default the interface's name. `af_packet`: the device to use. */
  device?: string;
  /** `pcap`: file to read packets from. */
  rx?: string;
  /** `pcap`: file to write packets to. */
  tx?: string;
}

/** A route. `PREFIX,via=ADDRESS[,dev=NAME][,mac=MAC]` or `PREFIX,dev=NAME[,mac=MAC]` in text. */
export interface RouteSpec {
  /** `10.1.0.0/16`; host bits must be zero. */
  prefix: string;
  /** Next hop. It must be on the link of an interface (its addresses, or a `dev` route). */
  via?: string;
  /** Name of the interface. */
  dev?: string;
  /** MAC of the next hop; default: ARP. */
  mac?: string;
}
