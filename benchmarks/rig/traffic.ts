// SPDX-License-Identifier: Apache-2.0

/** One side of the generator: it attaches to what the device under test has opened. */
export interface Attachment {
  /** `vhost-user`: the device under test listens, the generator is its virtio-user. */
  kind: 'memif' | 'vhost-user';
  /** Absolute path of the Unix socket. The generator connects. */
  socket: string;
  /** MAC that the device under test has on this side. */
  peerMac: string;
  /** MAC that the generator has on this side. */
  mac: string;
}

/** Who sends to whom. Flow `f` of `flows` comes from the client `clients + f mod 2^16` and a port of
 * its own, and goes to service `f mod services.count`. All addresses are of one family. */
export interface Population {
  family: 4 | 6;
  protocol: 'udp' | 'tcp';
  /** 1 to 4,000,000. */
  flows: number;
  /** How often which flow: evenly, or by Zipf's law with this exponent. */
  spread: 'even' | { zipf: number };
  /** First address of the clients. */
  clients: string;
  /** Service `s` has address `base + s` and this port. */
  services: { base: string; count: number; port: number };
  /** Backend `b` of service `s` has address `base + s * each + b` and this port. */
  backends: { base: string; each: number; port: number };
}

/** What the generator does. One lcore, both sides. */
export type Run =
  /** As fast as the other side takes it, at most `window` frames under way in each direction. */
  | {
      kind: 'throughput';
      /** `both`: queries from the client side and replies from the backend side, one for one. */
      directions: 'both' | 'queries';
      window: number;
    }
  /** So many packets a second over both directions; each packet's time there is taken. */
  | { kind: 'latency'; packetsPerSecond: number }
  /** Every packet is a new UDP flow; flows are not used again within a run. */
  | { kind: 'setup-udp'; window: number }
  /** SYN, SYN ACK, ACK, a query, an answer, FIN ACK, FIN ACK, ACK (8 with the data; 7 without). */
  | { kind: 'setup-tcp'; window: number; data: boolean }
  /** UDP datagrams of `bytes`, each in fragments that fit into `mtu`, all on flows that exist. */
  | { kind: 'fragments'; bytes: number; mtu: number; window: number };

export interface Traffic {
  /** CPU that the generator's lcore is pinned to. */
  cpu: number;
  client: Attachment;
  backend: Attachment;
  population: Population;
  /** Bytes of a frame as Ethernet counts them, with the 4 of the FCS that memif does not carry: 64 to
   * 1,518. `imix`: 7 of 64, 4 of 594, 1 of 1,518. */
  frame: number | 'imix';
  /** Frames in an rx or tx call, 1 to 128. */
  burst: number;
  /** Slots of each ring. */
  ring: number;
  run: Run;
  /** Before the measurement. */
  warmUpSeconds: number;
  seconds: number;
  /**
   * `proxy`: packets come out at the other side as a service proxy must leave them: addressed to a
   * backend of the service, always the same one for a flow, replies from the service's address,
   * checksums right. Every flow is opened before the measurement (UDP: a query and a reply).
   * `forwarder`: whatever goes in comes out at the other side (testpmd); nothing is opened before.
   */
  peer: 'proxy' | 'forwarder';
}

/** What a run came to. Times in nanoseconds. */
export interface Outcome {
  seconds: number;
  /** Packets that the rings took, and that came back, within the measured time. */
  sent: number;
  received: number;
  packetsPerSecond: number;
  /** Of the whole run, after the rings have run empty: counted as sent, never seen again. */
  lost: number;
  /** Of those looked at (`checked`): checksum wrong, backend wrong, flow at two backends, other. */
  wrong: { checksum: number; backend: number; moved: number; other: number };
  checked: number;
  /** Connections (setup-tcp) or flows (setup-udp) that came through whole; else 0. */
  connections: number;
  /** `latency` only. */
  latency: {
    samples: number;
    min: number;
    p50: number;
    p99: number;
    p999: number;
    max: number;
    /** [upper bound in ns, samples], bounds 2 % apart. */
    histogram: [number, number][];
  } | null;
  /** How many packets the backends of each service got, for the shares; the first 16 services. */
  shares: number[][];
}
