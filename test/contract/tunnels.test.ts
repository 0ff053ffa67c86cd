// SPDX-License-Identifier: Apache-2.0
import {
  addressText,
  arp,
  datagram,
  destinationOptions,
  type GreFields,
  macText,
  packet,
  read,
  readCarried,
} from '../support/packets.js';
import { FAMILIES, fromPod, NET, V4 } from './net.js';
import { contract } from './rig.js';
import {
  addTunnel,
  answerTo,
  carried,
  FAR,
  FAR_MAC,
  GRE,
  GRE_FLOW,
  GRE_KEY,
  INWARDS,
  IPIP,
  macOf,
  request,
  SHAPES,
  type Shape,
  TUNNEL,
  VXLAN,
} from './tunnel-net.js';

const ENDS = FAMILIES.flatMap((outer) => FAMILIES.map((inner) => ({ outer, inner })));

for (const shape of SHAPES) {
  for (const { outer, inner } of ENDS) {
    const far = FAR[inner.name];
    const title = `${inner.name} in ${shape.title} over ${outer.name}`;

    contract(`${title}: what comes in is taken out and routed`, async (rig) => {
      const { t } = rig;
      await addTunnel(rig, shape, outer);
      const inside = datagram(INWARDS, far.host, inner.pod);
      const [out, ...more] = rig.read(0, 1, carried(outer, shape.carrier, inside));
      t.deepEqual(more, []);
      t.like(out.ip, { src: far.host, dst: inner.pod, ttl: 63 });
      t.deepEqual(out.eth.dst, NET.pod.mac);
      t.deepEqual(rig.interface(TUNNEL), [1, inside.length, 0, 0]);
      t.is(rig.counter('forwarded'), 1);
    });

    contract(`${title}: what goes out is put in`, async (rig) => {
      const { t } = rig;
      await addTunnel(rig, shape, outer);
      const frame = datagram({ src: NET.pod.mac, dst: NET.us[1] }, inner.pod, far.host);
      const [out, ...more] = rig.pass(1, 0, frame);
      t.deepEqual(more, []);
      const found = readCarried(out);
      t.deepEqual(found.outer.eth, {
        src: NET.us[0],
        dst: NET.client.mac,
        type: outer.name === 'IPv4' ? 0x0800 : 0x86dd,
      });
      t.like(found.outer.ip, { src: outer.own[0], dst: outer.client, ttl: 64 });
      if (outer.name === 'IPv4') t.like(found.outer.ipv4, { id: 0, flags: 2, tos: 0 });
      else t.like(found.outer.ipv6, { flowLabel: 0, trafficClass: 0 });
      const inside = read(found.inside);
      t.like(inside.ip, { src: inner.pod, dst: far.host, ttl: 63 });
      if (shape.kind === 'vxlan') {
        t.is(found.key, 4_711);
        t.like(inside.eth, { src: macOf(TUNNEL), dst: FAR_MAC });
        t.is(found.outer.udp?.dst, 4_789);
        t.is(found.outer.udp?.checksum, 0);
        t.true(found.outer.udp!.src >= 49_152);
      }
      if (shape.title === 'GRE' || shape.kind === 'ipip') t.is(found.key, undefined);
      if (shape.parameters['key'] === '4294967295') t.is(found.key, 4_294_967_295);
      t.deepEqual(rig.interface(TUNNEL), [0, 0, 1, frame.length]);
      t.is(rig.counter('forwarded'), 1);
    });
  }
}

for (const family of FAMILIES) {
  const { name, client, own, pod, service, at } = family;
  const far = FAR[name];
  const inside = datagram(INWARDS, far.host, pod);

  for (const shape of [GRE, VXLAN]) {
    contract(
      `a service reached through ${shape.title}, ${name}: the client is answered straight`,
      async (rig) => {
        const { t } = rig;
        // The tunnel comes from a balancer at 10.0.0.9; the client itself is 10.0.0.10.
        await addTunnel(rig, shape, family);
        const ask = (flags: string) =>
          packet()
            .eth(INWARDS)
            .ip({ src: family.other, dst: service })
            .tcp({ src: 40_000, dst: 80, flags })
            .build();
        const asked = rig.one(0, 1, carried(family, shape.carrier, ask('S')));
        t.like(asked.ip, { src: family.other, dst: pod });
        t.is(asked.tcp?.dst, 8_080);
        const reply = (flags: string) =>
          fromPod(family.other).tcp({ src: 8_080, dst: 40_000, flags }).build();
        // Twice: the second of each takes the shortcut.
        for (let round = 0; round < 3; round++) {
          const answered = rig.one(1, 0, reply(round === 0 ? 'SA' : 'A'));
          t.like(answered.ip, { src: service, dst: family.other });
          t.is(answered.tcp?.src, 80);
          t.is(answered.eth.dst, NET.client.mac);
          t.like(rig.one(0, 1, carried(family, shape.carrier, ask('A'))).ip, { dst: pod, ttl: 63 });
        }
        t.is((await rig.flow()).state, 'established');
      },
    );

    contract(`a flow that leaves by ${shape.title}, ${name}`, async (rig) => {
      const { t } = rig;
      await addTunnel(rig, shape, family, { remote: client });
      await rig.commit({
        backends: [{ slot: 100, at: at(far.host, 9_000) }],
        pools: [{ slot: 100, members: [{ backend: 100 }] }],
        frontends: [{ at: `${at(service, 99)}/udp`, slot: 100, pool: 100 }],
      });
      const ask = () => fromPod(service).udp({ src: 4_000, dst: 99, payload: 'ask' }).build();
      const keys = new Set<number | undefined>();
      for (let round = 0; round < 3; round++) {
        const [out] = rig.pass(1, 0, ask());
        const found = readCarried(out);
        keys.add(found.outer.udp?.src);
        t.like(read(found.inside), { ip: { dst: far.host, ttl: 63, src: pod, protocol: 17 } });
        const reply = packet()
          .eth(INWARDS)
          .ip({ src: far.host, dst: pod })
          .udp({ src: 9_000, dst: 4_000, payload: 'answer' })
          .build();
        const back = rig.one(0, 1, carried(family, shape.carrier, reply));
        t.like(back.ip, { src: service, dst: pod, ttl: 63 });
        t.is(back.udp?.src, 99);
      }
      t.is(keys.size, 1, 'a flow has one source port');
      t.deepEqual(rig.interface(TUNNEL).slice(0, 1), [3]);
      t.is((await rig.flow()).packets, 3);
    });
  }

  contract(`entropy: flows differ, ${name}`, async (rig) => {
    const { t } = rig;
    await addTunnel(rig, GRE_FLOW, family);
    await rig.engine.addInterface(request(VXLAN, family, { slot: 3 }));
    const elsewhere = name === 'IPv4' ? '10.51.0.0/16' : 'fd51::/64';
    await rig.commit({ routes: [{ to: elsewhere, over: 3, mac: FAR_MAC }] });
    const other = name === 'IPv4' ? '10.51.0.5' : 'fd51::5';
    const from = (dst: string, src: number) =>
      fromPod(dst).udp({ src, dst: 9, payload: 'x' }).build();
    const keyOf = (frames: Uint8Array[]) => frames.map((frame) => readCarried(frame));
    const gre = keyOf(rig.pass(1, 0, from(far.host, 1), from(far.host, 2), from(far.host, 1)));
    t.is(gre.length, 3);
    t.is(gre[0].key, gre[2].key);
    t.not(gre[0].key, gre[1].key);
    const vxlan = keyOf(rig.pass(1, 0, from(other, 1), from(other, 2), from(other, 1)));
    t.is(vxlan[0].outer.udp?.src, vxlan[2].outer.udp?.src);
    t.not(vxlan[0].outer.udp?.src, vxlan[1].outer.udp?.src);
  });

  const WHOLE: readonly [title: string, fields: GreFields][] = [
    ['a checksum', { checksum: true }],
    ['a sequence number', { sequence: 9 }],
    ['checksum and sequence number', { checksum: true, sequence: 1 }],
  ];
  for (const [title, fields] of WHOLE) {
    contract(`GRE with ${title} is taken out, ${name}`, async (rig) => {
      await addTunnel(rig, GRE, family);
      const frame = carried(family, { kind: 'gre', ...fields }, inside);
      rig.t.like(rig.one(0, 1, frame).ip, { dst: pod });
    });
  }

  contract(`padding and all fields of GRE, ${name}`, async (rig) => {
    await addTunnel(rig, { kind: 'gre', parameters: { key: '5' } }, family);
    const fields = { kind: 'gre', key: 5, checksum: true, sequence: 2 } as const;
    const frame = carried(family, fields, inside);
    const padded = new Uint8Array(frame.length + 7).fill(0xee);
    padded.set(frame);
    const out = rig.one(0, 1, padded);
    rig.t.is(out.udp?.payload.length, 5);
  });

  const CHOICES: readonly [title: string, GreFields | null, slot: number | null][] = [
    ['the key itself', { key: 5 }, 3],
    ['any other key', { key: 6 }, 4],
    ['none', {}, 2],
  ];
  for (const [title, fields, slot] of CHOICES) {
    contract(`which tunnel by key: ${title}, ${name}`, async (rig) => {
      const { t } = rig;
      const gre = (key?: string): Pick<Shape, 'kind' | 'parameters'> => ({
        kind: 'gre',
        parameters: key === undefined ? {} : { key },
      });
      await addTunnel(rig, gre(), family);
      await rig.engine.addInterface(request(gre('5'), family, { slot: 3 }));
      await rig.engine.addInterface(request(gre('flow'), family, { slot: 4 }));
      rig.pass(0, 1, carried(family, { kind: 'gre', ...fields }, inside));
      for (const each of [2, 3, 4]) t.is(rig.interface(each)[0], each === slot ? 1 : 0);
    });
  }

  contract(`which tunnel by source: the remote, else who is a peer, ${name}`, async (rig) => {
    const { t } = rig;
    const networks = name === 'IPv4' ? ['10.0.0.8/30', '10.0.0.16/28'] : ['fd00::8/126'];
    const open = { kind: 'ipip', parameters: { peers: networks.join(' ') } } as const;
    await addTunnel(rig, open, family, { remote: null });
    await rig.engine.addInterface(request(IPIP, family, { slot: 3 }));
    const other = name === 'IPv4' ? '10.0.0.11' : 'fd00::b';
    const stranger = name === 'IPv4' ? '10.0.0.77' : 'fd00::77';
    rig.pass(0, 1, carried(family, IPIP.carrier, inside));
    t.deepEqual(
      [2, 3].map((slot) => rig.interface(slot)[0]),
      [0, 1],
    );
    rig.pass(0, 1, carried(family, IPIP.carrier, inside, { src: other }));
    t.deepEqual(
      [2, 3].map((slot) => rig.interface(slot)[0]),
      [1, 1],
    );
    rig.pass(0, 1, carried(family, IPIP.carrier, inside, { src: stranger }));
    t.deepEqual(
      [2, 3].map((slot) => rig.interface(slot)[0]),
      [1, 1],
    );
    t.deepEqual(rig.drops(), { not_for_host: 1 });
  });

  const ELSEWHERE: readonly [title: string, shape: Shape, frame: Uint8Array][] = [
    ['a wrong key', GRE_KEY, carried(family, { kind: 'gre', key: 1 }, inside)],
    ['no key', GRE_KEY, carried(family, { kind: 'gre' }, inside)],
    ['no key by flow', GRE_FLOW, carried(family, { kind: 'gre' }, inside)],
    ['a key too many', GRE, carried(family, { kind: 'gre', key: 1 }, inside)],
    ['a wrong VNI', VXLAN, carried(family, { kind: 'vxlan', vni: 1 }, inside)],
    ['another port', VXLAN, carried(family, { kind: 'vxlan', vni: 4_711, port: 4_788 }, inside)],
    ['another source', GRE, carried(family, { kind: 'gre' }, inside, { src: family.other })],
    ['another kind', GRE, carried(family, { kind: 'ipip' }, inside)],
  ];
  for (const [title, shape, frame] of ELSEWHERE) {
    contract(`for no tunnel: ${title}, ${name}`, async (rig) => {
      await addTunnel(rig, shape, family);
      rig.t.deepEqual(rig.pass(0, 1, frame), []);
      rig.t.deepEqual(rig.drops(), { not_for_host: 1 });
      rig.t.is(rig.interface(TUNNEL)[0], 0);
    });
  }

  contract(`what is inside is not taken out of a second tunnel, ${name}`, async (rig) => {
    await addTunnel(rig, IPIP, family);
    const nested = packet().eth(INWARDS).ip({ src: far.host, dst: own[0] });
    const twice = carried(family, IPIP.carrier, nested.payload(inside.slice(14), 4).build());
    rig.t.deepEqual(rig.pass(0, 1, twice), []);
    rig.t.deepEqual(rig.drops(), { not_for_host: 1 });
    rig.t.is(rig.interface(TUNNEL)[0], 1);
  });

  contract(`fragments and extension headers are left alone, ${name}`, async (rig) => {
    await addTunnel(rig, IPIP, family);
    const frame = carried(family, IPIP.carrier, inside);
    if (name === 'IPv4') {
      const outer = packet()
        .eth({ src: NET.client.mac, dst: NET.us[0] })
        .ipv4({ src: client, dst: own[0], fragment: 0x2000 })
        .payload(frame.slice(34, 58), 4)
        .build();
      rig.pass(0, 1, outer);
    } else {
      const outer = packet()
        .eth({ src: NET.client.mac, dst: NET.us[0] })
        .ipv6({ src: client, dst: own[0], extensions: [destinationOptions()] })
        .payload(frame.slice(54), 41)
        .build();
      rig.pass(0, 1, outer);
    }
    rig.t.is(rig.interface(TUNNEL)[0], 0);
    rig.t.deepEqual(rig.drops(), { not_for_host: 1 });
  });

  contract(`what is inside is parsed with all its rules, ${name}`, async (rig) => {
    const { t } = rig;
    await addTunnel(rig, GRE, family);
    const own0 = datagram(INWARDS, own[1], pod);
    rig.pass(0, 1, carried(family, GRE.carrier, own0));
    t.deepEqual(rig.drops(), { martian_source: 1 });
    rig.pass(0, 1, carried(family, GRE.carrier, inside.slice(0, 20)));
    const malformed = name === 'IPv4' ? 'malformed_ipv4' : 'malformed_ipv6';
    t.deepEqual(rig.drops(), { martian_source: 1, [malformed]: 1 });
    t.is(rig.interface(TUNNEL)[0], 2);
  });

  contract(`ECN: congestion outside goes on inside, ${name}`, async (rig) => {
    const { t } = rig;
    await addTunnel(rig, GRE, family);
    const marked = (tos: number) => {
      const builder = packet().eth(INWARDS);
      if (name === 'IPv4') builder.ipv4({ src: far.host, dst: pod, tos });
      else builder.ipv6({ src: far.host, dst: pod, trafficClass: tos });
      return builder.udp({ src: 1, dst: 2, payload: 'x' }).build();
    };
    const ecn = (outer: number, inner: number) => {
      const out = rig.one(0, 1, carried(family, GRE.carrier, marked(inner), { tos: outer }));
      return out.ipv4?.tos ?? out.ipv6?.trafficClass;
    };
    t.deepEqual(
      [0, 1, 2, 3].map((inner) => ecn(3, 0x28 | inner)),
      [0x28, 0x2b, 0x2b, 0x2b],
    );
    t.deepEqual(
      [0, 1, 2].map((outer) => ecn(outer, 0x29)),
      [0x29, 0x29, 0x29],
    );
  });

  contract(`type of service and TTL of the carrying packet, ${name}`, async (rig) => {
    const { t } = rig;
    await addTunnel(rig, { kind: 'gre', parameters: { ttl: '9' } }, family);
    const builder = packet().eth({ src: NET.pod.mac, dst: NET.us[1] });
    if (name === 'IPv4') builder.ipv4({ src: pod, dst: far.host, tos: 0xb9 });
    else builder.ipv6({ src: pod, dst: far.host, trafficClass: 0xb9 });
    const [out] = rig.pass(1, 0, builder.udp({ src: 1, dst: 2 }).build());
    const { outer } = readCarried(out);
    t.is(outer.ip?.ttl, 9);
    t.is(outer.ipv4?.tos ?? outer.ipv6?.trafficClass, 0xb9);
  });

  contract(`an echo request through a tunnel is answered along the route, ${name}`, async (rig) => {
    const { t } = rig;
    await addTunnel(rig, GRE, family);
    const ping = (src: string) =>
      packet().eth(INWARDS).ip({ src, dst: own[1] }).icmpEcho({ id: 3, payload: 'ping' }).build();
    const [back] = rig.pass(0, 0, carried(family, GRE.carrier, ping(far.host)));
    t.like(read(readCarried(back).inside).ip, { src: own[1], dst: far.host, ttl: 64 });
    t.is(rig.counter('answered'), 1);
    // Somebody whose route is another one: straight.
    const straight = rig.one(0, 0, carried(family, GRE.carrier, ping(family.other)));
    t.like(straight.ip, { src: own[1], dst: family.other, ttl: 64 });
    t.is(straight.eth.dst, NET.client.mac);
    const nowhere = name === 'IPv4' ? '203.0.113.9' : '2001:db8::9';
    t.deepEqual(rig.pass(0, 0, carried(family, GRE.carrier, ping(nowhere))), []);
    t.deepEqual(rig.drops(), { no_route: 1 });
  });

  contract(`an echo request through VXLAN is answered to its station, ${name}`, async (rig) => {
    await addTunnel(rig, VXLAN, family);
    const ping = packet().eth(INWARDS).ip({ src: far.host, dst: own[1] }).icmpEcho().build();
    const [back] = rig.pass(0, 0, carried(family, VXLAN.carrier, ping));
    const inside = read(readCarried(back).inside);
    rig.t.like(inside, {
      eth: { src: macOf(TUNNEL), dst: FAR_MAC },
      ip: { dst: far.host },
    } as never);
    rig.t.is(rig.counter('answered'), 1);
  });

  contract(`who is rejected is told along the route, ${name}`, async (rig) => {
    const { t } = rig;
    await addTunnel(rig, GRE, family);
    const ask = (src: string) =>
      packet()
        .eth(INWARDS)
        .ip({ src, dst: family.idle })
        .tcp({ src: 5, dst: 80, flags: 'S' })
        .build();
    const [back] = rig.pass(0, 0, carried(family, GRE.carrier, ask(far.host)));
    t.is(read(readCarried(back).inside).tcp?.flags, 'RA');
    const straight = rig.one(0, 0, carried(family, GRE.carrier, ask(family.other)));
    t.is(straight.tcp?.flags, 'RA');
    t.deepEqual(rig.drops(), { no_backend: 2 });
    t.is(rig.counter('originated'), 2);
  });

  contract(`the way to the other end has to be asked for, ${name}`, async (rig) => {
    const { t } = rig;
    await addTunnel(rig, GRE, family, { remote: family.hop });
    const ask = (n: number) => fromPod(far.host).udp({ src: n, dst: 9, payload: 'x' }).build();
    const [request1] = rig.pass(1, 1, ask(1), ask(2));
    t.is(rig.counter('held'), 2);
    t.is(rig.counter('forwarded'), 0);
    t.deepEqual(rig.interface(TUNNEL).slice(2), [2, 2 * ask(1).length]);
    const first = read(request1);
    t.is(first.arp?.target ?? first.nd?.target, family.hop);
    const out = rig.pass(1, 1, answerTo(family, family.hop, own[1]));
    t.deepEqual(
      out.map((frame) => read(readCarried(frame).inside).udp?.src),
      [1, 2],
    );
    t.is(rig.counter('held'), 0);
    t.is(rig.counter('forwarded'), 2);
  });

  contract(`the tunnel is removed while its packets wait outside of it, ${name}`, async (rig) => {
    const { t } = rig;
    await addTunnel(rig, GRE, family, { remote: family.hop });
    rig.pass(1, 1, fromPod(far.host).udp({ src: 1, dst: 9 }).build());
    t.is(rig.counter('held'), 1);
    await rig.engine.removeInterface(TUNNEL);
    t.is(rig.counter('held'), 1);
    const out = rig.pass(1, 1, answerTo(family, family.hop, own[1]));
    t.is(out.length, 1);
    const [told] = rig.pass(1, 1, fromPod(far.host).udp({ src: 1, dst: 9 }).build());
    t.truthy(read(told).icmp);
    t.like(rig.drops(), { no_route: 1 });
    t.deepEqual(rig.pass(0, 1, carried(family, GRE.carrier, inside)), []);
    t.like(rig.drops(), { no_route: 1, not_for_host: 1 });
  });

  contract(`neighbours are asked for through VXLAN, ${name}`, async (rig) => {
    const { t } = rig;
    await rig.engine.addInterface(request(VXLAN, family));
    await rig.commit({
      routes: [{ to: far.network, over: TUNNEL }],
      addresses: [
        { on: 0, address: `${own[0]}/${name === 'IPv4' ? 24 : 64}` },
        { on: TUNNEL, address: far.prefix },
      ],
    });
    const [asked] = rig.pass(1, 0, fromPod(far.host).udp({ src: 1, dst: 9 }).build());
    const question = read(readCarried(asked).inside);
    t.is(question.arp?.target ?? question.nd?.target, far.host);
    t.is(rig.counter('held'), 1);
    const answer = answerTo(family, far.host, far.own, { src: FAR_MAC, dst: macOf(TUNNEL) });
    const [out] = rig.pass(0, 0, carried(family, VXLAN.carrier, answer));
    t.like(read(readCarried(out).inside), { eth: { dst: FAR_MAC } } as never);
    t.is(rig.counter('held'), 0);
    // And we are asked through it.
    const ask =
      name === 'IPv4'
        ? arp({ senderMac: FAR_MAC, operation: 1, sender: far.host, target: far.own })
        : null;
    if (ask === null) return;
    const [reply] = rig.pass(0, 0, carried(family, VXLAN.carrier, ask));
    t.like(read(readCarried(reply).inside).arp, { operation: 2, sender: far.own });
  });

  contract(`explain: in by a tunnel and out by another, ${name}`, async (rig) => {
    const { t } = rig;
    await addTunnel(rig, GRE, family);
    await rig.engine.addInterface(request(IPIP, family, { slot: 3, remote: family.other }));
    const beyond = name === 'IPv4' ? '10.51.0.0/16' : 'fd51::/64';
    const host = name === 'IPv4' ? '10.51.0.5' : 'fd51::5';
    await rig.commit({ routes: [{ to: beyond, over: 3, mac: '02:00:00:00:00:00' }] });
    const frame = carried(family, GRE.carrier, datagram(INWARDS, far.host, host));
    const told = await rig.engine.explain(0, frame);
    t.is(told.fate, 'forward');
    t.deepEqual(told.tunnel, { interface: TUNNEL });
    t.is(addressText(told.tuple!.destination), host);
    t.is(told.encap?.interface, 0);
    t.is(addressText(told.encap!.remote), family.other);
    t.is(macText(told.encap!.neighbour!), NET.client.mac);
    const [out] = rig.pass(0, 0, frame);
    t.like(readCarried(out).outer.ip, { dst: family.other });
    // The frame as it comes out of the tunnel.
    const inner = await rig.engine.explain(TUNNEL, datagram({ ...INWARDS }, far.host, host));
    t.is(inner.tunnel, null);
    t.is(inner.fate, 'forward');
  });
}

contract('two tunnels, and frames of none, leave in their order', async (rig) => {
  const { t } = rig;
  await addTunnel(rig, GRE, V4);
  await rig.engine.addInterface(request(IPIP, V4, { slot: 3 }));
  await rig.commit({ routes: [{ to: '10.51.0.0/16', over: 3, mac: '02:00:00:00:00:00' }] });
  const to = (dst: string, src: number) => fromPod(dst).udp({ src, dst: 9, payload: 'x' }).build();
  const order = ['10.50.0.5', V4.other, '10.51.0.5', '10.50.0.5', V4.other];
  const out = rig.pass(1, 0, ...order.map((dst, n) => to(dst, n)));
  const seen = out.map((frame) => {
    const { outer, inside } = readCarriedOrPlain(frame);
    return [outer, read(inside).udp?.src];
  });
  t.deepEqual(seen, [
    [47, 0],
    [17, 1],
    [4, 2],
    [47, 3],
    [17, 4],
  ]);
});

contract('parameters that are not a tunnel are refused', async (rig) => {
  const { t } = rig;
  const wrong: readonly [path: string, kind: Shape['kind'], parameters: Record<string, string>][] =
    [
      ['local', 'gre', { local: 'nowhere' }],
      ['local', 'ipip', { local: '::' }],
      ['remote', 'gre', { remote: 'fd00::1' }],
      ['key', 'gre', { key: '4294967296' }],
      ['vni', 'vxlan', {}],
      ['vni', 'vxlan', { vni: '16777216' }],
      ['port', 'vxlan', { vni: '1', port: '0' }],
      ['ttl', 'gre', { ttl: '0' }],
      ['peers', 'gre', { peers: '10.0.0.0/8' }],
    ];
  for (const [path, kind, parameters] of wrong) {
    const error = await t.throwsAsync(rig.engine.addInterface(request({ kind, parameters }, V4)));
    t.like(
      error,
      { code: 'ERR_INTERFACE', path } as never,
      `${kind} ${JSON.stringify(parameters)}`,
    );
  }
  await t.throwsAsync(
    rig.engine.addInterface(
      request({ kind: 'gre', parameters: { peers: '10.0.0.0/33' } }, V4, { remote: null }),
    ),
    { code: 'ERR_INTERFACE' } as never,
  );
});

function readCarriedOrPlain(frame: Uint8Array): { outer: number; inside: Uint8Array } {
  const plain = read(frame);
  if (plain.udp !== undefined) return { outer: 17, inside: frame };
  return { outer: plain.ip!.protocol, inside: readCarried(frame).inside };
}
