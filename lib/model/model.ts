// SPDX-License-Identifier: Apache-2.0
import type { Labels, Namespace, Pod, Policy } from './policy.js';

/**
 * The model: the desired state, as a passive value. It knows nothing of Kubernetes' wire format.
 * A section that is left out stays as it is; a section that is given replaces the previous one.
 */
export interface Model {
  services?: readonly Service[];
  interfaces?: readonly InterfaceSpec[];
  routes?: readonly RouteSpec[];
  node?: NodeSpec;
  namespaces?: readonly Namespace[];
  pods?: readonly Pod[];
  policies?: readonly Policy[];
}

export const PROTOCOLS = ['TCP', 'UDP', 'SCTP', 'ICMP'] as const;

/** `ICMP` balances echo requests; their answers and errors follow. */
export type Protocol = (typeof PROTOCOLS)[number];

/** `Local`: only endpoints on this node, so that the client's address is kept. */
export type TrafficPolicy = 'Cluster' | 'Local';

/**
 * A service: the addresses that it answers on, and the ports. Addresses of both families may stand
 * side by side; clients of a family go to backends of that family.
 */
export interface Service {
  /** Unique with `namespace`. */
  name: string;
  /** Default: `default`. */
  namespace?: string;
  /** Virtual addresses (cluster IPs). Empty only where there is some other destination. */
  addresses: readonly string[];
  /** Further addresses that clients outside use; they need not be on any interface. */
  externalIPs?: readonly string[];
  loadBalancer?: LoadBalancer;
  /** Which endpoints traffic to `addresses` goes to. Default `Cluster`. */
  internalTrafficPolicy?: TrafficPolicy;
  /**
   * Which endpoints traffic to external IPs, load balancer addresses and node ports goes to. Default
   * `Cluster`: all of them, with the source rewritten to an address of this node.
   */
  externalTrafficPolicy?: TrafficPolicy;
  /** A client keeps its backend. Left out: it does not. */
  affinity?: Affinity;
  ports: readonly ServicePort[];
}

export interface LoadBalancer {
  /** Addresses that an external load balancer hands on as they are. */
  addresses: readonly string[];
  /** Networks that may come in over `addresses`; none of a family: open to that family. */
  sourceRanges?: readonly string[];
}

export interface Affinity {
  /** Seconds since the client's last new connection, 1 to 86,400. */
  timeoutSeconds: number;
}

export interface ServicePort {
  /** Unique within the service; may be left out where there is one port. */
  name?: string;
  protocol: Protocol;
  /** 1 to 65,535; left out or 0 where the protocol is `ICMP`. */
  port?: number;
  /**
   * Port on the node's own addresses, 1 to 65,535; not with `ICMP`. An external IP of a service that
   * is such an address goes before it. Default: none.
   */
  nodePort?: number;
  backends: readonly Backend[];
}

export interface Backend {
  /** Address of the endpoint, of a family that the service has. */
  address: string;
  /** 1 to 65,535; left out or 0 where the protocol is `ICMP`, or with `through`. */
  port?: number;
  /** Share of new connections relative to the others, 0 to 65,535. 0 drains. Default 1. */
  weight?: number;
  /** Hard drain: no new connections, and those that exist are cut. Default `false`. */
  flush?: boolean;
  /** It is to get new connections. Default `true`. */
  ready?: boolean;
  /** It answers, ready or not: connections to it go on. Default: as `ready`. */
  serving?: boolean;
  /** It is about to end; if it is serving it is used where no backend is ready. Default `false`. */
  terminating?: boolean;
  /** Name of the node that it runs on. Default: not this one. */
  node?: string;
  /** Where the control plane wants its clients to be. */
  hints?: Hints;
  /**
   * Direct server return: packets go to it as they came, by this next hop, and what it answers goes to
   * the client by itself. All backends of a service port have it, or none.
   */
  through?: Through;
}

/** A next hop: `via`, `dev` or both. */
export interface Through {
  /** Address of the next hop. Left out: the packet's own destination, on the link of `dev`. */
  via?: string;
  /** Name of an interface. Left out: the one that `via` is on the link of. */
  dev?: string;
  /** Left out: by ARP or neighbour discovery. */
  mac?: string;
}

export interface Hints {
  zones?: readonly string[];
  nodes?: readonly string[];
}

/** What the proxy knows of the node that it runs on. */
export interface NodeSpec {
  /** Name, as backends and hints have it. */
  name?: string;
  /** Zone, as hints have it. */
  zone?: string;
  /** Addresses of the node that are on no interface; they are our own as those of interfaces are. */
  addresses?: readonly string[];
  /**
   * On which of our own addresses node ports are served: networks, `all`, or `primary` (the node's
   * first address of each family). A family of which no network is given is served on all its
   * addresses. Default: all addresses of both families.
   */
  nodePortAddresses?: readonly string[];
  /** Networks of this node's pods. Together with interfaces of scope `pod`: who is a local pod. */
  podNetworks?: readonly string[];
  /** Networks that service addresses come from: an address in them that no service has is dropped. */
  serviceNetworks?: readonly string[];
  /** Rewrite the source of everything that goes to a cluster IP. Default `false`. */
  masqueradeAll?: boolean;
}

/**
 * The balancer role: packets to external addresses of services go to nodes, as they came and through a
 * tunnel for each; nodes answer clients by themselves. Balancers with the same nodes choose alike.
 */
export interface BalancerSpec {
  /** What carries packets to nodes. */
  tunnel: TunnelKind;
  /**
   * Our own address that they come from, or one of each family. A node is reached from the first one
   * of whose family it has an address.
   */
  local: string | readonly string[];
  /** Labels that a node has to have. Default: every node. */
  nodes?: Labels;
  /** As of every tunnel's {@link InterfaceSpec}. */
  key?: number | 'flow';
  vni?: number;
  port?: number;
  ttl?: number;
  mtu?: number;
  /** `vxlan`: the MAC that every node's end of its tunnel has; needed, for nobody is asked for it. */
  nodeMac?: string;
}

/** The kinds of interface there are; the software engine carries `memory`, `pcap` and tunnels. */
export const INTERFACE_KINDS = [
  'memif',
  'vhost-user',
  'virtio-user',
  'tap',
  'af_packet',
  'pcap',
  'memory',
  'gre',
  'ipip',
  'vxlan',
] as const;
export type InterfaceKind = (typeof INTERFACE_KINDS)[number];
/** Interfaces whose packets come and go within other interfaces' packets. */
export type TunnelKind = 'gre' | 'ipip' | 'vxlan';

export const INTERFACE_SCOPES = ['outside', 'pod', 'host'] as const;
/** What a kernel sees of what comes in by a device of its own. */
export const KERNEL_VIEWS = ['sees', 'blind'] as const;

export const CHECKSUMS = ['finished', 'unfinished'] as const;
export const RSS = ['off', 'software'] as const;

/** An attach point. `kind:name,key=value,...` in text; see docs/reference/interfaces.md. */
export interface InterfaceSpec {
  kind: InterfaceKind;
  /** 1 to 15 characters out of `A-Z a-z 0-9 . _ -`; unique. */
  name: string;
  /** Our own addresses on this interface, each with its prefix length: `10.0.0.1/24`, `fd00::1/64`. */
  addresses?: readonly string[];
  /**
   * Who sends on it: local pods, this node's own processes, or anybody (`outside`). Decides what is
   * masqueraded. Default `outside`; where `pod` is given, `pod`.
   */
  scope?: (typeof INTERFACE_SCOPES)[number];
  /**
   * `unfinished`: L4 checksums of packets that come in may be left for us to finish, as kernels and
   * guests do. Default for `af_packet`, `vhost-user` and `virtio-user`; else `finished`.
   */
  checksums?: (typeof CHECKSUMS)[number];
  /** Our own MAC: `02:00:00:00:00:01`. Default: the device's (`af_packet`) or random. */
  mac?: string;
  /**
   * Addresses and networks that may send on it, none with host bits: `10.1.0.5`, `fd00:1::/64`. A packet from
   * elsewhere is dropped. Default: any; needed with `pod`.
   */
  sources?: readonly string[];
  /**
   * `namespace/name` of the pod on it, whose addresses `sources` are, each with a route of its own. Until
   * the model has that pod with that address, nothing goes to the address or comes from it.
   */
  pod?: string;
  /** Largest IP packet in bytes, 576 to 9,000. Default 1,500; of a tunnel less what it adds. */
  mtu?: number;
  /** Index of the worker that polls it, or its first queue. Default: the least loaded. */
  worker?: number;
  /**
   * `software`: the worker that polls it spreads what it receives over all workers, by a hash that both
   * directions of a flow share. For interfaces with one queue. Default `off`.
   */
  rss?: (typeof RSS)[number];
  /**
   * `memif`, `vhost-user`, `virtio-user`, `tap`, `af_packet`: queues each way, every one with a worker of
   * its own. Default 1.
   */
  queues?: number;
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
  /**
   * `af_packet`: whether this node's kernel gets what comes in by the device, too. `blind`: but for who its
   * neighbours are it does not, for as long as the interface is there. Default `sees`.
   */
  kernel?: (typeof KERNEL_VIEWS)[number];
  /** `pcap`: file to read packets from. */
  rx?: string;
  /** `pcap`: file to write packets to. */
  tx?: string;
  /** Tunnels: where their packets come from, and must be sent to. An address of ours. */
  local?: string;
  /** Tunnels: the other end, of the family of `local`. Without it the tunnel only receives. */
  remote?: string;
  /** Tunnels without `remote`: networks of those who may send. Default: anybody. */
  peers?: readonly string[];
  /** `gre`: key, 0 to 4,294,967,295; `flow`: one by flow is sent, and any is taken. Default: none. */
  key?: number | 'flow';
  /** `vxlan`: network identifier, 0 to 16,777,215. */
  vni?: number;
  /** `vxlan`: UDP port. Default 4,789. */
  port?: number;
  /** Tunnels: TTL (hop limit) of their packets, 1 to 255. Default 64. */
  ttl?: number;
}

/**
 * A route. `PREFIX,via=ADDRESS[,dev=NAME][,mac=MAC]` or `PREFIX,dev=NAME[,mac=MAC]` in text; several next
 * hops by `,via=ADDRESS[,dev=NAME][,mac=MAC][,weight=N]` once more for each. They are given by `via`,
 * `dev` and `mac`, or by `nextHops`.
 */
export interface RouteSpec {
  /**
   * `10.1.0.0/16`, `fd00:1::/48`; host bits must be zero. `default`: everything of the family of
   * (the first) `via`, of IPv4 without it.
   */
  prefix: string;
  /**
   * Next hop, of the prefix's family. It must be on the link of an interface (its addresses, or a
   * `dev` route); a link-local one needs `dev`.
   */
  via?: string;
  /** Name of the interface. */
  dev?: string;
  /** MAC of the next hop; default: by ARP or neighbour discovery. */
  mac?: string;
  /** 1 to 64, of equal worth: each flow goes by one of them (ECMP). None twice. */
  nextHops?: readonly NextHopSpec[];
}

/** One of the next hops of a route. */
export interface NextHopSpec extends Pick<RouteSpec, 'via' | 'dev' | 'mac'> {
  /** Share of flows relative to the others, 1 to 255; default: 1. */
  weight?: number;
}
