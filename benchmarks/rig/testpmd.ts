// SPDX-License-Identifier: Apache-2.0
import { existsSync, mkdirSync, rmSync } from 'node:fs';
import type { Children, StayingProcess } from '../../lib/cli/demo/children.js';
import { waitFor } from '../../lib/cli/demo/children.js';
import { allowedCpus } from '../../lib/cli/demo/testpmd.js';
import { BACKENDS, CLIENTS, type WireKind } from './network.js';
import { BURST, RING } from './sizes.js';
import { attachments, type Target } from './target.js';

/** What testpmd does with a packet: nothing, swap the MACs, swap MACs, addresses and ports. */
export type ForwardMode = 'io' | 'macswap' | '5tswap';

const READY_TIMEOUT_MS = 20_000;

/**
 * DPDK's own forwarder in the place of Sluice: same interfaces, rings, bursts, CPU. It polls without
 * pause, so it is started for its turn and ended behind it.
 */
export class Testpmd implements Target, AsyncDisposable {
  readonly attachments: Target['attachments'];
  readonly #process: StayingProcess;

  private constructor(
    process_: StayingProcess,
    readonly name: string,
    readonly command: string,
    wire: WireKind,
    folder: string,
  ) {
    this.#process = process_;
    this.attachments = attachments(wire, folder, 'forwarder');
  }

  /** @throws Error if it does not start */
  static async start(
    children: Children,
    mode: ForwardMode,
    wire: WireKind,
    folder: string,
  ): Promise<Testpmd> {
    mkdirSync(folder, { recursive: true });
    const sockets = ['clients', 'backends'].map((side) => `${folder}/${side}.sock`);
    for (const socket of sockets) rmSync(socket, { force: true });
    const args = testpmdArguments(mode, wire, folder, allowedCpus());
    const started = children.start('dpdk-testpmd', args);
    const testpmd = new Testpmd(started, mode, ['dpdk-testpmd', ...args].join(' '), wire, folder);
    try {
      await waitFor(
        () => {
          started.assertRunning();
          return sockets.every((socket) => existsSync(socket));
        },
        {
          what: testpmd.command,
          timeoutMs: READY_TIMEOUT_MS,
          signal: new AbortController().signal,
        },
      );
    } catch (error) {
      await started.stop();
      throw error;
    }
    return testpmd;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#process.stop();
  }
}

/** The forwarding lcore takes the CPU that Sluice's first worker takes: the last one. */
export function testpmdArguments(
  mode: ForwardMode,
  wire: WireKind,
  folder: string,
  cpus: readonly number[],
): string[] {
  const devices = [
    { name: 'clients', mac: CLIENTS.mac },
    { name: 'backends', mac: BACKENDS.mac },
  ].map(({ name, mac }, index) =>
    wire === 'memif'
      ? `net_memif${index},role=server,id=0,socket=${folder}/${name}.sock,socket-abstract=no,mac=${mac}`
      : `net_vhost${index},iface=${folder}/${name}.sock,queues=1,client=0`,
  );
  return [
    ...['--lcores', `0@(${cpus.join(',')}),1@${cpus.at(-1)}`],
    ...['--in-memory', '--single-file-segments', '--no-pci', '--no-telemetry'],
    ...['--log-level', 'error'],
    ...devices.flatMap((device) => ['--vdev', device]),
    '--',
    ...[`--forward-mode=${mode}`, '--auto-start', '--disable-link-check', '--no-mlockall'],
    ...[`--burst=${BURST}`, `--rxd=${RING}`, `--txd=${RING}`, '--total-num-mbufs=16384'],
  ];
}
