// SPDX-License-Identifier: Apache-2.0
import test from 'ava';
import type { EngineOptions } from '../../lib/engine/engine.js';
import { DROP_REASONS, type DropReason } from '../../lib/engine/reasons.js';
import { arp, packet } from '../support/packets.js';
import { contract, fromClient, fromPod, memory, NET, type Rig, tcp, udp } from './rig.js';

interface Case {
  reason: DropReason;
  title: string;
  /** Interface that the frame comes in by. Default 0. */
  into?: number;
  frame: Uint8Array;
  options?: Partial<EngineOptions>;
  before?: (rig: Rig) => Promise<unknown> | unknown;
}

const US = NET.us[0];
const CLIENT = NET.client;
const eth = { src: CLIENT.mac, dst: US };
const ip = { src: CLIENT.address, dst: NET.service };
const ports = { src: 40_000, dst: 53 };

function ipCase(reason: DropReason, title: string, fields: object): Case {
  const frame = packet()
    .eth(eth)
    .ipv4({ ...ip, ...fields })
    .udp({ ...ports, payload: 'x' })
    .build();
  return { reason, title, frame };
}

function arpCase(reason: DropReason, title: string, fields: object): Case {
  const request = {
    operation: 1,
    senderMac: CLIENT.mac,
    sender: CLIENT.address,
    target: '10.0.0.1',
  };
  return { reason, title, frame: arp({ ...request, ...fields }) };
}

const plain = () => fromClient('10.1.0.2').udp({ ...ports, payload: 'x' });

const CASES: readonly Case[] = [
  { reason: 'malformed_ethernet', title: '13 bytes', frame: plain().truncate(13).build() },
  { reason: 'malformed_ethernet', title: 'one byte', frame: plain().truncate(1).build() },
  {
    reason: 'unsupported_ethertype',
    title: 'IPv6, even for others',
    frame: packet()
      .eth({ ...eth, dst: '02:00:00:00:00:99', type: 0x86dd })
      .build(),
  },
  {
    reason: 'unsupported_ethertype',
    title: 'VLAN',
    frame: packet()
      .eth({ ...eth, type: 0x8100 })
      .build(),
  },
  {
    reason: 'mac_not_ours',
    title: 'IPv4 for another station',
    frame: packet()
      .eth({ ...eth, dst: '02:00:00:00:00:99' })
      .ipv4(ip)
      .udp(ports)
      .build(),
  },
  arpCase('mac_not_ours', 'ARP for another station', { dst: '02:00:00:00:00:99' }),
  {
    reason: 'l2_broadcast',
    title: 'IPv4 in a broadcast frame',
    frame: packet()
      .eth({ ...eth, dst: 'ff:ff:ff:ff:ff:ff' })
      .ipv4(ip)
      .udp(ports)
      .build(),
  },
  {
    reason: 'l2_broadcast',
    title: 'IPv4 in a multicast frame',
    frame: packet()
      .eth({ ...eth, dst: '01:00:5e:00:00:01' })
      .ipv4(ip)
      .udp(ports)
      .build(),
  },
  { reason: 'malformed_ipv4', title: '19 bytes', frame: plain().truncate(33).build() },
  { reason: 'malformed_ipv4', title: 'nothing', frame: plain().truncate(14).build() },
  ipCase('malformed_ipv4', 'version 6', { version: 6 }),
  ipCase('malformed_ipv4', 'header of 16 bytes', { headerLength: 16 }),
  ipCase('malformed_ipv4', 'header beyond the frame', { headerLength: 60 }),
  ipCase('malformed_ipv4', 'total length below the header', { totalLength: 19 }),
  ipCase('malformed_ipv4', 'total length beyond the frame', { totalLength: 30 }),
  ipCase('bad_ipv4_checksum', 'wrong checksum', { checksum: 0x1234 }),
  ipCase('martian_source', '0/8', { src: '0.1.2.3' }),
  ipCase('martian_source', 'loopback', { src: '127.0.0.1' }),
  ipCase('martian_source', 'multicast', { src: '224.0.0.1' }),
  ipCase('martian_source', 'broadcast', { src: '255.255.255.255' }),
  ipCase('martian_source', 'our own on this interface', { src: '10.0.0.1' }),
  ipCase('martian_source', 'our own on another interface', { src: '10.2.0.1' }),
  ipCase('martian_destination', '0/8', { dst: '0.0.0.0' }),
  ipCase('martian_destination', 'loopback', { dst: '127.0.0.1' }),
  ipCase('martian_destination', 'multicast', { dst: '239.1.1.1' }),
  ipCase('martian_destination', 'reserved', { dst: '240.0.0.1' }),
  ipCase('martian_destination', 'broadcast', { dst: '255.255.255.255' }),
  ipCase('fragment', 'first fragment', { fragment: 0x2000 }),
  ipCase('fragment', 'later fragment', { fragment: 0x0010 }),
  {
    reason: 'malformed_l4',
    title: 'UDP of 7 bytes',
    frame: fromClient(NET.service).udp(ports).payload(new Uint8Array(7)).build(),
  },
  {
    reason: 'malformed_l4',
    title: 'UDP length 7',
    frame: fromClient(NET.service)
      .udp({ ...ports, length: 7 })
      .build(),
  },
  {
    reason: 'malformed_l4',
    title: 'UDP length beyond the packet',
    frame: fromClient(NET.service)
      .udp({ ...ports, length: 9 })
      .build(),
  },
  {
    reason: 'malformed_l4',
    title: 'UDP length that only the padding would fill',
    frame: fromClient(NET.service)
      .udp({ ...ports, length: 9 })
      .pad(10)
      .build(),
  },
  {
    reason: 'malformed_l4',
    title: 'TCP of 19 bytes',
    frame: fromClient(NET.service).tcp(ports).payload(new Uint8Array(19)).build(),
  },
  {
    reason: 'malformed_l4',
    title: 'TCP data offset 4',
    frame: fromClient(NET.service)
      .tcp({ ...ports, dataOffset: 4 })
      .build(),
  },
  {
    reason: 'malformed_l4',
    title: 'TCP data offset beyond the packet',
    frame: fromClient(NET.service)
      .tcp({ ...ports, dataOffset: 6 })
      .build(),
  },
  {
    reason: 'malformed_l4',
    title: 'ICMP of 7 bytes',
    frame: fromClient('10.0.0.1').icmp({}).payload(new Uint8Array(7)).build(),
  },
  arpCase('malformed_arp', 'hardware type', { hardwareType: 6 }),
  arpCase('malformed_arp', 'protocol type', { protocolType: 0x86dd }),
  arpCase('malformed_arp', 'hardware length', { hardwareLength: 8 }),
  arpCase('malformed_arp', 'protocol length', { protocolLength: 16 }),
  arpCase('malformed_arp', 'opcode 3', { operation: 3 }),
  arpCase('malformed_arp', 'group sender', { senderMac: '01:00:5e:00:00:01' }),
  arpCase('malformed_arp', 'zero sender', { senderMac: '00:00:00:00:00:00' }),
  {
    reason: 'malformed_arp',
    title: '27 bytes',
    frame: arp({
      operation: 1,
      senderMac: CLIENT.mac,
      sender: CLIENT.address,
      target: '10.0.0.1',
    }).slice(0, 41),
  },
  arpCase('arp_not_for_us', 'request for another station', { target: '10.0.0.77' }),
  arpCase('arp_not_for_us', 'request for our address on another interface', { target: '10.1.0.1' }),
  arpCase('arp_not_for_us', 'reply to another station', { operation: 2, target: '10.0.0.77' }),
  arpCase('arp_absorbed', 'reply to us', { operation: 2, dst: US }),
  arpCase('arp_absorbed', 'announcement by request', { target: CLIENT.address }),
  arpCase('arp_absorbed', 'announcement by reply', { operation: 2, target: CLIENT.address }),
  {
    reason: 'service_port_unknown',
    title: 'port',
    frame: fromClient(NET.service).tcp({ src: 1, dst: 81 }).build(),
  },
  {
    reason: 'service_port_unknown',
    title: 'protocol',
    frame: fromClient(NET.service).udp({ src: 1, dst: 80 }).build(),
  },
  {
    reason: 'service_port_unknown',
    title: 'ICMP',
    frame: fromClient(NET.service).icmpEcho().build(),
  },
  { reason: 'no_backend', title: 'all drain', frame: tcp('S', 40_000, NET.idle) },
  {
    reason: 'no_backend',
    title: 'no backends at all',
    frame: tcp('S', 40_000, NET.idle),
    before: (rig) => rig.commit({ pools: [{ slot: 2, backends: [] }] }),
  },
  { reason: 'tcp_no_flow', title: 'RST', frame: tcp('R') },
  { reason: 'tcp_no_flow', title: 'FIN', frame: tcp('FA') },
  {
    reason: 'tcp_no_flow',
    title: 'FIN for a service without backends',
    frame: tcp('FA', 40_000, NET.idle),
  },
  {
    reason: 'flow_table_full',
    title: 'no pair is free',
    frame: udp(40_001),
    options: { flows: 1 },
    before: (rig) => rig.t.is(rig.pass(0, 1, udp(40_000)).length, 1),
  },
  {
    reason: 'flow_collision',
    title: 'two services with one backend, from one client port',
    frame: fromClient('10.96.0.12').udp({ src: 40_000, dst: 53 }).build(),
    before: async (rig) => {
      await rig.commit({ frontends: [{ at: '10.96.0.12:53/udp', pool: 1, slot: 9 }] });
      rig.t.is(rig.pass(0, 1, udp()).length, 1);
    },
  },
  {
    reason: 'hairpin',
    title: 'the pod asks its own service',
    into: 1,
    frame: fromPod(NET.service).udp({ src: 5, dst: 53 }).build(),
  },
  {
    reason: 'not_for_host',
    title: 'UDP',
    frame: fromClient('10.0.0.1').udp({ src: 5, dst: 53 }).build(),
  },
  {
    reason: 'not_for_host',
    title: 'ICMP echo reply',
    frame: fromClient('10.1.0.1').icmp({ type: 0 }).build(),
  },
  {
    reason: 'not_for_host',
    title: 'ICMP type 8 with a code',
    frame: fromClient('10.1.0.1').icmp({ code: 1 }).build(),
  },
  {
    reason: 'ttl_expired',
    title: 'TTL 1',
    frame: fromClient('10.1.0.2', { ttl: 1 }).udp(ports).build(),
  },
  {
    reason: 'ttl_expired',
    title: 'TTL 0',
    frame: fromClient(NET.service, { ttl: 0 }).udp(ports).build(),
  },
  {
    reason: 'no_route',
    title: 'no prefix matches',
    frame: fromClient('192.0.2.1').udp(ports).build(),
  },
  {
    reason: 'no_route',
    title: 'the routes went with their interface',
    frame: plain().build(),
    before: (rig) => rig.engine.removeInterface(1),
  },
  {
    reason: 'mtu_exceeded',
    title: 'one byte too long',
    frame: fromClient('10.7.0.1')
      .udp({ ...ports, payload: new Uint8Array(577 - 28) })
      .build(),
    before: async (rig) => {
      await rig.engine.addInterface(memory(2, { mtu: 576 }));
      await rig.commit({ routes: [{ to: '10.7.0.0/16', over: 2, mac: NET.pod.mac }] });
    },
  },
  {
    reason: 'neighbour_table_full',
    title: 'a second neighbour where one has room',
    frame: fromClient('10.2.0.6').udp(ports).build(),
    options: { neighbours: 1 },
    before: (rig) => rig.pass(0, 1, fromClient('10.2.0.5').udp(ports).build()),
  },
];

for (const { reason, title, into, frame, options, before } of CASES) {
  contract(
    `${reason}: ${title}`,
    async (rig) => {
      await before?.(rig);
      const already = rig.drops();
      const created = rig.counter('flowsCreated');
      rig.send(into ?? 0, frame);
      rig.step();
      rig.t.deepEqual(rig.drops(), { ...already, [reason]: (already[reason] ?? 0) + 1 });
      if (reason !== 'ttl_expired') rig.t.is(rig.counter('flowsCreated'), created);
    },
    options,
  );
}

// Reached by tests that need more than one packet, or not in reach of memory interfaces and one worker.
const ELSEWHERE: readonly DropReason[] = [
  'neighbour_unresolved',
  'neighbour_queue_full',
  'tx_full',
  'interface_removed',
  'interface_down',
  'handoff_full',
];

test('every drop reason has a case', (t) => {
  const covered = new Set([...CASES.map(({ reason }) => reason), ...ELSEWHERE]);
  t.deepEqual(
    DROP_REASONS.filter((reason) => !covered.has(reason)),
    [],
  );
});
