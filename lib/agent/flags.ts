// SPDX-License-Identifier: Apache-2.0
import { SluiceError } from '../errors.js';
import { parseInterfaceSpec } from '../model/interface-spec.js';
import { parseRouteSpec } from '../model/route-spec.js';
import { NO_SERVER } from './bind-address.js';
import { type AgentConfiguration, checkConfiguration } from './configuration.js';
import { API_VERSION, KIND } from './configuration-schema.js';
import { STRANGE_FLAGS } from './strange-keys.js';

/** A flag, and the key of the configuration that it sets. */
export interface ConfigurationFlag {
  flag: string;
  /** `options.workers`, ... */
  key: string;
  /** What stands behind it; `list`: commas part items, and it may be repeated. */
  value: 'text' | 'number' | 'boolean' | 'list' | 'specs';
  /** `<address>`, ... */
  placeholder: string;
  help: string;
}

const row = (
  flag: string,
  key: string,
  value: ConfigurationFlag['value'],
  placeholder: string,
  help: string,
): ConfigurationFlag => ({ flag, key, value, placeholder, help });

/** In the order of `--help`. Names are kube-proxy's where the meaning is the same. */
export const CONFIGURATION_FLAGS: readonly ConfigurationFlag[] = [
  row(
    '--kubeconfig',
    'clientConnection.kubeconfig',
    'text',
    '<file>',
    'how to reach the API server; default: the service account of the pod',
  ),
  row(
    '--master',
    'clientConnection.master',
    'text',
    '<url>',
    'API server, in place of that of the kubeconfig',
  ),
  row(
    '--kube-api-qps',
    'clientConnection.qps',
    'number',
    '<rate>',
    'requests a second to the API server; default 50',
  ),
  row(
    '--kube-api-burst',
    'clientConnection.burst',
    'number',
    '<count>',
    'requests at once to the API server; default 100',
  ),
  row(
    '--hostname-override',
    'hostnameOverride',
    'text',
    '<name>',
    'name of the Node object; default: the host name',
  ),
  row(
    '--nodeport-addresses',
    'nodePortAddresses',
    'list',
    '<networks>',
    'where node ports are served: networks, all (default), primary',
  ),
  row(
    '--cluster-cidr',
    'clusterCIDR',
    'text',
    '<networks>',
    'networks of the pods of the cluster, one of each family',
  ),
  row(
    '--detect-local-mode',
    'detectLocalMode',
    'text',
    '<mode>',
    'ClusterCIDR (default), NodeCIDR, BridgeInterface or InterfaceNamePrefix',
  ),
  row(
    '--pod-bridge-interface',
    'detectLocal.bridgeInterface',
    'text',
    '<name>',
    'with BridgeInterface: interface that local pods are behind',
  ),
  row(
    '--pod-interface-name-prefix',
    'detectLocal.interfaceNamePrefix',
    'text',
    '<prefix>',
    'with InterfaceNamePrefix: what interfaces of local pods are called',
  ),
  row(
    '--masquerade-all',
    'masqueradeAll',
    'boolean',
    '[boolean]',
    'rewrite the source of everything that goes to a cluster IP',
  ),
  row(
    '--conntrack-max-per-core',
    'conntrack.maxPerCore',
    'number',
    '<count>',
    'connections of each family for each CPU',
  ),
  row(
    '--conntrack-min',
    'conntrack.min',
    'number',
    '<count>',
    'connections of each family at least',
  ),
  row(
    '--conntrack-tcp-timeout-established',
    'conntrack.tcpEstablishedTimeout',
    'text',
    '<duration>',
    'idle TCP connections; default 24h',
  ),
  row(
    '--conntrack-tcp-timeout-close-wait',
    'conntrack.tcpCloseWaitTimeout',
    'text',
    '<duration>',
    'TCP connections of which one side has ended; default 1h',
  ),
  row(
    '--conntrack-tcp-be-liberal',
    'conntrack.tcpBeLiberal',
    'boolean',
    '[boolean]',
    'always true: no packet is refused for being out of window',
  ),
  row(
    '--conntrack-udp-timeout',
    'conntrack.udpTimeout',
    'text',
    '<duration>',
    'UDP flows that nobody has answered; default 30s',
  ),
  row(
    '--conntrack-udp-timeout-stream',
    'conntrack.udpStreamTimeout',
    'text',
    '<duration>',
    'UDP flows that have been answered; default 2m',
  ),
  row(
    '--healthz-bind-address',
    'healthzBindAddress',
    'text',
    '<address>',
    'where health is served; default 0.0.0.0:10256; none or empty: nowhere',
  ),
  row(
    '--metrics-bind-address',
    'metricsBindAddress',
    'text',
    '<address>',
    'where metrics are served; default 127.0.0.1:10249; none or empty: nowhere',
  ),
  row(
    '--bind-address-hard-fail',
    'bindAddressHardFail',
    'boolean',
    '[boolean]',
    'end if one of these addresses cannot be bound',
  ),
  row(
    '--sync-period',
    'syncPeriod',
    'text',
    '<duration>',
    'after which time a failed update is tried again; default 30s',
  ),
  row(
    '--min-sync-period',
    'minSyncPeriod',
    'text',
    '<duration>',
    'least time between two updates; default 10ms',
  ),
  row(
    '--drain-period',
    'drainPeriod',
    'text',
    '<duration>',
    'how long /healthz fails before SIGTERM ends the agent; default 0s',
  ),
  row(
    '--service-proxy-name',
    'serviceProxyName',
    'text',
    '<name>',
    'serve only services that are labelled for this proxy',
  ),
  row('--policy', 'policy', 'boolean', '[boolean]', 'enforce network policies; default true'),
  row(
    '--interface',
    'interfaces',
    'specs',
    '<spec>',
    'attach KIND:NAME[,key=value...]; may be repeated',
  ),
  row(
    '--route',
    'routes',
    'specs',
    '<spec>',
    'add PREFIX,via=ADDRESS or PREFIX,dev=NAME; may be repeated',
  ),
  row('--engine', 'engine', 'text', '<engine>', 'auto (default), dpdk or software'),
  row('--workers', 'options.workers', 'number', '<count>', 'worker threads of the dpdk engine'),
  row('--control', 'control', 'text', '<path>', 'control socket'),
  row('--lock-file', 'lockFile', 'text', '<path>', 'socket that lets one agent be on a node'),
  row(
    '--log-level',
    'logging.level',
    'text',
    '<level>',
    'fatal, error, warn, info (default), debug, trace or silent',
  ),
];

/** What was given for each flag, by its name (`--cluster-cidr`). `true`: nothing stood behind it. */
export type GivenFlags = Readonly<Record<string, string | readonly string[] | boolean | undefined>>;

const SERVERS = ['healthzBindAddress', 'metricsBindAddress'];

/**
 * The configuration that flags alone make.
 * @throws SluiceError `ERR_OPTIONS`, `ERR_INTERFACE_SPEC`, `ERR_ROUTE_SPEC`; paths are flags:
 * `--nodeport-addresses[1]`
 */
export function configurationOfFlags(given: GivenFlags): AgentConfiguration {
  refuseStrange(given);
  const value: Record<string, unknown> = { apiVersion: API_VERSION, kind: KIND };
  for (const { flag, key, value: shape } of CONFIGURATION_FLAGS) {
    const text = given[flag];
    if (text === undefined) continue;
    if (text === '' && SERVERS.includes(key)) set(value, key, NO_SERVER);
    else set(value, key, shape === 'specs' ? specs(flag, text as string[]) : read(shape, text));
  }
  return checkConfiguration(value, flagOf, 'ERR_OPTIONS');
}

function refuseStrange(given: GivenFlags): void {
  for (const [flag, why] of Object.entries(STRANGE_FLAGS)) {
    if (given[flag] === undefined) continue;
    throw new SluiceError('ERR_OPTIONS', `no flag of Sluice: ${why}`, { path: flag });
  }
}

/** What is no number or boolean stays as it is, so that the check can show what was found. */
function read(shape: ConfigurationFlag['value'], given: NonNullable<GivenFlags[string]>): unknown {
  if (shape === 'list')
    return (given as readonly string[])
      .flatMap((text) => text.split(','))
      .map((text) => text.trim())
      .filter((text) => text !== '');
  if (shape === 'boolean') return given === 'true' || (given === 'false' ? false : given);
  if (shape === 'number' && /^-?[0-9]+(\.[0-9]+)?$/.test(String(given))) return Number(given);
  return given;
}

function specs(flag: string, texts: readonly string[]): unknown[] {
  const parse = flag === '--route' ? parseRouteSpec : parseInterfaceSpec;
  return texts.map((text, index) => parse(text, `${flag}[${index}]`));
}

function set(object: Record<string, unknown>, key: string, value: unknown): void {
  const [head, tail] = key.split('.') as [string, string?];
  if (tail === undefined) object[head] = value;
  else object[head] = { ...(object[head] as object | undefined), [tail]: value };
}

/** `nodePortAddresses[1]` is `--nodeport-addresses[1]`. */
function flagOf(path: string): string {
  const row = CONFIGURATION_FLAGS.find(
    ({ key }) => path.startsWith(key) && !/^\w/.test(path.slice(key.length)),
  );
  return row === undefined ? path : `${row.flag}${path.slice(row.key.length)}`;
}
