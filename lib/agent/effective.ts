// SPDX-License-Identifier: Apache-2.0
import { stringify } from 'yaml';
import { SluiceError } from '../errors.js';
import { isObjectName } from '../model/check-name.js';
import { show } from '../model/explain.js';
import { isPlainObject } from '../model/fields.js';
import type { InterfaceSpec, NodeSpec, RouteSpec } from '../model/model.js';
import { checkProxyOptions, openOptionsOf, type ProxyOptions } from '../proxy/options.js';
import { type BindAddress, NO_SERVER, parseBindAddress } from './bind-address.js';
import {
  type AgentConfiguration,
  checkConfiguration,
  clusterNetworks,
  readAgentConfiguration,
} from './configuration.js';
import {
  configurationSchema,
  type DETECT_LOCAL_MODES,
  type LOG_LEVELS,
  MAX_NODE_NAME,
  nodeNameOf,
} from './configuration-schema.js';
import { withConntrack, withoutConntrack } from './conntrack.js';
import { parseDuration } from './duration.js';
import { configurationOfFlags, type GivenFlags } from './flags.js';
import { HEALTH_PORT } from './health-server.js';
import { type DetectLocal, detectLocalWarnings, scopedInterface } from './local-scope.js';
import { METRICS_PORT } from './metrics-server.js';

/** What the agent runs by: file and flags as one, every default filled in. Durations are milliseconds. */
export interface EffectiveConfiguration {
  /** Name of our Node object. */
  nodeName: string;
  api: {
    /** Path of a kubeconfig file; `null`: none. Neither this nor `master`: from within the cluster. */
    kubeconfig: string | null;
    /** URL; `null`: that of the kubeconfig. */
    master: string | null;
    /** Requests a second; `null`: no limit. */
    qps: number | null;
    burst: number;
  };
  /** `null`: there is no such server. */
  healthz: BindAddress | null;
  metrics: BindAddress | null;
  bindAddressHardFail: boolean;
  syncPeriod: number;
  /** 0: none. */
  minSyncPeriod: number;
  drainPeriod: number;
  /** `null`: only what no other proxy is named for. */
  serviceProxyName: string | null;
  policy: boolean;
  detectLocal: DetectLocal;
  /** `podNetworks` are the `podCIDRs` of the Node object. */
  podNetworksFromNode: boolean;
  /** What is known of the node besides its Node object: what is there goes before that. */
  node: NodeSpec;
  /** With the scope that `detectLocal` gives them. */
  interfaces: InterfaceSpec[];
  routes: RouteSpec[];
  /** Engine and limits, for `ServiceProxy.open`. */
  open: ProxyOptions;
  control: string;
  lockFile: string;
  logLevel: (typeof LOG_LEVELS)[number];
  /** What is probably not meant. */
  warnings: string[];
  /** The same as a configuration file has it. */
  document: AgentConfiguration;
}

/** What defaults are made of. */
export interface Surroundings {
  hostname: string;
  cpus: number;
  /** Default paths. */
  control: string;
  lockFile: string;
}

const DEFAULT_QPS = 50;
const DEFAULT_BURST = 100;

const DEFAULTS = {
  detectLocalMode: 'ClusterCIDR',
  nodePortAddresses: ['all'],
  masqueradeAll: false,
  healthzBindAddress: `0.0.0.0:${HEALTH_PORT}`,
  metricsBindAddress: `127.0.0.1:${METRICS_PORT}`,
  bindAddressHardFail: false,
  syncPeriod: '30s',
  minSyncPeriod: '5ms',
  drainPeriod: '0s',
  policy: true,
  engine: 'auto',
} as const satisfies Partial<Record<keyof AgentConfiguration, unknown>>;

/**
 * Reads the configuration file that `--config` names, if it is given. The command line has the last
 * word on every key; interfaces and routes it adds to those of the file.
 *
 * @throws SluiceError `ERR_OPTIONS` (path: the flag), `ERR_CONFIG` (path: file and key),
 * `ERR_INTERFACE_SPEC`, `ERR_ROUTE_SPEC`
 */
export async function effectiveConfiguration(
  flags: GivenFlags,
  surroundings: Surroundings,
): Promise<EffectiveConfiguration> {
  const ofFlags = configurationOfFlags(flags);
  const file = flags['--config'];
  const ofFile = typeof file === 'string' ? await readAgentConfiguration(file) : {};
  return resolve(merge(ofFile, ofFlags), surroundings);
}

/** The configuration as YAML that `--config` reads back as the same. */
export function formatConfiguration({ document }: EffectiveConfiguration): string {
  return stringify(document, { aliasDuplicateObjects: false });
}

/** The configuration for those who may see it and not more: secrets of interfaces are left out. */
export function shownConfiguration({ document }: EffectiveConfiguration): AgentConfiguration {
  const interfaces = document.interfaces!.map((spec) =>
    spec.secret === undefined ? spec : { ...spec, secret: '...' },
  );
  return { ...document, interfaces };
}

/** Section by section, `above` goes first. */
function merge(below: Partial<AgentConfiguration>, above: AgentConfiguration): AgentConfiguration {
  const merged: AgentConfiguration = {
    ...below,
    ...above,
    clientConnection: { ...below.clientConnection, ...above.clientConnection },
    detectLocal: { ...below.detectLocal, ...above.detectLocal },
    conntrack: { ...below.conntrack, ...above.conntrack },
    logging: { ...below.logging, ...above.logging },
    node: { ...below.node, ...above.node },
    options: { ...withoutConntrack(below.options ?? {}, above.conntrack ?? {}), ...above.options },
    interfaces: [...(below.interfaces ?? []), ...(above.interfaces ?? [])],
    routes: [...(below.routes ?? []), ...(above.routes ?? [])],
  };
  return checkConfiguration(merged, (path) => path, 'ERR_CONFIG');
}

function resolve(given: AgentConfiguration, surroundings: Surroundings): EffectiveConfiguration {
  const { apiVersion, kind, clientConnection: client = {}, ...more } = given;
  const { logging = {}, conntrack = {}, ...rest } = more;
  const merged = { ...DEFAULTS, ...rest };
  const [syncPeriod, minSyncPeriod] = periods(merged);
  const nodeName = nameOfNode(given.hostnameOverride, surroundings.hostname);
  const detectLocal = detectLocalOf(merged);
  const interfaces = given.interfaces!.map((spec) => scopedInterface(spec, detectLocal));
  const options = withConntrack(given.options!, conntrack, surroundings.cpus);
  const open = openOptionsOf(merged.engine, options);
  const qps = client.qps || DEFAULT_QPS;
  const burst = client.burst || DEFAULT_BURST;
  const control = given.control ?? surroundings.control;
  const lockFile = given.lockFile ?? surroundings.lockFile;
  const level = logging.level ?? 'info';
  return {
    nodeName,
    api: {
      kubeconfig: client.kubeconfig ?? null,
      master: client.master ?? null,
      qps: qps < 0 ? null : qps,
      burst,
    },
    healthz: serverOf(merged.healthzBindAddress, HEALTH_PORT),
    metrics: serverOf(merged.metricsBindAddress, METRICS_PORT),
    bindAddressHardFail: merged.bindAddressHardFail,
    syncPeriod,
    minSyncPeriod,
    drainPeriod: parseDuration(merged.drainPeriod)!,
    serviceProxyName: given.serviceProxyName ?? null,
    policy: merged.policy,
    detectLocal,
    podNetworksFromNode: detectLocal.mode === 'NodeCIDR',
    node: {
      ...given.node,
      name: nodeName,
      nodePortAddresses: [...merged.nodePortAddresses],
      masqueradeAll: merged.masqueradeAll,
      ...(detectLocal.mode === 'ClusterCIDR' && { podNetworks: [...detectLocal.networks] }),
    },
    interfaces,
    routes: given.routes!,
    open,
    control,
    lockFile,
    logLevel: level,
    warnings: detectLocalWarnings(detectLocal, given, interfaces),
    document: inOrder({
      apiVersion,
      kind,
      ...merged,
      nodePortAddresses: [...merged.nodePortAddresses],
      clientConnection: { ...client, qps, burst },
      hostnameOverride: nodeName,
      logging: { level },
      conntrack: { tcpBeLiberal: true },
      options: checkProxyOptions(open).engine,
      control,
      lockFile,
    }),
  };
}

/** Keys in the order of the reference; sections with nothing in them are left out. */
function inOrder(document: AgentConfiguration): AgentConfiguration {
  const keys = Object.keys(configurationSchema.shape) as (keyof AgentConfiguration)[];
  const entries = keys.map((key) => [key, document[key]] as const);
  return Object.fromEntries(
    entries.filter(([, value]) => !isEmpty(value)),
  ) as unknown as AgentConfiguration;
}

function isEmpty(value: unknown): boolean {
  return value === undefined || (isPlainObject(value) && Object.keys(value).length === 0);
}

function periods(merged: { syncPeriod: string; minSyncPeriod: string }): [number, number] {
  const [sync, min] = [parseDuration(merged.syncPeriod)!, parseDuration(merged.minSyncPeriod)!];
  if (min <= sync) return [sync, min];
  const message = `expected at most syncPeriod, which is ${merged.syncPeriod}, found ${show(merged.minSyncPeriod)}`;
  throw new SluiceError('ERR_CONFIG', message, { path: 'minSyncPeriod' });
}

function nameOfNode(override: string | undefined, hostname: string): string {
  const name = nodeNameOf(override ?? hostname);
  if (isObjectName(name, MAX_NODE_NAME)) return name;
  const message = `the host name ${show(hostname)} is no name of a Node object; give the name`;
  throw new SluiceError('ERR_CONFIG', message, { path: 'hostnameOverride' });
}

function detectLocalOf(merged: {
  detectLocalMode: (typeof DETECT_LOCAL_MODES)[number];
  clusterCIDR?: string | undefined;
  detectLocal?: AgentConfiguration['detectLocal'];
}): DetectLocal {
  const { detectLocalMode: mode, clusterCIDR, detectLocal = {} } = merged;
  if (mode === 'NodeCIDR') return { mode };
  if (mode === 'ClusterCIDR')
    return { mode, networks: clusterCIDR === undefined ? [] : clusterNetworks(clusterCIDR) };
  const key = mode === 'BridgeInterface' ? 'bridgeInterface' : 'interfaceNamePrefix';
  const text = detectLocal[key];
  if (text !== undefined) return { mode, text };
  const message = `expected a name, for detectLocalMode is ${mode}, found nothing`;
  throw new SluiceError('ERR_CONFIG', message, { path: `detectLocal.${key}` });
}

function serverOf(text: string, port: number): BindAddress | null {
  return text === NO_SERVER ? null : parseBindAddress(text, port);
}
