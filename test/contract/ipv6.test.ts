// SPDX-License-Identifier: Apache-2.0
import {
  authentication,
  destinationOptions,
  type Extension,
  HEADER,
  hopByHop,
  packet,
  read,
  routing,
} from '../support/packets.js';
import { fromClient, NET, tcp, tcpReply, udp, udpReply, V4, V6 } from './net.js';
import { contract } from './rig.js';

function through(extensions: readonly Extension[], dst: string = V6.service) {
  return packet()
    .eth({ src: NET.client.mac, dst: NET.us[0] })
    .ipv6({ src: V6.client, dst, extensions, trafficClass: 0xb8, flowLabel: 0xabcde });
}

const CHAINS: readonly [title: string, extensions: readonly Extension[]][] = [
  ['none', []],
  ['hop-by-hop options', [hopByHop(2)]],
  ['destination options', [destinationOptions()]],
  ['a routing header that is done', [routing(0)]],
  ['an authentication header', [authentication()]],
  [
    'one of each',
    [hopByHop(), destinationOptions(3), routing(0), authentication(), destinationOptions()],
  ],
  ['eight', Array.from({ length: 8 }, (_, i) => (i === 0 ? hopByHop() : destinationOptions()))],
];

for (const [title, extensions] of CHAINS) {
  contract(`extension headers are carried along: ${title}`, (rig) => {
    const { t } = rig;
    const l4 = { src: 9, dst: 80, flags: 'S', payload: 'x' };
    const [out] = rig.pass(0, 1, through(extensions).tcp(l4).build());
    const expected = packet().eth({ src: NET.us[1], dst: NET.pod.mac }).ipv6({
      src: V6.client,
      dst: V6.pod,
      ttl: 63,
      extensions,
      trafficClass: 0xb8,
      flowLabel: 0xabcde,
    });
    t.deepEqual(out, expected.tcp({ ...l4, dst: 8080 }).build());
  });

  contract(`an echo for our own address behind extension headers: ${title}`, (rig) => {
    const { t } = rig;
    const ask = through(extensions, V6.own[0]).icmpEcho({ payload: 'ping' }).build();
    const out = rig.one(0, 0, ask);
    t.like(out.icmp, { type: 129, code: 0 });
    t.deepEqual(
      out.ipv6?.extensions,
      extensions.map(({ number }) => number),
    );
    t.like(out.ipv6, { src: V6.own[0], dst: V6.client, ttl: 64, trafficClass: 0xb8 });
  });
}

contract('a header that says there is nothing more is a protocol like others', (rig) => {
  const { t } = rig;
  const nothing = through([destinationOptions()], V6.pod).payload(new Uint8Array(0), HEADER.none);
  t.is(rig.pass(0, 1, nothing.build()).length, 1);
  const service = through([]).payload(new Uint8Array(0), HEADER.none).build();
  rig.pass(0, 1, service);
  t.deepEqual(rig.drops(), { service_port_unknown: 1 });
});

contract('the families do not meet: equal ports are other flows', async (rig) => {
  const { t } = rig;
  rig.pass(0, 1, udp(), udp(40_000, 'query', V6.service));
  rig.pass(1, 0, udpReply());
  const flows = await rig.engine.flows(10);
  t.is(flows.length, 2);
  t.deepEqual(flows.map(({ state }) => state).toSorted(), ['established', 'unreplied']);
  const { flows: v4, flows6: v6 } = rig.engine.occupancy();
  t.deepEqual([v4, v6], [1, 1]);
});

contract(
  'each family has a table of its own',
  (rig) => {
    const { t } = rig;
    rig.pass(0, 1, udp(1), udp(2), udp(1, 'x', V6.service), udp(2, 'x', V6.service));
    t.deepEqual(rig.drops(), { flow_table_full: 1 });
    t.is(rig.counter('flowsCreated'), 3);
  },
  { flows: 1, flows6: 4 },
);

contract('a dual-stack service answers in the family that it was asked in', (rig) => {
  const { t } = rig;
  rig.one(0, 1, tcp('S', 7, V4.service));
  rig.one(0, 1, tcp('S', 7, V6.service));
  t.is(rig.one(1, 0, tcpReply('SA', 7, V4.client)).ip?.src, V4.service);
  t.is(rig.one(1, 0, tcpReply('SA', 7, V6.client)).ip?.src, V6.service);
});

contract('bytes behind the payload are cut off', (rig) => {
  const { t } = rig;
  const frame = fromClient(V6.service).udp({ src: 9, dst: 53, payload: 'x' }).pad(9).build();
  const [out] = rig.pass(0, 1, frame);
  t.is(out.length, frame.length - 9);
});

contract('multicast that is no neighbour discovery goes nowhere', (rig) => {
  const { t } = rig;
  const listener = packet()
    .eth({ src: NET.client.mac, dst: '33:33:00:00:00:16' })
    .ipv6({ src: 'fe80::9', dst: 'ff02::16', ttl: 1, extensions: [hopByHop()] })
    .icmp({ type: 143, payload: new Uint8Array(20) })
    .build();
  rig.pass(0, 0, listener);
  t.deepEqual(rig.drops(), { l2_broadcast: 1 });
});

contract('a hop limit is decremented, and nothing else of the header changes', (rig) => {
  const { t } = rig;
  const frame = through([hopByHop()], V6.pod).udp({ src: 1, dst: 2, payload: 'x' }).build();
  const [out] = rig.pass(0, 1, frame);
  const expected = frame.slice(14);
  expected[7]--;
  t.deepEqual(out.slice(14), expected);
  t.is(read(out).ip?.ttl, 63);
});
