// SPDX-License-Identifier: Apache-2.0
import { arriving, type Cluster, type Net } from './cluster.js';

type Protocol = 'tcp' | 'udp' | 'sctp';

/** A connection of the pod with an endpoint of the first service, both sides of which have spoken. */
export class Connection {
  readonly endpoint: string;

  constructor(
    readonly cluster: Cluster,
    readonly net: Net,
    readonly protocol: Protocol,
    readonly port = 10_000,
  ) {
    this.endpoint = this.say(true);
    this.answer(protocol === 'tcp' ? 'SA' : 'initAck');
    this.say();
  }

  /** Sends from the client; the endpoint that it reaches, `refused`, or nothing. */
  say(opening = false): string {
    const out = this.cluster.send('pod', this.frame(opening));
    if (out.length === 0) return '';
    const [{ frame }] = out;
    return frame.tcp?.flags.includes('R') || frame.icmp?.quoted ? 'refused' : (frame.ip?.dst ?? '');
  }

  /** Sends from the endpoint; the source that the client sees, or nothing. */
  answer(word = this.protocol === 'tcp' ? 'A' : 'data'): string {
    const from = this.endpoint === this.net.local(1) ? 'pod' : 'outside';
    const builder = arriving(from).ip({ src: this.endpoint, dst: this.net.sources.pod });
    const ports = { src: 8080, dst: this.port };
    if (this.protocol === 'tcp') builder.tcp({ ...ports, flags: word });
    else if (this.protocol === 'udp') builder.udp(ports);
    else builder.sctp({ ...ports, chunk: word as 'data' });
    const out = this.cluster.send(from, builder.build());
    return out[0]?.frame.ip?.src ?? '';
  }

  frame(opening = false): Uint8Array {
    const fields = {
      from: 'pod',
      to: this.net.cluster(1),
      port: 80,
      sourcePort: this.port,
    } as const;
    if (opening || this.protocol === 'udp') {
      return this.cluster.opening({ ...fields, protocol: this.protocol });
    }
    const builder = arriving('pod').ip({
      src: this.net.sources.pod,
      dst: this.net.cluster(1),
    });
    const ports = { src: this.port, dst: 80 };
    return this.protocol === 'tcp'
      ? builder.tcp({ ...ports, flags: 'PA' }).build()
      : builder.sctp({ ...ports, chunk: 'data' }).build();
  }
}
