// SPDX-License-Identifier: Apache-2.0
import test from 'ava';
import { parseAgentConfiguration } from '../../lib/agent/configuration.js';
import { effectiveConfiguration } from '../../lib/agent/effective.js';
import { type ErrorCode, SluiceError } from '../../lib/errors.js';
import { effective, effectiveOf, HEAD, SURROUNDINGS } from '../support/agent-configuration.js';

const BROKEN: [text: string, path: string, message: string, code?: ErrorCode][] = [
  ['clusterCidr: 10.0.0.0/8', 'clusterCidr', 'did you mean clusterCIDR?'],
  ['hostname: a', 'hostname', 'did you mean hostnameOverride?'],
  ['kubeconfig: a', 'kubeconfig', 'did you mean clientConnection.kubeconfig?'],
  ['level: info', 'level', 'did you mean logging.level?'],
  ['conntrack: { mn: 3 }', 'conntrack.mn', 'did you mean min?'],
  ['xyzzy: 1', 'xyzzy', 'unknown key "xyzzy" (known: apiVersion, kind,'],
  ['node: { zones: a }', 'node.zones', 'did you mean zone?'],
  ['node: { name: a }', 'node.name', 'hostnameOverride at the top level has it'],
  ['options: { flwos: 3 }', 'options.flwos', 'did you mean flows?'],
  ['options: { timeouts: { udp: 3 } }', 'options.timeouts.udp', 'unknown key "udp"'],
  ['options: { flows: 3 }', 'options.flows', 'from 16 to 16,777,216, found 3'],
  ['mode: ipvs', 'mode', 'Sluice is none of them'],
  ['iptables: { masqueradeAll: true }', 'iptables', 'masqueradeAll, syncPeriod'],
  ['configSyncPeriod: 15m', 'configSyncPeriod', 'watches bring every change'],
  ['conntrack: 5', 'conntrack', 'expected an object with maxPerCore, min,'],
  ['conntrack: [1]', 'conntrack', 'found a list'],
  ['conntrack: { min: -1 }', 'conntrack.min', 'expected a whole number from 0'],
  ['conntrack: { min: 1.5 }', 'conntrack.min', 'expected a whole number from 0'],
  ['conntrack: { min: "5" }', 'conntrack.min', 'found "5"'],
  ['conntrack: { tcpBeLiberal: false }', 'conntrack.tcpBeLiberal', 'expected true'],
  ['conntrack: { udpTimeout: 1500ms }', 'conntrack.udpTimeout', 'whole seconds, such as 24h'],
  ['conntrack: { udpTimeout: 30 }', 'conntrack.udpTimeout', 'found 30'],
  ['conntrack: { udpTimeout: -3s }', 'conntrack.udpTimeout', 'found "-3s"'],
  ['conntrack: { tcpEstablishedTimeout: 9000h }', 'conntrack.tcpEstablishedTimeout', '9000h'],
  [
    'conntrack: { min: 50 }\noptions: { flows6: 50 }',
    'conntrack.min',
    'options.flows6 says it already',
  ],
  [
    'conntrack: { udpTimeout: 5s }\noptions: { timeouts: { udpUnreplied: 5 } }',
    'conntrack.udpTimeout',
    'options.timeouts.udpUnreplied says it already',
  ],
  ['clientConnection: { qps: fast }', 'clientConnection.qps', 'a number of requests a second'],
  ['clientConnection: { burst: 1.5 }', 'clientConnection.burst', 'a whole number of requests'],
  ['clientConnection: { master: 10.0.0.1 }', 'clientConnection.master', 'such as https://'],
  [
    'clientConnection: { kubeconfig: 5 }',
    'clientConnection.kubeconfig',
    'expected a path, found 5',
  ],
  ['clientConnection: { contentType: json }', 'clientConnection.contentType', 'JSON is what is'],
  ['hostnameOverride: a b', 'hostnameOverride', 'such as worker-1, found "a b"'],
  ['clusterCIDR: 10.0.0.1/8', 'clusterCIDR', 'write 10.0.0.0/8'],
  ['clusterCIDR: 10.0.0.0/8,11.0.0.0/8', 'clusterCIDR', 'one network of each family'],
  ['clusterCIDR: [10.0.0.0/8]', 'clusterCIDR', 'such as 10.244.0.0/16'],
  ['detectLocalMode: nodeCIDR', 'detectLocalMode', 'did you mean NodeCIDR?'],
  ['detectLocal: { bridgeInterface: sixteen-letters- }', 'detectLocal.bridgeInterface', '1 to 15'],
  ['nodePortAddresses: all', 'nodePortAddresses', 'a list of networks, or all, or primary'],
  ['nodePortAddresses: [all, 3]', 'nodePortAddresses[1]', 'expected a text, found 3'],
  ['nodePortAddresses: [localhost]', 'nodePortAddresses[0]', 'or all, or primary'],
  ['nodePortAddresses: [all, 10.0.0.1/8]', 'nodePortAddresses[1]', 'write 10.0.0.0/8'],
  ['masqueradeAll: yes', 'masqueradeAll', 'expected true or false, found "yes"'],
  ['healthzBindAddress: ":http"', 'healthzBindAddress', 'such as 127.0.0.1:10256'],
  ['metricsBindAddress: "localhost:80"', 'metricsBindAddress', 'or none, found'],
  ['metricsBindAddress: 10249', 'metricsBindAddress', 'found 10249'],
  ['bindAddressHardFail: 1', 'bindAddressHardFail', 'true or false'],
  ['syncPeriod: 30', 'syncPeriod', 'a duration above 0, such as 30s, found 30'],
  ['syncPeriod: 0s', 'syncPeriod', 'a duration above 0'],
  ['minSyncPeriod: 10 ms', 'minSyncPeriod', 'such as 5ms'],
  ['drainPeriod: 1d', 'drainPeriod', 'such as 15s'],
  ['logging: { level: verbose }', 'logging.level', 'expected fatal, error,'],
  ['logging: { verbosity: 4 }', 'logging.verbosity', 'logging.level'],
  ['serviceProxyName: 5', 'serviceProxyName', 'the name of a proxy'],
  ['policy: on', 'policy', 'true or false'],
  ['interfaces: tap:a', 'interfaces', 'expected a list of interfaces'],
  ['interfaces: ["tap:a", "tap:a"]', 'interfaces[1].name', 'must differ', 'ERR_INTERFACE_SPEC'],
  ['interfaces: ["tap"]', 'interfaces[0]', 'KIND:NAME', 'ERR_INTERFACE_SPEC'],
  [
    'interfaces: [{ kind: tap, name: a, mtu: 1 }]',
    'interfaces[0].mtu',
    'from 576',
    'ERR_INTERFACE_SPEC',
  ],
  ['routes: ["10.0.0.0/8"]', 'routes[0].via', 'via', 'ERR_ROUTE_SPEC'],
  ['node: { zone: 5 }', 'node.zone', 'the name of a zone'],
  ['node: { addresses: 10.0.0.1 }', 'node.addresses', 'a list of addresses'],
  ['node: { serviceNetworks: [a] }', 'node.serviceNetworks[0]', 'expected a network'],
  ['engine: dppk', 'engine', 'did you mean dpdk?'],
  [`control: /${'x'.repeat(107)}`, 'control', 'at most 107 bytes'],
  [`lockFile: /${'x'.repeat(107)}`, 'lockFile', 'at most 107 bytes'],
];

test('what is wrong is named by file and key, with what would be right', (t) => {
  for (const [text, path, message, code = 'ERR_CONFIG'] of BROKEN) {
    const error = t.throws(() => parseAgentConfiguration(HEAD + text, 'a.yaml'), {
      instanceOf: SluiceError,
    });
    t.like(error, { path: `a.yaml: ${path}`, code }, text);
    t.true(error.message.includes(message), `${text}: ${error.message}`);
  }
});

const OF_ANOTHER_KIND: [string, string, string][] = [
  ['', 'kind', 'expected AgentConfiguration (of apiVersion sluice.dev/v1alpha1), found nothing'],
  ['kind: AgentConfiguration', 'apiVersion', 'expected sluice.dev/v1alpha1, found nothing'],
  ['apiVersion: sluice.dev/v1\nkind: AgentConfiguration', 'apiVersion', 'found "sluice.dev/v1"'],
  [
    'apiVersion: kubeproxy.config.k8s.io/v1alpha1\nkind: KubeProxyConfiguration\nmode: ipvs',
    'kind',
    'docs/reference/agent.md says what becomes of each key',
  ],
];

test('a file of another kind is refused for that first', (t) => {
  for (const [text, path, message] of OF_ANOTHER_KIND) {
    const error = t.throws(() => parseAgentConfiguration(text, 'a.yaml'));
    t.like(error, { path: `a.yaml: ${path}`, code: 'ERR_CONFIG' });
    t.true(error.message.includes(message), error.message);
  }
  t.like(
    t.throws(() => parseAgentConfiguration('[1]', 'a.yaml')),
    { path: 'a.yaml' },
  );
  t.regex(t.throws(() => parseAgentConfiguration('a: {', 'a.yaml')).message, /not YAML/);
});

test('what only shows when all is together is refused, too', async (t) => {
  const refused = async (text: string, path: string, message: RegExp): Promise<void> => {
    const error = await t.throwsAsync(effectiveOf(t, HEAD + text), { code: 'ERR_CONFIG' });
    t.is((error as SluiceError).path, path);
    t.regex(error.message, message);
  };
  await refused('minSyncPeriod: 31s', 'minSyncPeriod', /at most syncPeriod, which is 30s/);
  await refused('detectLocalMode: BridgeInterface', 'detectLocal.bridgeInterface', /is BridgeInt/);
  await refused(
    'detectLocalMode: InterfaceNamePrefix\ndetectLocal: { bridgeInterface: a }',
    'detectLocal.interfaceNamePrefix',
    /expected a name/,
  );
  const named = effectiveConfiguration({}, { ...SURROUNDINGS, hostname: 'my_host' });
  t.like(await t.throwsAsync(named), { path: 'hostnameOverride' });
  const missing = await t.throwsAsync(effective({ '--config': '/nowhere.yaml' }));
  t.is(missing.message, '/nowhere.yaml: there is no such file');
});
