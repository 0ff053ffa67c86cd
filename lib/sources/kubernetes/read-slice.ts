// SPDX-License-Identifier: Apache-2.0
import { familyOf } from '../../model/address.js';
import { show } from '../../model/explain.js';
import type { Hints } from '../../model/model.js';
import {
  address,
  asObject,
  flag,
  list,
  type Metadata,
  maybe,
  metadata,
  oneOf,
  portName,
  protocol,
  refuse,
  text,
  wholeNumber,
} from './fields.js';
import { ObjectMistake } from './object-mistake.js';

/** A discovery.k8s.io/v1 EndpointSlice, as far as it is read. */
export interface EndpointSliceObject {
  metadata: Metadata;
  addressType: AddressType;
  endpoints: readonly SliceEndpoint[];
  ports: readonly SlicePort[];
}

/** What is left out means: as if there were no conditions. */
interface Conditions {
  ready: boolean;
  serving: boolean;
  terminating: boolean;
}

export interface SliceEndpoint extends Conditions {
  /** The first one that it has; of type `FQDN` as it was written, else canonical. Empty: none. */
  address: string;
  /** Name of its node; empty: not known. */
  node: string;
  hints: Hints | null;
}

export interface SlicePort {
  /** Empty: none. */
  name: string;
  protocol: 'TCP' | 'UDP' | 'SCTP';
  /** 0: none. */
  port: number;
}

const ADDRESS_TYPES = ['IPv4', 'IPv6', 'FQDN'] as const;
type AddressType = (typeof ADDRESS_TYPES)[number];
const READY: Conditions = { ready: true, serving: true, terminating: false };

/** How endpoints are read, by the type of their addresses. */
const ENDPOINTS = {
  IPv4: endpointOf('IPv4'),
  IPv6: endpointOf('IPv6'),
  FQDN: endpointOf('FQDN'),
};

/** @throws ObjectMistake with the first mistake */
export function readEndpointSlice(value: unknown): EndpointSliceObject {
  const object = asObject(value, 'an object');
  const found = metadata(object);
  const addressType = oneOf(object, 'addressType', ADDRESS_TYPES);
  return {
    metadata: found,
    addressType,
    endpoints: list(object, 'endpoints', 'endpoints', ENDPOINTS[addressType]),
    ports: list(object, 'ports', 'ports', readPort),
  };
}

function endpointOf(addressType: AddressType): (value: unknown) => SliceEndpoint {
  const readAddress = addressOf(addressType);
  return (value) => {
    const raw = asObject(value, 'an endpoint');
    const addresses = list(raw, 'addresses', 'addresses', readAddress);
    const { ready, serving, terminating } = maybe(raw, 'conditions', readConditions) ?? READY;
    return {
      address: addresses[0] ?? '',
      ready,
      serving,
      terminating,
      node: text(raw, 'nodeName', 'the name of a node', ''),
      hints: maybe(raw, 'hints', readHints) ?? null,
    };
  };
}

function readConditions(value: unknown): Conditions {
  const raw = asObject(value, 'an object with ready, serving and terminating');
  return {
    ready: flag(raw, 'ready', true),
    serving: flag(raw, 'serving', true),
    terminating: flag(raw, 'terminating', false),
  };
}

function addressOf(addressType: AddressType): (value: unknown) => string {
  const what = `an ${addressType} address (the slice's addressType is ${addressType})`;
  return (value) => {
    if (typeof value !== 'string') {
      throw new ObjectMistake([], `expected an address, found ${show(value)}`);
    }
    if (addressType === 'FQDN') return value;
    if (`IPv${familyOf(value)}` === addressType) return address(value, what);
    throw new ObjectMistake([], `expected ${what}, found ${show(value)}`);
  };
}

function readHints(value: unknown): Hints {
  const raw = asObject(value, 'an object');
  return {
    zones: list(raw, 'forZones', 'zones', (each) => readPlace(each, 'zone')),
    nodes: list(raw, 'forNodes', 'nodes', (each) => readPlace(each, 'node')),
  };
}

function readPlace(value: unknown, kind: string): string {
  const raw = asObject(value, `a ${kind}`);
  const what = `the name of a ${kind}`;
  const name = text(raw, 'name', what);
  return name === '' ? refuse('name', `expected ${what}, found ${show(name)}`) : name;
}

function readPort(value: unknown): SlicePort {
  const raw = asObject(value, 'a port');
  return {
    name: portName(raw),
    protocol: protocol(raw),
    port: wholeNumber(raw, 'port', 'a port number', [0, 65_535], 0),
  };
}
