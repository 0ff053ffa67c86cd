// SPDX-License-Identifier: Apache-2.0
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import type { ExecutionContext } from 'ava';
import { pino } from 'pino';
import { NodeAgent } from '../../lib/agent/agent.js';
import { effectiveConfiguration } from '../../lib/agent/effective.js';
import { folderOf } from '../support/cli.js';
import { parseExposition } from '../support/exposition.js';
import type { TestCluster } from './cluster.js';
import type { Tree } from './server/objects.js';

export const NODE = 'agent-node';
const WAIT_MS = 20_000;

/** A line of the agent's log. */
export interface LoggedLine {
  level: number;
  msg: string;
  [field: string]: unknown;
}

/** A node agent on the software engine, in this process. */
export class LocalAgent {
  readonly agent: NodeAgent;
  readonly lines: LoggedLine[];

  private constructor(agent: NodeAgent, lines: LoggedLine[]) {
    this.agent = agent;
    this.lines = lines;
  }

  /**
   * Resolves when the first lists are in force. Closed when the test ends.
   * @param more - keys of its configuration
   */
  static async start(t: ExecutionContext, cluster: TestCluster, more = {}): Promise<LocalAgent> {
    const folder = await folderOf(t);
    const file = join(folder, 'agent.yaml');
    const document = {
      apiVersion: 'sluice.dev/v1alpha1',
      kind: 'AgentConfiguration',
      clientConnection: { kubeconfig: cluster.kubeconfig },
      hostnameOverride: NODE,
      engine: 'software',
      healthzBindAddress: '127.0.0.1:0',
      metricsBindAddress: '127.0.0.1:0',
      ...more,
    };
    writeFileSync(file, JSON.stringify(document));
    const configuration = await effectiveConfiguration(
      { '--config': file },
      { hostname: NODE, cpus: 1, control: join(folder, 'c'), lockFile: join(folder, 'l') },
    );
    const lines: LoggedLine[] = [];
    const log = pino({ level: 'debug' }, { write: (text) => void lines.push(JSON.parse(text)) });
    const agent = await NodeAgent.start({ configuration, log, version: '0.0.0' });
    t.teardown(() => agent.close());
    await agent.ready;
    return new LocalAgent(agent, lines);
  }

  /** What a service answers on, and with whom: `10.96.0.1 80/TCP=10.1.1.1:8080`; `null`: it is not served. */
  serving(namespace: string, name: string): string | null {
    const found = this.agent.proxy.services.find(
      (each) => each.namespace === namespace && each.name === name,
    );
    if (found === undefined) return null;
    const ports = found.ports.map(({ port, protocol, backends }) => {
      const active = backends.filter(({ state }) => state === 'active');
      const ends = active.map((each) => `${each.address}:${each.port}`).sort();
      return `${port}/${protocol}=${ends.join(',')}`;
    });
    return [...found.addresses, ...ports].join(' ');
  }

  /** Lines that complain, and name an object. */
  complaints(namespace: string, name: string): LoggedLine[] {
    const key = namespace === '' ? `Policy ${name}` : `\\b${namespace}/${name}`;
    const whole = new RegExp(`${key}(?![\\w.-])`);
    return this.lines.filter(
      (line) =>
        line.level >= 40 &&
        ((line['namespace'] === namespace && line['name'] === name) ||
          (namespace === '' && line['name'] === name) ||
          whole.test(JSON.stringify(line))),
    );
  }

  /** The value of a metric, or of the one of its series that has a label. */
  async metric(name: string, labels: Record<string, string> = {}): Promise<number | undefined> {
    const all = parseExposition(await this.agent.metrics.scrape());
    return all.get(name)?.samples.find((sample) => isDeepStrictEqual(sample.labels, labels))?.value;
  }

  refused(kind: string): Promise<number | undefined> {
    return this.metric('sluice_source_refused_objects', { kind });
  }

  /** Waits until something is so. */
  async until<T>(t: ExecutionContext, read: () => T | Promise<T>, expected: T): Promise<void> {
    const end = Date.now() + WAIT_MS;
    let value = await read();
    while (!isDeepStrictEqual(value, expected) && Date.now() < end) {
      await new Promise((resolve) => setTimeout(resolve, 10));
      value = await read();
    }
    t.deepEqual(value, expected);
  }
}

/** A Service as an API server has it. */
export const wholeService = (namespace: string, name: string, ip: string, port = 80): Tree => ({
  metadata: { namespace, name, uid: `service ${name}` },
  spec: { type: 'ClusterIP', clusterIP: ip, clusterIPs: [ip], ports: [{ name: 'http', port }] },
});

/** A slice of it. */
export const wholeSlice = (
  namespace: string,
  service: string,
  addresses: readonly string[],
  port = 8080,
): Tree => ({
  metadata: {
    namespace,
    name: `${service}-1`,
    uid: `slice ${service}`,
    labels: { 'kubernetes.io/service-name': service },
  },
  addressType: 'IPv4',
  endpoints: addresses.map((address) => ({ addresses: [address] })),
  ports: [{ name: 'http', port }],
});
