// SPDX-License-Identifier: Apache-2.0
import { get16, get32, type PacketBuilder, read } from '../support/packets.js';
import { type Cluster, oracleAllows, type Packet } from '../support/policy-oracle.js';
import {
  addressesOf,
  NAMESPACE_NAMES,
  PARTIES,
  POD_NAMES,
  PORTS,
  PROTOCOLS,
} from '../support/policy-world.js';
import {
  type Carried,
  HOST,
  interfaceOf,
  NODE,
  NODE_PORT,
  OUTSIDE,
  type PolicyNode,
  ROUTER,
  serviceOf,
  servicePort,
} from './policy-node.js';

/** The first packet of a connection, and where it comes out if it passes. */
export interface Probe {
  /** What the policy is asked about: behind the choice of an endpoint. */
  packet: Packet;
  /** Who is asked, and where, if not the destination itself. */
  by: { address: string; port: number } | null;
  from: string;
  to: string;
  frame: Uint8Array;
}

interface Party {
  address: string;
  at: string;
}

/** Client's ports: of what goes to a pod itself, to its service, to its node port. */
const CLIENT_PORTS = { direct: 40_000, service: 41_000, nodePort: 42_000 } as const;

const PODS = NAMESPACE_NAMES.flatMap((namespace) =>
  POD_NAMES.map((pod) => ({
    addresses: addressesOf(namespace, pod),
    services: serviceOf(namespace, pod),
    at: interfaceOf(namespace, pod),
  })),
);

/** Everything that may be asked of the node, in both families. Its frames bear the number of their row. */
export function probesOf(node: PolicyNode): Probe[] {
  const asked = ([0, 1] as const).flatMap((family) => [
    ...direct(family),
    ...byService(family),
    ...byNodePort(family),
  ]);
  return asked.map((each, number) => ({ ...each, frame: opening(node, each, number) }));
}

type Asked = Omit<Probe, 'frame'>;

/** From everybody to everybody, this node included, but what no pod has to do with. */
function direct(family: 0 | 1): Asked[] {
  const pods = podsOf(family);
  const own = NODE[family].map((address): Party => ({ address, at: HOST }));
  const others = PARTIES[family]
    .filter((address) => pods.every((pod) => pod.address !== address))
    .map((address): Party => ({ address, at: OUTSIDE }));
  const kinds: Pick<Packet, 'protocol' | 'port'>[] = [...KINDS, { protocol: 'ICMP', port: 0 }];
  return [...pods, ...own, ...others].flatMap((source) => {
    const isPod = pods.includes(source);
    const destinations = isPod ? [...pods, ...own, ...others] : pods;
    return destinations.flatMap((destination) =>
      kinds
        // We answer that ourselves.
        .filter(({ protocol }) => !(protocol === 'ICMP' && own.includes(destination)))
        .map((kind) => asking(source, destination, kind, null)),
    );
  });
}

/** From every pod, itself included, the node, and outside to the service in front of every pod. */
function byService(family: 0 | 1): Asked[] {
  const outside = { address: PARTIES[family].at(-1)!, at: OUTSIDE };
  const sources = [...podsOf(family), { address: NODE[family][0], at: HOST }, outside];
  return sources.flatMap((source) =>
    PODS.flatMap(({ addresses, services, at }) =>
      KINDS.map((kind) => {
        const by = { address: services[family], port: servicePort(kind.port) };
        return asking(source, { address: addresses[family], at }, kind, by);
      }),
    ),
  );
}

/** From outside to x/a. Its policy sees the client, though the pod will see the node. */
function byNodePort(family: 0 | 1): Asked[] {
  const { addresses, at } = PODS[0]!;
  const by = { address: NODE[family][0], port: NODE_PORT };
  const destination = { address: addresses[family], at };
  return PARTIES[family].slice(-2).map((address) => {
    return asking({ address, at: OUTSIDE }, destination, { protocol: 'TCP', port: 80 }, by);
  });
}

const KINDS = PORTS.flatMap((port) => PROTOCOLS.map((protocol) => ({ protocol, port })));

function podsOf(family: 0 | 1): Party[] {
  return PODS.map(({ addresses, at }) => ({ address: addresses[family], at }));
}

function asking(
  source: Party,
  destination: Party,
  kind: Pick<Packet, 'protocol' | 'port'>,
  by: Probe['by'],
): Asked {
  return {
    packet: {
      source: source.address,
      destination: destination.address,
      ...kind,
      byService: by !== null,
    },
    by,
    from: source.at,
    to: destination.at,
  };
}

function opening(node: PolicyNode, { packet, by, from }: Asked, number: number): Uint8Array {
  const { source, protocol } = packet;
  const { address, port } = by ?? { address: packet.destination, port: packet.port };
  const kind = by === null ? 'direct' : port === NODE_PORT ? 'nodePort' : 'service';
  const builder = node.from(from).ip({ src: source, dst: address });
  return first(builder, protocol, CLIENT_PORTS[kind], port, numbered(number)).build();
}

/** The first packet of a connection; of echo the source port is the identifier. */
export function first(
  builder: PacketBuilder,
  protocol: Packet['protocol'],
  src: number,
  dst: number,
  payload: Uint8Array,
): PacketBuilder {
  if (protocol === 'TCP') return builder.tcp({ src, dst, flags: 'S', payload });
  if (protocol === 'UDP') return builder.udp({ src, dst, payload });
  if (protocol === 'SCTP') return builder.sctp({ src, dst, chunk: 'init', payload });
  return builder.icmpEcho({ id: src, payload });
}

/** What the receiver of a frame answers. */
function answer(node: PolicyNode, { at, frame }: Carried): Uint8Array {
  const { ip, tcp, udp, sctp, icmp } = read(frame);
  const builder = node.from(at).ip({ src: ip!.dst, dst: ip!.src });
  const payload = frame.slice(-4);
  if (icmp !== undefined) return builder.icmpEcho({ id: icmp.id, reply: true, payload }).build();
  const { src: dst, dst: src } = (tcp ?? udp ?? sctp)!;
  if (tcp !== undefined) return builder.tcp({ src, dst, flags: 'SA', payload }).build();
  if (udp !== undefined) return builder.udp({ src, dst, payload }).build();
  return builder.sctp({ src, dst, chunk: 'initAck', payload }).build();
}

/** An error about a frame: from a router where there may be one, else from its receiver. */
function error(node: PolicyNode, { at, frame }: Carried): Uint8Array {
  const { src, dst } = read(frame).ip!;
  const isIpv6 = src.includes(':');
  const router = ROUTER[isIpv6 ? 1 : 0];
  const fields = isIpv6 ? { type: 1, code: 3 } : { type: 3, code: 1 };
  return node
    .from(at)
    .ip({ src: at === OUTSIDE ? router : dst, dst: src })
    .icmpError({ ...fields, quoting: frame })
    .build();
}

/** Sends all first packets; then what answers those that have passed, and errors about them. */
export class Table {
  readonly probes: readonly Probe[];
  readonly #node: PolicyNode;
  /** Frames that have been built, by their number and the client's port as the receiver sees it. */
  readonly #answers = new Map<string, Uint8Array>();
  readonly #errors = new Map<string, Uint8Array>();

  constructor(node: PolicyNode) {
    this.#node = node;
    this.probes = probesOf(node);
  }

  /** What is not as it should be, one sentence each. */
  check(expected: readonly boolean[]): string[] {
    const before = this.#node.drops;
    const passed = this.#node.exchange(this.probes.map(({ from, frame }) => ({ at: from, frame })));
    const arrived = this.#placesOf(passed);
    const after = this.#node.drops;
    const wrong = this.probes.flatMap((probe, number) => {
      const wanted = expected[number] ? wantedAt(probe) : '';
      const got = arrived.get(number) ?? '';
      return wanted === got ? [] : [`${show(probe)}: at "${got}", not at "${wanted}"`];
    });
    const denied = Object.keys(after).filter((name) => after[name] !== before[name]);
    const count = denied.reduce((sum, name) => sum + after[name]! - (before[name] ?? 0), 0);
    if (denied.some((name) => !/^policy_denied_/.test(name))) wrong.push(`dropped for ${denied}`);
    if (count !== expected.filter((each) => !each).length) wrong.push(`${count} are dropped`);
    const errors = passed.filter(({ frame }) => this.#isUdp(frame));
    return [
      ...wrong,
      ...this.#comesBack('an error', errors, this.#errors, error),
      ...this.#comesBack('an answer', passed, this.#answers, answer),
    ];
  }

  #isUdp(frame: Uint8Array): boolean {
    return this.probes[numberOf(frame)]!.packet.protocol === 'UDP';
  }

  /** Sends something about everything that has passed; all of it has to reach who began. */
  #comesBack(
    what: string,
    passed: readonly Carried[],
    known: Map<string, Uint8Array>,
    make: (node: PolicyNode, carried: Carried) => Uint8Array,
  ): string[] {
    const sent = passed.map((carried) => {
      const key = `${numberOf(carried.frame)} ${portsOf(carried.frame).src}`;
      const frame = known.get(key) ?? make(this.#node, carried);
      known.set(key, frame);
      return { at: carried.at, frame };
    });
    const numbers = new Map<number, string>();
    for (const { at, frame } of this.#node.exchange(sent)) numbers.set(numberOf(frame), at);
    return passed.flatMap(({ frame }) => {
      const number = numberOf(frame);
      const probe = this.probes[number]!;
      const got = numbers.get(number) ?? '';
      return got === probe.from ? [] : [`${what} to ${show(probe)}: at "${got}"`];
    });
  }

  /** Interface and port that each packet has come to. */
  #placesOf(received: readonly Carried[]): Map<number, string> {
    const places = new Map<number, string>();
    for (const { at, frame } of received) {
      const number = numberOf(frame);
      const { protocol } = this.probes[number]!.packet;
      const place = protocol === 'ICMP' ? at : `${at}:${portsOf(frame).dst}`;
      const other = places.get(number);
      places.set(number, other === undefined ? place : `${other} and ${place}`);
    }
    return places;
  }
}

/** What the evaluator says to each probe. */
export function expectations(given: Cluster, probes: readonly Probe[]): boolean[] {
  return probes.map(({ packet }) => oracleAllows(given, packet));
}

function wantedAt({ packet: { protocol, port }, to }: Probe): string {
  return protocol === 'ICMP' ? to : `${to}:${port}`;
}

function show({ packet, by }: Probe): string {
  const { source, destination, protocol, port } = packet;
  const way = by === null ? '' : ` by ${by.address} ${by.port}`;
  return `${source} to ${destination} ${protocol}/${port}${way}`;
}

function numbered(number: number): Uint8Array {
  const bytes = new Uint8Array(4);
  new DataView(bytes.buffer).setUint32(0, number);
  return bytes;
}

/** The last bytes of a frame, also where it is an error that quotes one. */
function numberOf(frame: Uint8Array): number {
  return get32(frame, frame.length - 4);
}

/** Ports of a frame without options or extension headers. */
function portsOf(frame: Uint8Array): { src: number; dst: number } {
  const at = get16(frame, 12) === 0x0800 ? 34 : 54;
  return { src: get16(frame, at), dst: get16(frame, at + 2) };
}
