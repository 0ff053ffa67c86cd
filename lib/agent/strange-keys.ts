// SPDX-License-Identifier: Apache-2.0
import { nearest, show, unknownKey } from '../model/explain.js';

const BACKEND = 'it is about a proxy mode of kube-proxy; Sluice is none of them and has no modes';
const TOP_LEVEL = 'masqueradeAll, syncPeriod and minSyncPeriod stand at the top level here';
const KLOG = 'logs are JSON lines on stderr; logging.level says from which level on';
const BY_RUN = 'it belongs to `sluice run`; the agent serves what the API server has';

/**
 * Keys that a configuration may be expected to have, and why it has not: those of kube-proxy that mean
 * nothing here, and those that have another name here.
 */
export const STRANGE_KEYS: Readonly<Record<string, string>> = {
  mode: BACKEND,
  iptables: `${BACKEND}; ${TOP_LEVEL}`,
  ipvs: `${BACKEND}; ${TOP_LEVEL}`,
  nftables: `${BACKEND}; ${TOP_LEVEL}`,
  winkernel: 'Sluice runs on Linux',
  windows: 'Sluice runs on Linux',
  windowsRunAsService: 'Sluice runs on Linux',
  linux: 'conntrack and masqueradeAll stand at the top level here',
  bindAddress:
    'the primary address is that of the Node object; further addresses of the node stand in node.addresses',
  configSyncPeriod: 'watches bring every change, and nothing is read again in between',
  oomScoreAdj:
    'whoever starts the process sets it: OOMScoreAdjust= of systemd, the QoS class of a pod',
  portRange: 'kube-proxy does not use it, either',
  udpIdleTimeout: 'conntrack.udpTimeout and conntrack.udpStreamTimeout say how long UDP flows last',
  featureGates: 'there are no features that are to be opened',
  enableProfiling: 'there is no profiler at /debug/pprof; `node --inspect` has one',
  showHiddenMetricsForVersion: 'no metrics are hidden',
  'clientConnection.acceptContentTypes': 'JSON is what is spoken',
  'clientConnection.contentType': 'JSON is what is spoken',
  'detectLocal.clusterCIDRs': 'clusterCIDR at the top level has them',
  'logging.format': KLOG,
  'logging.flushFrequency': KLOG,
  'logging.verbosity': KLOG,
  'logging.vmodule': KLOG,
  'logging.options': KLOG,
  'node.name': 'hostnameOverride at the top level has it',
  'node.nodePortAddresses': 'they stand at the top level here',
  'node.masqueradeAll': 'it stands at the top level here',
  'node.podNetworks': 'clusterCIDR, or detectLocalMode: NodeCIDR, says who is a local pod',
  manifests: BY_RUN,
  balancer: BY_RUN,
};

/** Flags of kube-proxy that mean nothing here, and why. */
export const STRANGE_FLAGS: Readonly<Record<string, string>> = {
  '--proxy-mode': STRANGE_KEYS['mode']!,
  '--iptables-sync-period': '--sync-period says it',
  '--iptables-min-sync-period': '--min-sync-period says it',
  '--iptables-masquerade-bit': BACKEND,
  '--iptables-localhost-nodeports': 'node ports are not served at loopback addresses',
  '--ipvs-sync-period': '--sync-period says it',
  '--ipvs-min-sync-period': '--min-sync-period says it',
  '--ipvs-scheduler': BACKEND,
  '--ipvs-exclude-cidrs': BACKEND,
  '--ipvs-strict-arp': BACKEND,
  '--ipvs-tcp-timeout': '--conntrack-tcp-timeout-established says it',
  '--ipvs-tcpfin-timeout': '--conntrack-tcp-timeout-close-wait says it',
  '--ipvs-udp-timeout': '--conntrack-udp-timeout-stream says it',
  '--bind-address': STRANGE_KEYS['bindAddress']!,
  '--healthz-port': '--healthz-bind-address says it',
  '--metrics-port': '--metrics-bind-address says it',
  '--config-sync-period': STRANGE_KEYS['configSyncPeriod']!,
  '--oom-score-adj': STRANGE_KEYS['oomScoreAdj']!,
  '--kube-api-content-type': STRANGE_KEYS['clientConnection.contentType']!,
  '--feature-gates': STRANGE_KEYS['featureGates']!,
  '--profiling': STRANGE_KEYS['enableProfiling']!,
  '--show-hidden-metrics-for-version': STRANGE_KEYS['showHiddenMetricsForVersion']!,
  '--init-only': 'the agent needs its rights while it runs',
  '--logging-format': 'logs are JSON lines on stderr',
  '--v': '--log-level says it',
  '--vmodule': '--log-level says it',
};

/**
 * Says what is wrong with a key that does not exist.
 * @param section - path of the object that it is in; empty: the top level
 * @param known - the keys of that object
 * @param paths - the paths of all keys that there are
 */
export function strangeKey(
  section: string,
  key: string,
  known: readonly string[],
  paths: readonly string[],
): string {
  const why = STRANGE_KEYS[section === '' ? key : `${section}.${key}`];
  if (why !== undefined) return `unknown key ${show(key)}: ${why}`;
  if (nearest(key, known) !== null) return unknownKey(key, known);
  const elsewhere = new Map(paths.map((path) => [path.slice(path.lastIndexOf('.') + 1), path]));
  const meant = nearest(key, [...elsewhere.keys()]);
  if (meant === null) return unknownKey(key, known);
  return `unknown key ${show(key)}; did you mean ${elsewhere.get(meant)}? (known: ${known.join(', ')})`;
}
