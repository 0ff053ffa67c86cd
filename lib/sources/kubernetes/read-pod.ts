// SPDX-License-Identifier: Apache-2.0
import {
  address,
  asObject,
  flag,
  isLeftOut,
  list,
  type Metadata,
  maybe,
  metadata,
  portName,
  protocol,
  text,
  wholeNumber,
  within,
} from './fields.js';

/** A core/v1 Pod, as far as it is read. */
export interface PodObject {
  metadata: Metadata & { deletionTimestamp?: string };
  spec: PodSpec;
  status: PodStatus;
}

export interface PodSpec {
  /** Empty: none yet. */
  nodeName: string;
  hostNetwork: boolean;
  containers: readonly Container[];
  initContainers: readonly Container[];
}

export interface Container {
  ports: readonly ContainerPort[];
  restartPolicy?: string;
}

export interface ContainerPort {
  /** Empty: none. */
  name: string;
  containerPort: number;
  protocol: 'TCP' | 'UDP' | 'SCTP';
}

interface PodStatus {
  phase: string;
  /** Canonical; each once. */
  ips: readonly string[];
}

const NO_STATUS: PodStatus = { phase: '', ips: [] };

/** @throws ObjectMistake with the first mistake */
export function readPod(value: unknown): PodObject {
  const object = asObject(value, 'an object');
  const found = metadata(object);
  const deletionTimestamp = within(object, 'metadata', (inner) => {
    const raw = asObject(inner, 'an object with the name');
    const key = 'deletionTimestamp';
    return isLeftOut(raw, key) ? {} : { deletionTimestamp: text(raw, key, 'a time') };
  });
  return {
    metadata: { ...found, ...deletionTimestamp },
    spec: within(object, 'spec', readPodSpec),
    status: maybe(object, 'status', readStatus) ?? NO_STATUS,
  };
}

/** @throws ObjectMistake with the first mistake */
export function readPodSpec(value: unknown): PodSpec {
  const raw = asObject(value, 'an object with containers');
  return {
    nodeName: text(raw, 'nodeName', 'the name of a node', ''),
    hostNetwork: flag(raw, 'hostNetwork', false),
    containers: list(raw, 'containers', 'containers', readContainer),
    initContainers: list(raw, 'initContainers', 'containers', readContainer),
  };
}

/** Ports of all containers that stay; a sidecar is an init container that is always restarted. */
export function containerPorts({ containers, initContainers }: PodSpec): ContainerPort[] {
  const sidecars = initContainers.filter(({ restartPolicy }) => restartPolicy === 'Always');
  return [...containers, ...sidecars].flatMap(({ ports }) => ports);
}

function readContainer(value: unknown): Container {
  const raw = asObject(value, 'a container');
  const ports = list(raw, 'ports', 'ports', readPort);
  if (isLeftOut(raw, 'restartPolicy')) return { ports };
  return { ports, restartPolicy: text(raw, 'restartPolicy', 'a restart policy') };
}

function readPort(value: unknown): ContainerPort {
  const raw = asObject(value, 'a port');
  return {
    name: portName(raw),
    containerPort: wholeNumber(raw, 'containerPort', 'a port number', [1, 65_535]),
    protocol: protocol(raw),
  };
}

function readStatus(value: unknown): PodStatus {
  const raw = asObject(value, 'an object');
  const podIp = (each: unknown) => address(each, 'an IP address, or nothing', ['']);
  const phase = text(raw, 'phase', 'the phase of a pod', '');
  const first = maybe(raw, 'podIP', podIp) ?? '';
  const all = list(
    raw,
    'podIPs',
    'addresses',
    (each) => maybe(asObject(each, 'an object with ip'), 'ip', podIp) ?? '',
  );
  return { phase, ips: [...new Set([...all, first])].filter((ip) => ip !== '') };
}
