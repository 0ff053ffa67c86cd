// SPDX-License-Identifier: Apache-2.0
import type { InterfaceKind, Protocol } from './model.js';

/**
 * A model that has been checked: every default is filled in, every text is canonical, every
 * reference within one section holds. Only `checkModel` makes one. Immutable.
 */
export interface CheckedModel {
  readonly services?: readonly CheckedService[];
  readonly interfaces?: readonly CheckedInterface[];
  readonly routes?: readonly CheckedRoute[];
}

export interface CheckedService {
  readonly namespace: string;
  readonly name: string;
  /** Canonical text, in the order that was given. */
  readonly addresses: readonly string[];
  readonly ports: readonly CheckedServicePort[];
}

export interface CheckedServicePort {
  /** Unique within the service; empty where the only port has no name. */
  readonly name: string;
  readonly protocol: Protocol;
  readonly port: number;
  /** In the order of address bytes and port, without duplicates. */
  readonly backends: readonly CheckedBackend[];
}

export interface CheckedBackend {
  readonly address: string;
  readonly port: number;
  readonly weight: number;
}

export interface CheckedInterface {
  readonly kind: InterfaceKind;
  readonly name: string;
  readonly addresses: readonly CheckedInterfaceAddress[];
  /** 6 bytes; `null`: the engine's choice. */
  readonly mac: Uint8Array | null;
  readonly mtu: number;
  /** `null`: the engine's choice. */
  readonly worker: number | null;
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
  /** 16 bytes of the next hop; `null`: the destination is on the link of `dev`. */
  readonly via: Uint8Array | null;
  readonly dev: string | null;
  /** 6 bytes; `null`: ARP. */
  readonly mac: Uint8Array | null;
}

/** `namespace/name`. */
export function serviceKey(service: { namespace: string; name: string }): string {
  return `${service.namespace}/${service.name}`;
}
