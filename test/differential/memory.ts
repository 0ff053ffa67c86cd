// SPDX-License-Identifier: Apache-2.0
import { advertisement, arp, packet, type ReadPacket, read } from '../support/packets.js';
import type { Deed } from './steps.js';
import { type Arrival, MACS, PEER_MACS, V4, V6 } from './world.js';

const KEPT = 24;
const ECHO_REQUESTS: readonly number[] = [8, 128];
const ERROR_TYPES = { 4: [3, 3, 11, 12], 6: [1, 2, 3, 4] } as const;

/** What the peers have seen and sent of late, and the frames that they make of it. */
export class Memory {
  #seen: Arrival[] = [];
  #sent: Arrival[] = [];

  /** Frames that came out of the engine. */
  see(frames: readonly Arrival[]): void {
    this.#seen = [...this.#seen, ...frames.filter(isPacket)].slice(-KEPT);
  }

  /** `null` where nothing has come out that could be answered. */
  perform(deed: Deed): Arrival | null {
    const made = this.#make(deed);
    if (made !== null && isPacket(made) && !isDiscovery(made))
      this.#sent = [...this.#sent, made].slice(-KEPT);
    return made;
  }

  #make(deed: Deed): Arrival | null {
    if (deed.kind === 'frame') return deed.arrival;
    const frames = deed.kind === 'continue' ? this.#sent : this.#seen;
    const about = frames.at(-1 - (deed.of % Math.max(1, frames.length)));
    if (about === undefined) return null;
    const found = read(about.frame);
    if (deed.kind === 'answer' && (found.arp ?? found.nd) !== undefined)
      return introduce(about, found);
    if (found.ip === undefined) return null;
    if (deed.kind === 'error') return complain(deed, about, found);
    return deed.kind === 'answer' ? answer(deed, about, found) : goOn(deed, about, found);
  }
}

/** Long enough to be taken apart. */
function isPacket({ frame }: Arrival): boolean {
  return frame.length >= 42 && (frame[12] === 0x08 || (frame[12] === 0x86 && frame.length >= 62));
}

/** Questions for neighbours, and their answers, have no next one. */
function isDiscovery({ frame }: Arrival): boolean {
  const { arp, nd } = read(frame);
  return (arp ?? nd) !== undefined;
}

/** From the station that a frame went to, back. */
function back({ on }: Arrival, src: string, dst: string) {
  return packet().eth({ src: PEER_MACS[on], dst: MACS[on] }).ip({ src, dst });
}

/** A neighbour that is asked for says who it is. */
function introduce({ on }: Arrival, { arp: asked, nd, ip }: ReadPacket): Arrival | null {
  const mac = PEER_MACS[on];
  if (asked !== undefined) {
    if (asked.operation !== 1) return null;
    const told = { operation: 2, senderMac: mac, sender: asked.target, target: asked.sender };
    return { on, frame: arp({ ...told, targetMac: asked.senderMac, dst: MACS[on] }) };
  }
  if (nd?.kind !== 'solicitation') return null;
  const told = { mac, sender: nd.target, target: nd.target, to: ip?.src ?? '', dst: MACS[on] };
  return { on, frame: advertisement(told) };
}

type Of<K extends Deed['kind']> = Extract<Deed, { kind: K }>;

function answer({ flags, chunk }: Of<'answer'>, about: Arrival, found: ReadPacket): Arrival | null {
  const { ip, tcp, udp, sctp, icmp } = found;
  const builder = back(about, ip?.dst ?? '', ip?.src ?? '');
  if (tcp) builder.tcp({ src: tcp.dst, dst: tcp.src, flags, seq: tcp.ack, ack: tcp.seq + 1 });
  else if (udp) builder.udp({ src: udp.dst, dst: udp.src, payload: udp.payload.slice(0, 40) });
  else if (sctp) builder.sctp({ src: sctp.dst, dst: sctp.src, chunk });
  else if (icmp && ECHO_REQUESTS.includes(icmp.type)) builder.icmpEcho({ ...icmp, reply: true });
  else return null;
  return { on: about.on, frame: builder.build() };
}

function goOn({ flags, chunk }: Of<'continue'>, about: Arrival, found: ReadPacket): Arrival | null {
  const { ip, tcp, udp, sctp, icmp } = found;
  const builder = back(about, ip?.src ?? '', ip?.dst ?? '');
  if (tcp) builder.tcp({ src: tcp.src, dst: tcp.dst, flags, seq: tcp.seq + 1 });
  else if (udp) builder.udp({ src: udp.src, dst: udp.dst, payload: 'more' });
  else if (sctp) builder.sctp({ src: sctp.src, dst: sctp.dst, chunk });
  else if (icmp && icmp.quoted === undefined)
    builder.icmp({ type: icmp.type, id: icmp.id, seq: icmp.seq + 1 });
  else return null;
  return { on: about.on, frame: builder.build() };
}

function complain(deed: Of<'error'>, about: Arrival, { ip, ipv4 }: ReadPacket): Arrival {
  const { family, gateway } = ipv4 === undefined ? V6 : V4;
  const src = deed.router ? gateway : (ip?.dst ?? '');
  const frame = back(about, src, ip?.src ?? '')
    .icmpError({
      type: ERROR_TYPES[family][deed.type],
      code: deed.code,
      mtu: 1_280,
      quoting: about.frame,
      length: (family === 4 ? 20 : 40) + deed.quoted,
    })
    .build();
  if (deed.flip !== null) {
    // Within the quoted packet.
    const at = (family === 4 ? 42 : 62) + (deed.flip >> 3);
    if (at < frame.length) frame[at] ^= 1 << (deed.flip & 7);
  }
  return { on: about.on, frame };
}
