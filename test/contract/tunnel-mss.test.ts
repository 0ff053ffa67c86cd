// SPDX-License-Identifier: Apache-2.0
import { faults, mssOf, mssOption, packet, readCarried } from '../support/packets.js';
import { FAMILIES, type Family, fromClient, fromPod } from './net.js';
import { contract } from './rig.js';
import { addTunnel, carried, FAR, GRE, INWARDS, IPIP, request, VXLAN } from './tunnel-net.js';

// Two tunnels: the smaller MTU is that of the one that no packet of these cases goes through.
const MTU = 1_400;
const SMALLEST = 1_300;

function headers({ name }: Family): number {
  return name === 'IPv4' ? 40 : 60;
}

for (const family of FAMILIES) {
  const { name, client, other, pod, service } = family;
  const far = FAR[name];
  const fits = (mtu: number) => mtu - headers(family);
  const options = (mss: number) => mssOption(mss);

  for (const shape of [GRE, VXLAN]) {
    contract(`MSS: a SYN that leaves by ${shape.title}, ${name}`, async (rig) => {
      const { t } = rig;
      await addTunnel(rig, shape, family);
      const syn = (mss: number, flags = 'S') =>
        fromPod(far.host)
          .tcp({ src: 1, dst: 2, flags, options: options(mss) })
          .build();
      const sent = (frame: Uint8Array) => mssOf(readCarried(rig.pass(1, 0, frame)[0]).inside);
      t.is(sent(syn(1_460)), fits(MTU));
      t.is(sent(syn(1_460, 'SA')), fits(MTU));
      t.is(sent(syn(fits(MTU))), fits(MTU));
      t.is(sent(syn(536)), 536);
      t.is(sent(syn(1_460, 'A')), 1_460);
    });
  }

  contract(`MSS: a SYN that came in by a tunnel, ${name}`, async (rig) => {
    await addTunnel(rig, IPIP, family);
    await rig.engine.addInterface(request(VXLAN, family, { slot: 3, mtu: SMALLEST }));
    const syn = packet()
      .eth(INWARDS)
      .ip({ src: far.host, dst: pod })
      .tcp({ src: 1, dst: 2, flags: 'S', options: options(1_460) })
      .build();
    const [out] = rig.pass(0, 1, carried(family, IPIP.carrier, syn));
    rig.t.is(mssOf(out), fits(MTU));
  });

  contract(`MSS: a flow whose first packet came by a tunnel, ${name}`, async (rig) => {
    const { t } = rig;
    await addTunnel(rig, GRE, family);
    await rig.engine.addInterface(request(VXLAN, family, { slot: 3, mtu: SMALLEST }));
    const syn = packet()
      .eth(INWARDS)
      .ip({ src: other, dst: service })
      .tcp({ src: 40_000, dst: 80, flags: 'S', options: options(1_460) })
      .build();
    const [asked] = rig.pass(0, 1, carried(family, GRE.carrier, syn));
    t.is(mssOf(asked), fits(SMALLEST));
    // The answer goes straight; what the client sends next comes by whichever tunnel.
    const synAck = fromPod(other)
      .tcp({ src: 8_080, dst: 40_000, flags: 'SA', options: options(1_460) })
      .build();
    const [answered] = rig.pass(1, 0, synAck);
    t.is(mssOf(answered), fits(SMALLEST));
    await rig.engine.removeInterface(3);
    t.is(mssOf(rig.pass(1, 0, synAck)[0]), fits(MTU));
  });

  contract(`MSS: a flow that has to do with no tunnel, ${name}`, async (rig) => {
    await addTunnel(rig, GRE, family);
    const syn = fromClient(service)
      .tcp({ src: 40_000, dst: 80, flags: 'S', options: options(1_460) })
      .build();
    rig.t.is(mssOf(rig.pass(0, 1, syn)[0]), 1_460);
    const back = fromPod(client)
      .tcp({ src: 8_080, dst: 40_000, flags: 'SA', options: options(1_460) })
      .build();
    rig.t.is(mssOf(rig.pass(1, 0, back)[0]), 1_460);
  });

  const OPTIONS: readonly [title: string, before: number[], clamped: boolean][] = [
    ['behind nothing', [], true],
    ['at an odd place', [1], true],
    ['behind others', [4, 2, 3, 3, 7], true],
    ['behind the end', [0, 0], false],
    ['behind one that is too short', [8, 1], false],
    ['behind one that is too long', [8, 60], false],
  ];
  for (const [title, before, clamped] of OPTIONS) {
    contract(`MSS: the option ${title}, ${name}`, async (rig) => {
      await addTunnel(rig, GRE, family);
      const syn = fromPod(far.host)
        .tcp({ src: 1, dst: 2, flags: 'S', options: mssOption(1_460, before), payload: 'odd' })
        .build();
      // `Rig.receive` has checked the outer checksums alone.
      const { inside } = readCarried(rig.pass(1, 0, syn)[0]);
      rig.t.is(mssOf(inside, before.length), clamped ? fits(MTU) : 1_460);
      rig.t.deepEqual(faults(inside), []);
    });
  }

  contract(`MSS: an option of another length, ${name}`, async (rig) => {
    await addTunnel(rig, GRE, family);
    const odd = Uint8Array.of(2, 3, 0x05, 1, 2, 4, 0x05, 0xb4);
    const syn = fromPod(far.host).tcp({ src: 1, dst: 2, flags: 'S', options: odd }).build();
    rig.t.is(mssOf(readCarried(rig.pass(1, 0, syn)[0]).inside, 4), 1_460);
  });

  contract(`MTU: of the tunnel, and of what carries it, ${name}`, async (rig) => {
    const { t } = rig;
    const ip = name === 'IPv4' ? 20 : 40;
    await addTunnel(rig, GRE, family);
    const sized = (length: number) =>
      fromPod(far.host)
        .udp({ src: 1, dst: 2, payload: new Uint8Array(length - ip - 8) })
        .build();
    t.is(rig.pass(1, 0, sized(MTU)).length, 1);
    t.is(rig.pass(1, 0, sized(MTU + 1)).filter(isTunnelled).length, 0);
    t.deepEqual(rig.drops(), { mtu_exceeded: 1 });
    t.is(rig.interface(2)[2], 1);
    await rig.engine.removeInterface(2);
    await addTunnel(rig, GRE, family, { mtu: 1_500 });
    t.is(rig.pass(1, 0, sized(1_500 - ip - 4)).length, 1);
    t.deepEqual(rig.pass(1, 0, sized(1_500 - ip - 3)), []);
    t.deepEqual(rig.drops(), { mtu_exceeded: 2 });
    t.is(rig.interface(2)[2], 3, 'the tunnel has taken it');
  });
}

function isTunnelled(frame: Uint8Array): boolean {
  return frame[23] === 47 || frame[20] === 47;
}
