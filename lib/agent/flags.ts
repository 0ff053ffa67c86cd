// SPDX-License-Identifier: Apache-2.0
import { SluiceError } from '../errors.js';
import { parseInterfaceSpec } from '../model/interface-spec.js';
import { parseRouteSpec } from '../model/route-spec.js';
import { NO_SERVER } from './bind-address.js';
import { type AgentConfiguration, checkConfiguration } from './configuration.js';
import { API_VERSION, descriptionOf, KIND } from './configuration-schema.js';
import { STRANGE_FLAGS } from './strange-keys.js';

/** A flag, and the key of the configuration that it sets. */
export interface ConfigurationFlag {
  flag: string;
  /** Path: `conntrack.min`. */
  key: string;
  /** What stands behind it; `list`: commas part items. `list` and `specs` may be repeated. */
  value: 'text' | 'number' | 'boolean' | 'list' | 'specs';
  /** `<address>`, ... */
  placeholder: string;
}

/** In the order of `--help`. Names are kube-proxy's where the meaning is the same. */
export const CONFIGURATION_FLAGS: readonly ConfigurationFlag[] = (
  [
    ['--kubeconfig', 'clientConnection.kubeconfig', 'text', '<file>'],
    ['--master', 'clientConnection.master', 'text', '<url>'],
    ['--kube-api-qps', 'clientConnection.qps', 'number', '<rate>'],
    ['--kube-api-burst', 'clientConnection.burst', 'number', '<count>'],
    ['--hostname-override', 'hostnameOverride', 'text', '<name>'],
    ['--nodeport-addresses', 'nodePortAddresses', 'list', '<networks>'],
    ['--cluster-cidr', 'clusterCIDR', 'text', '<networks>'],
    ['--detect-local-mode', 'detectLocalMode', 'text', '<mode>'],
    ['--pod-bridge-interface', 'detectLocal.bridgeInterface', 'text', '<name>'],
    ['--pod-interface-name-prefix', 'detectLocal.interfaceNamePrefix', 'text', '<prefix>'],
    ['--masquerade-all', 'masqueradeAll', 'boolean', '[boolean]'],
    ['--conntrack-max-per-core', 'conntrack.maxPerCore', 'number', '<count>'],
    ['--conntrack-min', 'conntrack.min', 'number', '<count>'],
    [
      '--conntrack-tcp-timeout-established',
      'conntrack.tcpEstablishedTimeout',
      'text',
      '<duration>',
    ],
    ['--conntrack-tcp-timeout-close-wait', 'conntrack.tcpCloseWaitTimeout', 'text', '<duration>'],
    ['--conntrack-tcp-be-liberal', 'conntrack.tcpBeLiberal', 'boolean', '[boolean]'],
    ['--conntrack-udp-timeout', 'conntrack.udpTimeout', 'text', '<duration>'],
    ['--conntrack-udp-timeout-stream', 'conntrack.udpStreamTimeout', 'text', '<duration>'],
    ['--healthz-bind-address', 'healthzBindAddress', 'text', '<address>'],
    ['--metrics-bind-address', 'metricsBindAddress', 'text', '<address>'],
    ['--bind-address-hard-fail', 'bindAddressHardFail', 'boolean', '[boolean]'],
    ['--sync-period', 'syncPeriod', 'text', '<duration>'],
    ['--min-sync-period', 'minSyncPeriod', 'text', '<duration>'],
    ['--drain-period', 'drainPeriod', 'text', '<duration>'],
    ['--service-proxy-name', 'serviceProxyName', 'text', '<name>'],
    ['--policy', 'policy', 'boolean', '[boolean]'],
    ['--interface', 'interfaces', 'specs', '<spec>'],
    ['--route', 'routes', 'specs', '<spec>'],
    ['--engine', 'engine', 'text', '<engine>'],
    ['--workers', 'options.workers', 'number', '<count>'],
    ['--control', 'control', 'text', '<path>'],
    ['--lock-file', 'lockFile', 'text', '<path>'],
    ['--log-level', 'logging.level', 'text', '<level>'],
  ] as const
).map(([flag, key, value, placeholder]) => ({ flag, key, value, placeholder }));

/** What `--help` says of a flag: what the schema says of its key. */
export function helpOf({ key, value }: ConfigurationFlag): string {
  const description = descriptionOf(key) ?? 'Worker threads of the dpdk engine';
  const text = description.replace(/^[A-Z](?=[a-z ])/, (letter) => letter.toLowerCase());
  return value === 'specs' || value === 'list' ? `${text}; may be repeated` : text;
}

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
