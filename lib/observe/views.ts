// SPDX-License-Identifier: Apache-2.0
import type { FlowRecord, FlowState } from '../engine/engine.js';
import { formatAddress } from '../model/address.js';
import type { InterfaceKind, Protocol } from '../model/model.js';
import type { InterfaceCounts } from './counters.js';

/** A service as it runs. A snapshot: it does not change by itself. */
export interface ServiceView {
  namespace: string;
  name: string;
  /** Virtual addresses, IPv4. */
  addresses: string[];
  ports: ServicePortView[];
}

export interface ServicePortView {
  /** Empty where the only port has no name. */
  name: string;
  protocol: Protocol;
  port: number;
  /** Connections that were assigned to a backend of this port, over the backends it has now. */
  connections: number;
  backends: ServiceBackendView[];
}

export interface ServiceBackendView {
  address: string;
  port: number;
  /** Share of new connections relative to the others; 0: draining. */
  weight: number;
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
  /** `draining`: no new connections, those that exist stay. */
  state: 'active' | 'draining';
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
  /** Index of the worker that polls it. */
  worker: number;
}

/** A connection, seen from the client. */
export interface FlowView {
  protocol: Protocol;
  client: string;
  clientPort: number;
  /** Virtual address and port that the client speaks to. */
  address: string;
  port: number;
  backend: string;
  backendPort: number;
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

const PROTOCOL_UDP = 17;

/** @param service - `namespace/name` of the service that the flow belongs to */
export function flowView(record: FlowRecord, service: string | null): FlowView {
  return {
    protocol: record.protocol === PROTOCOL_UDP ? 'UDP' : 'TCP',
    client: formatAddress(record.client),
    clientPort: record.clientPort,
    address: formatAddress(record.service),
    port: record.servicePort,
    backend: formatAddress(record.backend),
    backendPort: record.backendPort,
    service,
    state: record.state,
    idleSeconds: record.idle,
    packets: record.packets,
    bytes: record.bytes,
    replyPackets: record.replyPackets,
    replyBytes: record.replyBytes,
  };
}
