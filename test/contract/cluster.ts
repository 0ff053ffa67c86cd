// SPDX-License-Identifier: Apache-2.0
import { Compiler, interfaceRequest } from '../../lib/compile/compile.js';
import type { EngineOptions } from '../../lib/engine/engine.js';
import { checkModel } from '../../lib/model/check.js';
import type { Backend, InterfaceSpec, Model, NodeSpec, Service } from '../../lib/model/model.js';
import {
  arp,
  linkLocal,
  type PacketBuilder,
  packet,
  type ReadPacket,
  read,
  solicitation,
} from '../support/packets.js';
import { type Rig, withEngine } from './rig.js';

/**
 * A node of a cluster, by the real compiler: pods on interface 0, the node's own processes on 1,
 * everybody else on 2. Services are asked by packets, and judged by the frames that come out.
 */

/** Addresses of one family. */
export interface Net {
  name: 'IPv4' | 'IPv6';
  /** Who asks. */
  sources: Readonly<Record<From, string>>;
  /** Of this node, on the interface outside; node ports are on it. */
  node: string;
  /** Of this node, on the pods' interface. */
  bridge: string;
  /** Endpoints of the n-th service on this node, and on another one. */
  local(n: number): string;
  remote(n: number): string;
  /** The n-th service's. */
  cluster(n: number): string;
  external(n: number): string;
  balancer(n: number): string;
  prefixes: { pods: string; otherPods: string; all: string; length: number };
  gateways: { outside: string; otherNode: string };
}

export type From = 'pod' | 'node' | 'outside';

const INTERFACE = { pod: 0, node: 1, outside: 2 } as const;
const US = ['02:00:00:00:00:10', '02:00:00:00:00:11', '02:00:00:00:00:12'];
/** Ours, on the interface to the node's kernel. */
const HOST_ADDRESS = '169.254.10.1';
const PEERS = ['02:00:00:00:00:20', '02:00:00:00:00:21', '02:00:00:00:00:22'];

export const NET4: Net = {
  name: 'IPv4',
  sources: { pod: '10.180.0.77', node: '192.168.0.2', outside: '203.0.113.9' },
  node: '192.168.0.2',
  bridge: '10.180.0.254',
  local: (n) => `10.180.0.${n}`,
  remote: (n) => `10.180.1.${n}`,
  cluster: (n) => `172.30.0.4${n}`,
  external: (n) => `198.51.100.${n}`,
  balancer: (n) => `192.0.2.${n}`,
  prefixes: { pods: '10.180.0.0/25', otherPods: '10.180.1.0/24', all: '0.0.0.0/0', length: 24 },
  gateways: { outside: '192.168.0.1', otherNode: '192.168.0.3' },
};

export const NET6: Net = {
  name: 'IPv6',
  sources: { pod: 'fd80::77', node: 'fd19::2', outside: '2001:db8:9::9' },
  node: 'fd19::2',
  bridge: 'fd80::254',
  local: (n) => `fd80::${n}`,
  remote: (n) => `fd80:0:0:1::${n}`,
  cluster: (n) => `fd30::4${n}`,
  external: (n) => `2001:db8:1::${n}`,
  balancer: (n) => `2001:db8:2::${n}`,
  prefixes: { pods: 'fd80::/65', otherPods: 'fd80:0:0:1::/64', all: '::/0', length: 64 },
  gateways: { outside: 'fd19::1', otherNode: 'fd19::3' },
};

export const NETS = [NET4, NET6] as const;

const OWN = NETS.flatMap(({ node, bridge }) => [node, bridge]);

/** Ready endpoints of the n-th service: one here and one elsewhere. */
export function endpoints(net: Net, n: number, port: number | undefined = 8080): Backend[] {
  return [
    { address: net.local(n), port, node: 'here' },
    { address: net.remote(n), port, node: 'elsewhere' },
  ];
}

/** A frame of a peer on the interface where `from` is. */
export function arriving(from: From): PacketBuilder {
  const slot = INTERFACE[from];
  return packet().eth({ src: PEERS[slot], dst: US[slot] });
}

export interface Ask {
  from: From;
  to: string;
  port: number;
  protocol?: 'tcp' | 'udp' | 'sctp';
  /** Default: the one of `from`. */
  source?: string;
  /** Of the first flow; others count up. */
  sourcePort?: number;
}

/** A cluster under test. */
export class Cluster {
  readonly #compiler: Compiler;
  readonly #slots: ReadonlyMap<string, { slot: number }>;
  #port = 20_000;
  #masqueraded = 0;
  #drops: Record<string, number> = {};

  private constructor(
    readonly rig: Rig,
    specs: readonly InterfaceSpec[],
  ) {
    this.#compiler = new Compiler(rig.engine.options);
    this.#slots = new Map(specs.map(({ name }, slot) => [name, { slot }]));
  }

  static async open(rig: Rig, node: NodeSpec, podScope: 'pod' | 'outside'): Promise<Cluster> {
    const specs = interfaces(podScope);
    const cluster = new Cluster(rig, specs);
    const checked = checkModel({ interfaces: specs }).interfaces ?? [];
    for (const [slot, spec] of checked.entries()) {
      await rig.engine.addInterface(interfaceRequest(spec, slot));
    }
    await cluster.apply({ interfaces: specs, routes: routes(), node });
    cluster.#meetHost();
    return cluster;
  }

  /** The node's kernel asks for us from each of the node's addresses, so that we know its MAC. */
  #meetHost(): void {
    const [mac, peer] = [US[1], PEERS[1]];
    const asks = NETS.flatMap(({ node, bridge }) =>
      [node, bridge].map((sender) =>
        sender.includes(':')
          ? solicitation({ mac: peer, sender, target: linkLocal(mac) })
          : arp({ operation: 1, senderMac: peer, sender, target: HOST_ADDRESS }),
      ),
    );
    this.rig.send(INTERFACE.node, ...asks);
    this.rig.step();
    this.rig.t.is(this.rig.receive(INTERFACE.node).length, asks.length);
  }

  async apply(model: Model): Promise<void> {
    const plan = this.#compiler.plan(checkModel(model), this.#slots);
    await this.rig.engine.commit(plan.delta);
    plan.accept();
  }

  services(...services: Service[]): Promise<void> {
    return this.apply({ services });
  }

  /** Sends one new connection's first packet, and takes all that comes out. */
  first(ask: Ask): { sent: Uint8Array; out: { slot: number; frame: ReadPacket }[] } {
    const sent = this.opening({ sourcePort: this.#port++, ...ask });
    return { sent, out: this.send(ask.from, sent) };
  }

  opening({ from, to, port, protocol, source, sourcePort }: Ask): Uint8Array {
    const src = source ?? (to.includes(':') ? NET6 : NET4).sources[from];
    const builder = arriving(from).ip({ src, dst: to });
    const ports = { src: sourcePort ?? 10_000, dst: port };
    if (protocol === 'udp') return builder.udp(ports).build();
    if (protocol === 'sctp') return builder.sctp({ ...ports, chunk: 'init' }).build();
    return builder.tcp({ ...ports, flags: 'S' }).build();
  }

  /** Sends a frame and takes all that comes out. */
  send(from: From, frame: Uint8Array): { slot: number; frame: ReadPacket }[] {
    this.rig.send(INTERFACE[from], frame);
    this.rig.step();
    return [0, 1, 2].flatMap((slot) =>
      this.rig.receive(slot).map((received) => ({ slot, frame: read(received) })),
    );
  }

  /** The endpoint that a new connection gets, or what becomes of it. */
  endpoint(ask: Ask): string {
    return this.#judge(ask, this.first(ask)).to;
  }

  /**
   * What becomes of many new connections: the endpoints in order, with `M` if the source has been
   * rewritten; or `REJECT`, `DROP` with the reason, `PASS` (routed as it is).
   */
  verdict(ask: Ask, count = 24): string {
    const seen = new Set<string>();
    for (let n = 0; n < count; n++) {
      const { to, masqueraded } = this.#judge(ask, this.first(ask));
      seen.add(masqueraded ? `${to} M` : to);
    }
    const marks = new Set([...seen].map((each) => each.endsWith(' M')));
    const names = [...seen].map((each) => each.replace(/ M$/, '')).toSorted();
    const mark = marks.size === 2 ? ' sometimes M' : marks.has(true) ? ' M' : '';
    return names.join(' ') + mark;
  }

  #judge(ask: Ask, { sent, out }: ReturnType<Cluster['first']>) {
    if (out.length === 0) return { to: `DROP ${this.#lastReason()}`, masqueraded: false };
    const [{ frame, slot }] = out;
    this.rig.t.is(out.length, 1);
    const before = read(sent);
    const refused = frame.tcp?.flags.includes('R') || frame.icmp?.quoted !== undefined;
    if (refused) {
      this.rig.t.is(slot, INTERFACE[ask.from]);
      this.rig.t.is(frame.ip?.dst, before.ip?.src);
      this.#lastReason();
      return { to: 'REJECT', masqueraded: false };
    }
    if (frame.ip?.dst === ask.to) return { to: 'PASS', masqueraded: false };
    // The node may be masqueraded by its own address: the counter tells, and the frame bears it out.
    const masqueraded = this.rig.counter('masqueraded') > this.#masqueraded;
    this.#masqueraded = this.rig.counter('masqueraded');
    const source = frame.ip?.src ?? '';
    if (masqueraded) this.rig.t.true(OWN.includes(source), `${source} is an address of ours`);
    else this.rig.t.is(before.ip?.src, source);
    return { to: frame.ip?.dst ?? '', masqueraded };
  }

  #lastReason(): string {
    const drops = this.rig.drops();
    const grown = Object.keys(drops).filter((name) => drops[name] !== this.#drops[name]);
    this.#drops = drops;
    return grown.join(', ');
  }
}

/** What a case wants other than usual. */
export interface Surroundings {
  node?: NodeSpec;
  /** Default `zone-a`. */
  zone?: string | null;
  /** Of the pods' interface. Default `pod`. */
  podScope?: 'pod' | 'outside';
  options?: Partial<EngineOptions>;
}

/** Registers a case for every engine. */
export function inCluster(
  title: string,
  body: (cluster: Cluster) => Promise<void> | void,
  more: Surroundings = {},
): void {
  withEngine(
    title,
    async (rig) => {
      const zone = more.zone === null ? {} : { zone: more.zone ?? 'zone-a' };
      const node = { name: 'here', ...zone, ...more.node };
      await body(await Cluster.open(rig, node, more.podScope ?? 'pod'));
    },
    more.options,
  );
}

function interfaces(podScope: 'pod' | 'outside'): InterfaceSpec[] {
  const at = (address: string, { prefixes }: Net) => `${address}/${prefixes.length}`;
  return [
    {
      kind: 'memory',
      name: 'pods',
      scope: podScope,
      mac: US[0],
      addresses: NETS.map((net) => at(net.bridge, net)),
    },
    {
      kind: 'memory',
      name: 'host',
      scope: 'host',
      mac: US[1],
      addresses: [`${HOST_ADDRESS}/32`],
    },
    {
      kind: 'memory',
      name: 'outside',
      mac: US[2],
      addresses: NETS.map((net) => at(net.node, net)),
    },
  ];
}

function routes(): NonNullable<Model['routes']> {
  return NETS.flatMap(({ prefixes, gateways }) => [
    { prefix: prefixes.pods, dev: 'pods', mac: PEERS[0] },
    { prefix: prefixes.otherPods, via: gateways.otherNode, mac: PEERS[2] },
    { prefix: prefixes.all, via: gateways.outside, mac: PEERS[2] },
  ]);
}
