// SPDX-License-Identifier: Apache-2.0
import type { BackendState } from '../compile/view.js';
import type { FlowRecord, FlowState } from '../engine/engine.js';
import { formatAddress } from '../model/address.js';
import type { InterfaceKind, InterfaceSpec, Protocol, TrafficPolicy } from '../model/model.js';
import type { InterfaceCounts } from './counters.js';

/** A service as it runs. A snapshot: it does not change by itself. */
export interface ServiceView {
  namespace: string;
  name: string;
  /** Virtual addresses (cluster IPs). */
  addresses: string[];
  externalIPs: string[];
  loadBalancer: { addresses: string[]; sourceRanges: string[] };
  internalTrafficPolicy: TrafficPolicy;
  externalTrafficPolicy: TrafficPolicy;
  /** Seconds that a client keeps its backend; 0: it does not. */
  affinitySeconds: number;
  ports: ServicePortView[];
}

export interface ServicePortView {
  /** Empty where the only port has no name. */
  name: string;
  protocol: Protocol;
  /** 0 where the protocol is ICMP. */
  port: number;
  /** Port on the node's own addresses; 0: none. */
  nodePort: number;
  /** Connections that were assigned to a backend of this port, over the backends it has now. */
  connections: number;
  /** Those that may serve, whether they get new connections or not. */
  backends: ServiceBackendView[];
}

export interface ServiceBackendView {
  address: string;
  /** 0 where the protocol is ICMP. */
  port: number;
  /** Share of new connections relative to the others; 0: draining. */
  weight: number;
  state: BackendState;
  /** Connections that were assigned to it since it was added. */
  connections: number;
}

/** One backend of one service port. */
export interface BackendView extends ServiceBackendView {
  /** `namespace/name`. */
  service: string;
  /** Name of the service port; empty where the only port has none. */
  portName: string;
  servicePort: number;
  protocol: Protocol;
}

/** An interface as it runs, with its counters. */
export interface InterfaceView extends InterfaceCounts {
  name: string;
  kind: InterfaceKind;
  /** The peer is there: packets can pass. */
  up: boolean;
  /** Our own MAC. */
  mac: string;
  /** Largest IP packet in bytes. */
  mtu: number;
  /** Our own addresses, with prefix length. */
  addresses: string[];
  scope: NonNullable<InterfaceSpec['scope']>;
  /** Index of the worker that polls it, or the first of its queues; the next ones have the others. */
  worker: number;
  queues: number;
  rss: NonNullable<InterfaceSpec['rss']>;
}

/** A connection, seen from the client. */
export interface FlowView {
  protocol: Protocol;
  client: string;
  /** Of echo: its identifier; its other ports are 0. */
  clientPort: number;
  /** Virtual address and port that the client speaks to. */
  address: string;
  port: number;
  backend: string;
  backendPort: number;
  /** What the backend sees as the source: the client's address and port, or some of ours. */
  source: string;
  sourcePort: number;
  /** `namespace/name` of the service; `null` where the backend is no longer part of one. */
  service: string | null;
  state: FlowState;
  /** Seconds since the last packet of either direction. */
  idleSeconds: number;
  /** Client to backend; bytes count from the IP header on. */
  packets: number;
  bytes: number;
  /** Backend to client. */
  replyPackets: number;
  replyBytes: number;
}

/** Protocols by IANA number; both kinds of ICMP are one. */
const PROTOCOL_NAMES: Readonly<Record<number, Protocol>> = {
  1: 'ICMP',
  6: 'TCP',
  17: 'UDP',
  58: 'ICMP',
  132: 'SCTP',
};

/** Name of a protocol by its IANA number; `undefined` where services cannot have it. */
export function protocolName(number: number): Protocol | undefined {
  return PROTOCOL_NAMES[number];
}

/** @param service - `namespace/name` of the service that the flow belongs to */
export function flowView(record: FlowRecord, service: string | null): FlowView {
  return {
    protocol: protocolName(record.protocol)!,
    client: formatAddress(record.client),
    clientPort: record.clientPort,
    address: formatAddress(record.service),
    port: record.servicePort,
    backend: formatAddress(record.backend),
    backendPort: record.backendPort,
    source: formatAddress(record.source),
    sourcePort: record.sourcePort,
    service,
    state: record.state,
    idleSeconds: record.idle,
    packets: record.packets,
    bytes: record.bytes,
    replyPackets: record.replyPackets,
    replyBytes: record.replyBytes,
  };
}
