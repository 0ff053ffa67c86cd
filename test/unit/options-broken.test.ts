// SPDX-License-Identifier: Apache-2.0
import test from 'ava';
import { ENGINE_DEFAULTS } from '../../lib/engine/engine.js';
import { type ErrorCode, SluiceError } from '../../lib/errors.js';
import { parseConfig } from '../../lib/model/config-file.js';
import { checkOpenOptions, fillOptions } from '../../lib/model/options.js';
import { type Row, table } from '../support/broken.js';

const OPTIONS: Row[] = [
  [[], undefined, 'expected an object'],
  [{ engine: 'dppk' }, 'engine', 'did you mean dpdk?'],
  [{ worker: 2 }, 'worker', 'did you mean workers?'],
  [{ workers: 0 }, 'workers', 'from 1 to 64, found 0'],
  [{ flows: 1e9 }, 'flows', 'from 16 to 16,777,216'],
  [{ backends: 1.5 }, 'backends', 'a whole number from 1'],
  [{ memory: '256M' }, 'memory', 'found "256M"'],
  [{ hugepages: true }, 'hugepages', 'expected auto, on or off'],
  [{ flows6: 1 }, 'flows6', 'from 16 to 16,777,216'],
  [{ affinities: 0 }, 'affinities', 'from 1 to'],
  [{ routes: 0 }, 'routes', 'from 1 to'],
  [{ heldPerNeighbour: 0 }, 'heldPerNeighbour', 'from 1 to'],
  [{ heldPackets: 0 }, 'heldPackets', 'from 1 to'],
  [{ fragments: 0 }, 'fragments', 'from 1 to'],
  [{ fragmentPackets: 1e6 }, 'fragmentPackets', 'to 65,536'],
  [{ icmpRate: -1 }, 'icmpRate', 'from 0 to 1,000,000'],
  [{ snatPortMin: 0 }, 'snatPortMin', 'from 1 to 65,535'],
  [{ snatPortMax: 65_536 }, 'snatPortMax', 'from 1 to 65,535'],
  [{ tcpPickup: 1 }, 'tcpPickup', 'true or false'],
  [{ timeouts: { tcp: 30 } }, 'timeouts.tcp', 'tcpSynReceived'],
  [{ timeouts: { udp: 30 } }, 'timeouts.udp', 'udpUnreplied'],
  [{ timeouts: { udpStream: 0 } }, 'timeouts.udpStream', 'seconds from 1 to'],
];

const CONFIGS: [string, ErrorCode, string, string][] = [
  ['[1]', 'ERR_CONFIG', 'a.yaml', 'expected an object with interfaces'],
  ['a: {', 'ERR_CONFIG', 'a.yaml', 'not YAML'],
  ['interface: []', 'ERR_CONFIG', 'a.yaml: interface', 'did you mean interfaces?'],
  ['interfaces: tap:a', 'ERR_CONFIG', 'a.yaml: interfaces', 'expected a list of interfaces'],
  [
    'interfaces: ["tap:a", {kind: tap, name: b, mtu: 1}]',
    'ERR_INTERFACE_SPEC',
    'a.yaml: interfaces[1].mtu',
    'from 576',
  ],
  [
    'interfaces: ["memif:a"]',
    'ERR_INTERFACE_SPEC',
    'a.yaml: interfaces[0].socket',
    'needs a socket',
  ],
  ['routes: ["default"]', 'ERR_ROUTE_SPEC', 'a.yaml: routes[0].via', 'a next hop needs via'],
  ['node: {zone: [a]}', 'ERR_CONFIG', 'a.yaml: node.zone', 'the name of a zone'],
  ['serviceProxyName: 3', 'ERR_CONFIG', 'a.yaml: serviceProxyName', 'the name of a proxy'],
  ['options: {tcpPickup: 1}', 'ERR_CONFIG', 'a.yaml: options.tcpPickup', 'true or false'],
  ['manifests: [3]', 'ERR_CONFIG', 'a.yaml: manifests[0]', 'the path of a manifest'],
  ['engine: fast', 'ERR_CONFIG', 'a.yaml: engine', 'expected auto, dpdk or software'],
  ['options: {flow: 9}', 'ERR_CONFIG', 'a.yaml: options.flow', 'did you mean flows?'],
];

table(
  'options together',
  'ERR_OPTIONS',
  [[{ snatPortMin: 2_000, snatPortMax: 1_999 }, 'snatPortMin', 'at most snatPortMax']],
  (options) => fillOptions(options, ENGINE_DEFAULTS),
);
table('options', 'ERR_OPTIONS', OPTIONS, (options) => checkOpenOptions(options));

for (const [text, code, path, fragment] of CONFIGS) {
  test(`config ${text}: ${fragment}`, (t) => {
    const error = t.throws(() => parseConfig(text, 'a.yaml'), { instanceOf: SluiceError, code });
    t.is(error?.path, path);
    t.true(error?.message.includes(fragment), error?.message);
  });
}
