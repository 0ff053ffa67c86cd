// SPDX-License-Identifier: Apache-2.0
import test from 'ava';
import { Compiler } from '../../lib/compile/compile.js';
import { checkModel } from '../../lib/model/check.js';
import { formatInterfaceSpec, parseInterfaceSpec } from '../../lib/model/interface-spec.js';
import { macText } from '../support/packets.js';

const checked = (text: string) =>
  checkModel({ interfaces: [parseInterfaceSpec(text, '--interface')] }).interfaces![0]!;

test('text of every kind of tunnel', (t) => {
  t.deepEqual(
    parseInterfaceSpec('gre:to-b,local=192.0.2.1,remote=192.0.2.2,key=flow', '--interface'),
    {
      kind: 'gre',
      name: 'to-b',
      local: '192.0.2.1',
      remote: '192.0.2.2',
      key: 'flow',
    },
  );
  const open = 'vxlan:v,vni=7,local=2001:db8::1,peer=2001:db8::/32,peer=fd00::/8,ttl=3,port=8472';
  const spec = parseInterfaceSpec(open, '--interface');
  t.deepEqual(spec.peers, ['2001:db8::/32', 'fd00::/8']);
  t.deepEqual(parseInterfaceSpec(formatInterfaceSpec(spec), '--interface'), spec);
  t.like(parseInterfaceSpec('gre:a,local=192.0.2.1,key=4294967295', '--interface'), {
    key: 4_294_967_295,
  });
});

test('what a tunnel adds is taken off its MTU', (t) => {
  const mtus: readonly [text: string, mtu: number][] = [
    ['gre:a,local=192.0.2.1', 1_476],
    ['gre:a,local=192.0.2.1,key=0', 1_472],
    ['gre:a,local=2001:db8::1,key=flow', 1_452],
    ['ipip:a,local=192.0.2.1', 1_480],
    ['ipip:a,local=2001:db8::1', 1_460],
    ['vxlan:a,vni=1,local=192.0.2.1', 1_450],
    ['vxlan:a,vni=1,local=2001:db8::1', 1_430],
    ['vxlan:a,vni=1,local=2001:db8::1,mtu=9000', 9_000],
  ];
  for (const [text, mtu] of mtus) t.is(checked(text).mtu, mtu, text);
});

test('parameters, as an engine gets them', (t) => {
  t.deepEqual(checked('vxlan:a,vni=1,local=2001:DB8:0::1,peer=2001:db8::/32').parameters, {
    local: '2001:db8::1',
    peers: '2001:db8::/32',
    vni: '1',
    port: '4789',
    ttl: '64',
  });
  t.deepEqual(checked('gre:a,local=192.0.2.1,remote=192.0.2.2,ttl=9').parameters, {
    local: '192.0.2.1',
    remote: '192.0.2.2',
    ttl: '9',
  });
});

test('nobody is asked for over a tunnel without stations', (t) => {
  const model = checkModel({
    interfaces: ['gre:g,local=192.0.2.1,address=10.1.0.1/24', 'vxlan:v,vni=1,local=192.0.2.1'].map(
      (text) => parseInterfaceSpec(text, '--interface'),
    ),
    routes: [
      { prefix: '10.2.0.0/16', dev: 'g' },
      { prefix: '10.3.0.0/16', via: '10.1.0.9' },
      { prefix: '10.4.0.0/16', dev: 'v' },
    ],
  });
  const slots = new Map([
    ['g', { slot: 0 }],
    ['v', { slot: 1 }],
  ]);
  const { routes, groups, nextHops } = new Compiler({ backends: 8, routes: 8 }).plan(
    model,
    slots,
  ).delta;
  const macs = Array.from(routes.group, (slot) => {
    const row = groups.first[groups.slot.indexOf(slot)]!;
    return [nextHops.interface[row], macText(nextHops.mac, 6 * row)];
  });
  t.deepEqual(macs, [
    [0, '02:00:00:00:00:00'],
    [0, '02:00:00:00:00:00'],
    [0, '02:00:00:00:00:00'],
    [1, '00:00:00:00:00:00'],
  ]);
});
