// SPDX-License-Identifier: Apache-2.0
import type { Family, Prefix } from './address.js';
import type { CheckedNamespace, CheckedPod, CheckedPolicy } from './checked-policy.js';
import type { InterfaceKind, InterfaceSpec, Protocol, TrafficPolicy } from './model.js';

/**
 * A model that has been checked: every default is filled in, every text is canonical, every
 * reference within one section holds. Only `checkModel` makes one. Immutable.
 */
export interface CheckedModel {
  readonly services?: readonly CheckedService[];
  readonly interfaces?: readonly CheckedInterface[];
  readonly routes?: readonly CheckedRoute[];
  readonly node?: CheckedNode;
  readonly namespaces?: readonly CheckedNamespace[];
  readonly pods?: readonly CheckedPod[];
  readonly policies?: readonly CheckedPolicy[];
}

/** What changes of a section. No key is in both, and none of them twice. */
export interface CheckedChanges<T> {
  readonly put: readonly T[];
  readonly removed: readonly string[];
}

/** All that shall be there, or what changes. */
export type CheckedSection<T> = readonly T[] | CheckedChanges<T>;

/** Sections in which members that stay as they are need not be named. */
interface CheckedSections {
  readonly services?: CheckedSection<CheckedService>;
  readonly namespaces?: CheckedSection<CheckedNamespace>;
  readonly pods?: CheckedSection<CheckedPod>;
  readonly policies?: CheckedSection<CheckedPolicy>;
}

/**
 * A change that has been checked by itself: whether what is put goes together with what stays is for
 * the compiler to say. Every {@link CheckedModel} is one.
 */
export interface CheckedChange extends Omit<CheckedModel, keyof CheckedSections>, CheckedSections {}

export interface CheckedService {
  readonly namespace: string;
  readonly name: string;
  /** Of its addresses; both where it has node ports alone. */
  readonly families: readonly Family[];
  /** Canonical text, in the order that was given; so are all lists of addresses. */
  readonly addresses: readonly string[];
  readonly externalIPs: readonly string[];
  readonly loadBalancer: readonly string[];
  readonly sourceRanges: readonly Prefix[];
  readonly internalTrafficPolicy: TrafficPolicy;
  readonly externalTrafficPolicy: TrafficPolicy;
  /** Seconds; 0: no affinity. */
  readonly affinity: number;
  readonly ports: readonly CheckedServicePort[];
}

export interface CheckedServicePort {
  /** Unique within the service; empty where the only port has no name. */
  readonly name: string;
  readonly protocol: Protocol;
  /** 0 where the protocol is ICMP. */
  readonly port: number;
  /** 0: none. */
  readonly nodePort: number;
  /** In the order of address bytes and port, without duplicates. */
  readonly backends: readonly CheckedBackend[];
}

export interface CheckedBackend {
  readonly address: string;
  readonly family: Family;
  /** 0 where the protocol is ICMP, or where packets go to it as they came and none was given. */
  readonly port: number;
  readonly weight: number;
  readonly flush: boolean;
  readonly ready: boolean;
  readonly serving: boolean;
  readonly terminating: boolean;
  /** `null`: not known, so not this one. */
  readonly node: string | null;
  readonly zoneHints: readonly string[];
  readonly nodeHints: readonly string[];
  /** How packets go to it as they came; `null`: they are addressed to it. Its weight is 1. */
  readonly through: CheckedHop | null;
}

export interface CheckedNode {
  readonly name: string | null;
  readonly zone: string | null;
  /** Canonical text. */
  readonly addresses: readonly string[];
  readonly nodePorts: CheckedNodePorts;
  readonly podNetworks: readonly Prefix[];
  readonly serviceNetworks: readonly Prefix[];
  readonly masqueradeAll: boolean;
}

/** The balancer role. */
export interface CheckedBalancer {
  /** Our own addresses, canonical; one of each family at most. */
  readonly locals: readonly string[];
  /** Labels that a node has to have. */
  readonly nodes: Readonly<Record<string, string>>;
  /** What the tunnels of all nodes have in common. */
  readonly tunnel: Readonly<Omit<InterfaceSpec, 'name' | 'local' | 'remote'>>;
  /** MAC of the nodes' ends, where these are stations. */
  readonly nodeMac: string | null;
}

/** Which of our own addresses node ports are served on. */
export interface CheckedNodePorts {
  readonly all: boolean;
  readonly primary: boolean;
  readonly networks: readonly Prefix[];
}

export interface CheckedInterface {
  readonly kind: InterfaceKind;
  readonly name: string;
  readonly addresses: readonly CheckedInterfaceAddress[];
  readonly scope: NonNullable<InterfaceSpec['scope']>;
  readonly unfinishedChecksums: boolean;
  /** 6 bytes; `null`: the engine's choice. */
  readonly mac: Uint8Array | null;
  /** None: any source may send. */
  readonly sources: readonly Prefix[];
  /** `namespace/name`; then each of `sources` is a single address. */
  readonly pod: string | null;
  readonly mtu: number;
  /** `null`: the engine's choice. */
  readonly worker: number | null;
  readonly queues: number;
  readonly softwareRss: boolean;
  /** What is particular to the kind, as the engine gets it; defaults are filled in. */
  readonly parameters: Readonly<Record<string, string>>;
}

export interface CheckedInterfaceAddress {
  /** `10.0.0.1/24`. */
  readonly text: string;
  /** 16 bytes. */
  readonly bytes: Uint8Array;
  readonly length: number;
}

export interface CheckedRoute {
  /** `10.1.0.0/16`. */
  readonly text: string;
  /** 16 bytes, host bits zero. */
  readonly prefix: Uint8Array;
  readonly length: number;
  /** At least one: each flow goes by one of them. */
  readonly hops: readonly CheckedHop[];
}

export interface CheckedHop {
  /** 16 bytes of the next hop; `null`: the destination is on the link of `dev`. */
  readonly via: Uint8Array | null;
  readonly dev: string | null;
  /** 6 bytes; `null`: by ARP or neighbour discovery. */
  readonly mac: Uint8Array | null;
  /** 1 to 255. */
  readonly weight: number;
}

/** `namespace/name`. */
export function serviceKey(service: { namespace: string; name: string }): string {
  return `${service.namespace}/${service.name}`;
}
