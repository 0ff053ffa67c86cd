// SPDX-License-Identifier: Apache-2.0
import { readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import test from 'ava';
import { CONFIGURATION_PATHS, parseAgentConfiguration } from '../../lib/agent/configuration.js';
import { CONFIGURATION_FLAGS, type GivenFlags } from '../../lib/agent/flags.js';
import { STRANGE_FLAGS } from '../../lib/agent/strange-keys.js';
import { SluiceError } from '../../lib/errors.js';
import { effective, effectiveOf, HEAD } from '../support/agent-configuration.js';
import { command, folderOf } from '../support/cli.js';
import { KUBE_PROXY_FLAGS } from '../support/kube-proxy.js';

test('every flag sets its key', async (t) => {
  const {
    document: _,
    open,
    ...rest
  } = await effective({
    '--kubeconfig': 'k.yaml',
    '--master': 'https://10.0.0.1:6443',
    '--kube-api-qps': '7.5',
    '--kube-api-burst': '8',
    '--hostname-override': 'Worker-1',
    '--nodeport-addresses': ['10.0.0.0/8, 11.0.0.0/8', 'primary'],
    '--cluster-cidr': '10.1.0.0/16,fd00:1::/48',
    '--detect-local-mode': 'InterfaceNamePrefix',
    '--pod-bridge-interface': 'br0',
    '--pod-interface-name-prefix': 'web',
    '--masquerade-all': true,
    '--conntrack-max-per-core': '5',
    '--conntrack-min': '100',
    '--conntrack-tcp-timeout-established': '2h',
    '--conntrack-tcp-timeout-close-wait': '1m',
    '--conntrack-tcp-be-liberal': 'true',
    '--conntrack-udp-timeout': '7s',
    '--conntrack-udp-timeout-stream': '8s',
    '--healthz-bind-address': '127.0.0.1',
    '--metrics-bind-address': '[::]:1',
    '--bind-address-hard-fail': 'true',
    '--sync-period': '3s',
    '--min-sync-period': '2s',
    '--drain-period': '1s',
    '--service-proxy-name': 'sluice',
    '--policy': 'false',
    '--interface': ['memory:web-1', 'memory:up,address=10.0.0.1/24'],
    '--route': ['10.9.0.0/16,via=10.0.0.9'],
    '--engine': 'software',
    '--workers': '3',
    '--control': '/c',
    '--lock-file': '/l',
    '--log-level': 'trace',
  });
  t.like(rest, {
    nodeName: 'worker-1',
    api: { kubeconfig: 'k.yaml', master: 'https://10.0.0.1:6443', qps: 7.5, burst: 8 },
    healthz: { host: '127.0.0.1', port: 10256 },
    metrics: { host: null, port: 1 },
    bindAddressHardFail: true,
    syncPeriod: 3_000,
    minSyncPeriod: 2_000,
    drainPeriod: 1_000,
    serviceProxyName: 'sluice',
    policy: false,
    detectLocal: { mode: 'InterfaceNamePrefix', text: 'web' },
    node: {
      name: 'worker-1',
      nodePortAddresses: ['10.0.0.0/8', '11.0.0.0/8', 'primary'],
      masqueradeAll: true,
    },
    interfaces: [
      { kind: 'memory', name: 'web-1', scope: 'pod' },
      { kind: 'memory', name: 'up', addresses: ['10.0.0.1/24'] },
    ],
    routes: [{ prefix: '10.9.0.0/16', via: '10.0.0.9' }],
    control: '/c',
    lockFile: '/l',
    logLevel: 'trace',
  });
  t.deepEqual(open, {
    engine: 'software',
    workers: 3,
    flows: 100,
    flows6: 100,
    timeouts: { tcpEstablished: 7_200, tcpCloseWait: 60, udpUnreplied: 7, udpStream: 8 },
  });
});

test('every flag names a key that there is', (t) => {
  for (const { flag, key } of CONFIGURATION_FLAGS)
    t.true(CONFIGURATION_PATHS.includes(key) || key === 'options.workers', flag);
});

test('every flag of kube-proxy is known, or it is said why not', (t) => {
  const known = [...CONFIGURATION_FLAGS.map(({ flag }) => flag), '--config', '--cleanup'];
  known.push('--write-config-to');
  for (const flag of KUBE_PROXY_FLAGS)
    t.true(known.includes(flag) !== (STRANGE_FLAGS[flag] !== undefined), flag);
});

const FILE = `${HEAD}
hostnameOverride: of-file
clientConnection: { kubeconfig: of-file, qps: 3 }
nodePortAddresses: [primary]
masqueradeAll: true
healthzBindAddress: 127.0.0.1:1
interfaces: ["memory:of-file"]
routes: ["10.1.0.0/16,dev=of-file"]
options: { workers: 4, flows: 99, mbufs: 2048, timeouts: { tcpEstablished: 5, icmp: 6 } }
`;

test('the command line has the last word; interfaces and routes are added', async (t) => {
  const of = await effectiveOf(t, FILE, {
    '--hostname-override': 'of-flag',
    '--kubeconfig': 'of-flag',
    '--nodeport-addresses': ['all'],
    '--masquerade-all': 'false',
    '--healthz-bind-address': '',
    '--interface': ['memory:of-flag'],
    '--route': ['10.2.0.0/16,dev=of-flag'],
    '--workers': '2',
    '--conntrack-min': '50',
    '--conntrack-tcp-timeout-established': '9s',
  });
  t.like(of, {
    nodeName: 'of-flag',
    api: { kubeconfig: 'of-flag', qps: 3 },
    healthz: null,
    node: { name: 'of-flag', nodePortAddresses: ['all'], masqueradeAll: false },
  });
  t.deepEqual(
    of.interfaces.map(({ name }) => name),
    ['of-file', 'of-flag'],
  );
  t.is(of.routes.length, 2);
  t.deepEqual(of.open, {
    engine: 'auto',
    workers: 2,
    flows: 50,
    flows6: 50,
    mbufs: 2048,
    timeouts: { tcpEstablished: 9, icmp: 6 },
  });
  const untouched = await effectiveOf(t, FILE, { '--hostname-override': '' });
  t.is(untouched.nodeName, 'of-file');
});

test('interfaces of the file and of flags must not have the same name', async (t) => {
  const both = effectiveOf(t, FILE, { '--interface': ['memory:of-file'] });
  const error = await t.throwsAsync(both, { code: 'ERR_INTERFACE_SPEC' });
  t.is((error as SluiceError).path, 'interfaces[1].name');
});

const WRONG: [GivenFlags, path: string, message: string][] = [
  [{ '--cluster-cidr': 'x' }, '--cluster-cidr', 'such as 10.244.0.0/16'],
  [{ '--nodeport-addresses': ['all,10.0.0.1/8'] }, '--nodeport-addresses[1]', '10.0.0.0/8'],
  [{ '--conntrack-min': 'x' }, '--conntrack-min', 'a whole number from 0 to 16777216, found "x"'],
  [{ '--conntrack-udp-timeout': '1' }, '--conntrack-udp-timeout', 'whole seconds'],
  [{ '--conntrack-tcp-be-liberal': 'false' }, '--conntrack-tcp-be-liberal', 'expected true'],
  [{ '--kube-api-qps': 'fast' }, '--kube-api-qps', 'a number of requests a second'],
  [{ '--masquerade-all': 'maybe' }, '--masquerade-all', 'expected true or false, found "maybe"'],
  [{ '--detect-local-mode': 'node' }, '--detect-local-mode', 'NodeCIDR'],
  [{ '--interface': ['memory:a', 'tap'] }, '--interface[1]', 'did you mean tap:NAME?'],
  [{ '--interface': ['memory:a,mtu=1'] }, '--interface[0].mtu', 'from 576'],
  [{ '--interface': ['memory:a', 'memory:a'] }, '--interface[1].name', 'must differ'],
  [{ '--route': ['10.0.0.0/8'] }, '--route[0].via', 'via'],
  [{ '--workers': '0' }, '--workers', 'from 1 to 64, found 0'],
  [{ '--engine': 'dppk' }, '--engine', 'did you mean dpdk?'],
  [{ '--log-level': 'loud' }, '--log-level', 'expected fatal'],
  [{ '--healthz-bind-address': ':http' }, '--healthz-bind-address', '127.0.0.1:10256'],
  [{ '--proxy-mode': 'ipvs' }, '--proxy-mode', 'no flag of Sluice'],
  [{ '--iptables-min-sync-period': '1s' }, '--iptables-min-sync-period', '--min-sync-period'],
  [{ '--v': '4' }, '--v', '--log-level'],
];

test('what is wrong is named by its flag, with what would be right', async (t) => {
  for (const [flags, path, message] of WRONG) {
    const error = await t.throwsAsync(effective(flags), { instanceOf: SluiceError });
    t.is(error.path, path);
    t.true(error.message.includes(message), error.message);
  }
});

test('flags as kube-proxy is started with are understood; the configuration in force is written', async (t) => {
  const folder = await folderOf(t);
  const file = join(folder, 'in-force.yaml');
  const flags = [
    ...['--hostname-override=node-1', '--masquerade-all=true', '--nodeport-addresses=primary'],
    ...['--cluster-cidr', '10.1.0.0/16', '--bind-address-hard-fail', '--policy', 'false'],
  ];
  t.like(await command('agent', ...flags, '--write-config-to', file), { code: 0, stdout: '' });
  t.is((await stat(file)).mode & 0o777, 0o600);
  const text = await readFile(file, 'utf8');
  t.like(parseAgentConfiguration(text, file), {
    hostnameOverride: 'node-1',
    masqueradeAll: true,
    bindAddressHardFail: true,
    policy: false,
    clusterCIDR: '10.1.0.0/16',
    nodePortAddresses: ['primary'],
    detectLocalMode: 'ClusterCIDR',
  });
  const printed = await command('agent', '--config', file, '--write-config-to', '-');
  t.deepEqual(printed, { code: 0, stdout: text, stderr: '' });
  const nowhere = await command('agent', '--write-config-to', join(folder, 'no/file'));
  t.is(nowhere.code, 2);
  t.regex(nowhere.stderr, /^sluice: --write-config-to .*no\/file: cannot be written/);
});

const REFUSED: [words: string[], message: RegExp][] = [
  [['--masquerade-al'], /Did you mean --masquerade-all\?/],
  [['--masquerade-all', 'x'], /^sluice: --masquerade-all: expected true or false, found "x"/],
  [['--cleanup=x'], /^sluice: --cleanup: expected true or false/],
  [['--proxy-mode=ipvs'], /^sluice: --proxy-mode: no flag of Sluice/],
  [['-v', '4'], /^sluice: --v: no flag of Sluice: --log-level says it/],
  [['--config', '/nowhere'], /^sluice: \/nowhere: there is no such file \(ERR_CONFIG\)/],
  [['extra'], /too many arguments/],
];

test('wrong usage ends with 2', async (t) => {
  for (const [words, message] of REFUSED) {
    const { code, stderr, stdout } = await command('agent', ...words);
    t.is(code, 2, words.join(' '));
    t.is(stdout, '');
    t.regex(stderr, message);
  }
  const file = join(await folderOf(t), 'agent.yaml');
  await writeFile(file, `${HEAD}mode: ipvs\n`);
  const { code, stderr } = await command('agent', '--config', file);
  t.is(code, 2);
  t.true(stderr.startsWith(`sluice: ${file}: mode: unknown key "mode": `), stderr);
});
