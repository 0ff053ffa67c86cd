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

/** Who sends to whom. Flow `f` of `flows` comes from the client `clients + f mod 2^16` and port `1024 +
 * f div 2^16`, and goes to service `f mod services.count`. All addresses are of one family, and only
 * the last 32 bits are counted up: a base must leave room for what follows it. */
export interface Population {
  family: 4 | 6;
  protocol: 'udp' | 'tcp';
  /** 1 to 4,000,000. Of setup runs nothing: their flows are all new. */
  flows: number;
  /** How often which flow: evenly, each once in a cycle, or by Zipf's law with this exponent (the
   * first flow is the most frequent; 2^20 draws, over and over). */
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
      /** At least a burst; more than half of the ring gains nothing. */
      window: number;
    }
  /** So many packets a second over both directions; each packet's time there is taken. */
  | { kind: 'latency'; packetsPerSecond: number }
  /** Every packet is a new UDP flow; flows are not used again within a run. */
  | ({ kind: 'setup-udp'; window: number } & Fresh)
  /** `window` connections at a time, both ends of them: SYN, SYN ACK, ACK, FIN ACK, ACK, FIN ACK, ACK
   * (7); with `data` a query and an answer after the third, and the backend's ACK and FIN ACK in one
   * (8). Data is as long as `frame` says. */
  | ({ kind: 'setup-tcp'; window: number; data: boolean } & Fresh)
  /** Queries on flows that exist, UDP's header and payload `bytes` long, each in fragments that fit
   * into `mtu`; `window` counts fragments. */
  | { kind: 'fragments'; bytes: number; mtu: number; window: number };

/** Flows that are to be new to the device under test. */
export interface Fresh {
  /** The first of them, default 0. A later run on the same device starts behind `Outcome.flows`. */
  first?: number;
  /** The run ends early after so many, warm-up included, and its warm-up after a quarter of them. */
  limit?: number;
}

export interface Traffic {
  /** CPU that the generator's lcore is pinned to. */
  cpu: number;
  client: Attachment;
  backend: Attachment;
  population: Population;
  /** Bytes of a frame as Ethernet counts them, with the 4 of the FCS that memif does not carry: 64 to
   * 1,518. `imix`: 7 of 64, 4 of 594, 1 of 1,518. Frames are at least as long as their headers and
   * what the generator writes behind them (14 bytes, of TCP 6 unless latency is measured): IPv6 over
   * UDP is 80, IPv6 over TCP is 84, TCP over IPv4 with a time is 72. */
  frame: number | 'imix';
  /** Frames in an rx or tx call, 1 to 128. */
  burst: number;
  /** Slots of each ring: a power of two, 64 to 16,384. */
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
  /** Of those looked at (`checked`, at least one of every burst that came in, and what opened the
   * flows): checksum wrong, backend or service wrong, flow at two backends, other. */
  wrong: { checksum: number; backend: number; moved: number; other: number };
  checked: number;
  /** Connections (setup-tcp) or flows (setup-udp) that came through whole in the measured time; else
   * 0. */
  connections: number;
  /** setup-tcp: connections that did not within 200 ms, in the whole run. */
  failed: number;
  /** Setup runs: flows that were begun in the whole run, counted from `first`. */
  flows: number;
  /** `fragments`: datagrams whose fragments have all come, in the whole run. */
  datagrams: number;
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
  /** How many of the queries looked at the backends of each service got; the first 16 services. */
  shares: number[][];
  /** Share of the measured time in which there was something to send or to take, and TSC clocks of
   * it for each packet received, DPDK's driver included. A generator that is busy all the time may be
   * what limits the rate. */
  generator: { busy: number; clocksPerPacket: number };
}
