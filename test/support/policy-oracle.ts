// SPDX-License-Identifier: Apache-2.0

/**
 * A second opinion on policy: Kubernetes' rules read off the manifests' objects, one packet at a time, in
 * the plainest way. Shares no code with lib/.
 */

export interface Selector {
  matchLabels?: Record<string, string>;
  matchExpressions?: { key: string; operator: string; values?: string[] }[];
}

export interface NamespaceManifest {
  metadata: { name: string; labels?: Record<string, string> };
}

export interface PodManifest {
  metadata: { name: string; namespace: string; labels?: Record<string, string> };
  spec: {
    nodeName?: string;
    hostNetwork?: boolean;
    containers: { ports?: { name?: string; containerPort: number; protocol?: string }[] }[];
  };
  status: { phase?: string; podIPs: { ip: string }[] };
}

export interface NetworkPolicyManifest {
  kind: 'NetworkPolicy';
  metadata: { name: string; namespace: string };
  spec: {
    podSelector: Selector;
    policyTypes?: string[];
    ingress?: { from?: NetworkPolicyPeer[]; ports?: NetworkPolicyPort[] }[];
    egress?: { to?: NetworkPolicyPeer[]; ports?: NetworkPolicyPort[] }[];
  };
}

export interface NetworkPolicyPeer {
  podSelector?: Selector;
  namespaceSelector?: Selector;
  ipBlock?: { cidr: string; except?: string[] };
}

export interface NetworkPolicyPort {
  protocol?: string;
  port?: number | string;
  endPort?: number;
}

export interface ClusterNetworkPolicyManifest {
  kind: 'ClusterNetworkPolicy';
  metadata: { name: string };
  spec: {
    tier: 'Admin' | 'Baseline';
    priority: number;
    subject: { namespaces?: Selector; pods?: PodsPeer };
    ingress?: {
      name?: string;
      action: string;
      from: ClusterPeer[];
      protocols?: ClusterProtocol[];
    }[];
    egress?: { name?: string; action: string; to: ClusterPeer[]; protocols?: ClusterProtocol[] }[];
  };
}

interface PodsPeer {
  namespaceSelector: Selector;
  podSelector: Selector;
}

/** Others than these are not known, and that is what some cases are about. */
export interface ClusterPeer {
  namespaces?: Selector;
  pods?: PodsPeer;
  networks?: string[];
  [unknown: string]: unknown;
}

export interface ClusterProtocol {
  tcp?: { destinationPort?: ClusterPort };
  udp?: { destinationPort?: ClusterPort };
  sctp?: { destinationPort?: ClusterPort };
  destinationNamedPort?: string;
}

type ClusterPort = { number: number } | { range: { start: number; end: number } };

export type PolicyManifest = NetworkPolicyManifest | ClusterNetworkPolicyManifest;

export interface Cluster {
  namespaces: NamespaceManifest[];
  pods: PodManifest[];
  policies: PolicyManifest[];
  /** Addresses of the node that the pods run on. */
  node?: readonly string[];
}

export interface Packet {
  source: string;
  destination: string;
  /** `ICMP`: echo, of port 0. */
  protocol: 'TCP' | 'UDP' | 'SCTP' | 'ICMP';
  port: number;
  /** The destination was chosen by a service. */
  byService?: boolean;
}

/** Somebody at an address: a pod, or an address alone. */
interface Party {
  ip: string;
  pod: PodManifest | null;
  namespaceLabels: Record<string, string>;
}

/** Whether Kubernetes lets the first packet of a connection through. */
export function oracleAllows(cluster: Cluster, packet: Packet): boolean {
  const { node = [] } = cluster;
  if (node.includes(packet.source) || node.includes(packet.destination)) return true;
  const source = partyAt(cluster, packet.source);
  const destination = partyAt(cluster, packet.destination);
  const isSelf = packet.source === packet.destination;
  if (isSelf && !packet.byService) return true;
  const ask = (direction: 'egress' | 'ingress', subject: Party, peer: Party) => {
    if (subject.pod === null) return true;
    const matching = { direction, subject, peer, destination, packet };
    const admin = clusterVerdict(cluster, 'Admin', matching);
    if (admin !== null) return admin;
    const network = isSelf ? null : networkVerdict(cluster, matching);
    if (network !== null) return network;
    return clusterVerdict(cluster, 'Baseline', matching) ?? true;
  };
  return ask('egress', source, destination) && ask('ingress', destination, source);
}

interface Matching {
  direction: 'egress' | 'ingress';
  subject: Party;
  peer: Party;
  destination: Party;
  packet: Packet;
}

function networkVerdict({ policies }: Cluster, matching: Matching): boolean | null {
  const { direction, subject } = matching;
  const pod = subject.pod!;
  const isolating = policies.filter((policy): policy is NetworkPolicyManifest => {
    if (policy.kind !== 'NetworkPolicy') return false;
    if (policy.metadata.namespace !== pod.metadata.namespace) return false;
    if (!selects(policy.spec.podSelector, pod.metadata.labels)) return false;
    const { policyTypes = [], egress = [] } = policy.spec;
    if (policyTypes.length > 0) {
      return policyTypes.includes(direction === 'ingress' ? 'Ingress' : 'Egress');
    }
    return direction === 'ingress' || egress.length > 0;
  });
  if (isolating.length === 0) return null;
  return isolating.some(({ metadata, spec }) => {
    const rules =
      direction === 'ingress'
        ? (spec.ingress ?? []).map(({ from, ports }) => ({ peers: from ?? [], ports: ports ?? [] }))
        : (spec.egress ?? []).map(({ to, ports }) => ({ peers: to ?? [], ports: ports ?? [] }));
    return rules.some(
      ({ peers, ports }) =>
        (peers.length === 0 ||
          peers.some((peer) => isNetworkPeer(peer, metadata.namespace, matching.peer))) &&
        (ports.length === 0 || ports.some((port) => isNetworkPort(port, matching))),
    );
  });
}

function isNetworkPeer(peer: NetworkPolicyPeer, namespace: string, party: Party): boolean {
  if (peer.ipBlock !== undefined) {
    const { cidr, except = [] } = peer.ipBlock;
    return within(cidr, party.ip) && !except.some((part) => within(part, party.ip));
  }
  if (party.pod === null) return false;
  if (peer.namespaceSelector === undefined) {
    if (party.pod.metadata.namespace !== namespace) return false;
  } else if (!selects(peer.namespaceSelector, party.namespaceLabels)) return false;
  return peer.podSelector === undefined || selects(peer.podSelector, party.pod.metadata.labels);
}

function isNetworkPort(wanted: NetworkPolicyPort, { packet, destination }: Matching): boolean {
  const { protocol = 'TCP', port, endPort } = wanted;
  if (protocol !== packet.protocol) return false;
  if (port === undefined) return true;
  if (typeof port === 'string') {
    return portsCalled(destination, port, protocol).includes(packet.port);
  }
  return packet.port >= port && packet.port <= (endPort ?? port);
}

function clusterVerdict(
  { policies }: Cluster,
  tier: 'Admin' | 'Baseline',
  matching: Matching,
): boolean | null {
  const ofTier = policies.filter(
    (policy): policy is ClusterNetworkPolicyManifest =>
      policy.kind === 'ClusterNetworkPolicy' && policy.spec.tier === tier,
  );
  // Which of equal priority comes first is not defined upstream; by name is what we document.
  ofTier.sort((a, b) => {
    const byPriority = a.spec.priority - b.spec.priority;
    return byPriority !== 0 ? byPriority : a.metadata.name < b.metadata.name ? -1 : 1;
  });
  for (const { spec } of ofTier) {
    const { namespaces, pods } = spec.subject;
    const subject = pods === undefined ? { namespaces: namespaces! } : { pods };
    if (!isClusterPeer(subject, matching.subject)) continue;
    const rules =
      matching.direction === 'ingress'
        ? (spec.ingress ?? []).map(({ from, ...rule }) => ({ ...rule, peers: from }))
        : (spec.egress ?? []).map(({ to, ...rule }) => ({ ...rule, peers: to }));
    for (const { action, peers, protocols = [] } of rules) {
      const known = peers.every((peer) => isKnown(peer, matching.direction));
      if (!known) {
        if (action === 'Accept') continue;
        return false;
      }
      if (!peers.some((peer) => isClusterPeer(peer, matching.peer))) continue;
      if (protocols.length > 0 && !protocols.some((each) => isClusterPort(each, matching)))
        continue;
      if (action === 'Pass') return null;
      return action === 'Accept';
    }
  }
  return null;
}

function isKnown(peer: ClusterPeer, direction: 'egress' | 'ingress'): boolean {
  if (peer.namespaces !== undefined || peer.pods !== undefined) return true;
  return direction === 'egress' && peer.networks !== undefined;
}

function isClusterPeer({ namespaces, pods, networks }: ClusterPeer, party: Party): boolean {
  if (networks !== undefined) return networks.some((network) => within(network, party.ip));
  if (party.pod === null) return false;
  if (namespaces !== undefined) return selects(namespaces, party.namespaceLabels);
  return (
    selects(pods!.namespaceSelector, party.namespaceLabels) &&
    selects(pods!.podSelector, party.pod.metadata.labels)
  );
}

function isClusterPort(wanted: ClusterProtocol, { packet, destination }: Matching): boolean {
  if (wanted.destinationNamedPort !== undefined) {
    const named = portsCalled(destination, wanted.destinationNamedPort, packet.protocol);
    return named.includes(packet.port);
  }
  const name = packet.protocol.toLowerCase() as 'tcp' | 'udp' | 'sctp';
  const given = wanted[name];
  if (given === undefined) return false;
  const port = given.destinationPort;
  if (port === undefined) return true;
  if ('number' in port) return port.number === packet.port;
  return packet.port >= port.range.start && packet.port <= port.range.end;
}

function portsCalled({ pod }: Party, name: string, protocol: string): number[] {
  const ports = (pod?.spec.containers ?? []).flatMap((container) => container.ports ?? []);
  return ports
    .filter((port) => port.name === name && (port.protocol ?? 'TCP') === protocol)
    .map((port) => port.containerPort);
}

function partyAt({ namespaces, pods }: Cluster, ip: string): Party {
  const pod =
    pods.find(
      ({ spec, status }) =>
        spec.hostNetwork !== true &&
        status.phase !== 'Succeeded' &&
        status.phase !== 'Failed' &&
        status.podIPs.some((each) => each.ip === ip),
    ) ?? null;
  if (pod === null) return { ip, pod, namespaceLabels: {} };
  const name = pod.metadata.namespace;
  const labels = namespaces.find(({ metadata }) => metadata.name === name)?.metadata.labels ?? {};
  return { ip, pod, namespaceLabels: { ...labels, 'kubernetes.io/metadata.name': name } };
}

function selects(selector: Selector, labels: Record<string, string> = {}): boolean {
  const { matchLabels = {}, matchExpressions = [] } = selector;
  for (const key in matchLabels) if (labels[key] !== matchLabels[key]) return false;
  for (const { key, operator, values = [] } of matchExpressions) {
    const value = labels[key];
    if (operator === 'Exists' && value === undefined) return false;
    if (operator === 'DoesNotExist' && value !== undefined) return false;
    if (operator === 'In' && (value === undefined || !values.includes(value))) return false;
    if (operator === 'NotIn' && value !== undefined && values.includes(value)) return false;
  }
  return true;
}

function within(network: string, ip: string): boolean {
  const [base = '', length = ''] = network.split('/');
  if (base.includes(':') !== ip.includes(':')) return false;
  const size = ip.includes(':') ? 128n : 32n;
  const rest = size - BigInt(length);
  return numberOf(base) >> rest === numberOf(ip) >> rest;
}

function numberOf(ip: string): bigint {
  if (!ip.includes(':')) return ip.split('.').reduce((sum, part) => sum * 256n + BigInt(part), 0n);
  const [head = '', tail] = ip.split('::');
  const words = (text: string) => (text === '' ? [] : text.split(':'));
  const [before, after] = [words(head), words(tail ?? '')];
  const zeros = tail === undefined ? 0 : 8 - before.length - after.length;
  const all = [...before, ...Array.from({ length: zeros }, () => '0'), ...after];
  return all.reduce((sum, word) => sum * 65_536n + BigInt(`0x${word}`), 0n);
}
