// SPDX-License-Identifier: Apache-2.0
import { existsSync, readFileSync, rmSync } from 'node:fs';
import { DPDK_FOLDER, ownName } from './abandoned.js';
import type { Children, StayingProcess } from './children.js';
import type { Cleanup } from './cleanup.js';
import type { EchoSeat } from './shop.js';

/**
 * Starts a `dpdk-testpmd` as the peer of a memif or vhost-user interface of ours. It swaps the
 * addresses and ports of what it gets and sends it back: an echo server for UDP. It does not answer
 * ARP.
 *
 * @param index - which of the processes it is: they keep out of each other's way
 * @param socket - the socket that Sluice has made
 */
export function startEcho(
  children: Children,
  cleanup: Cleanup,
  seat: EchoSeat,
  index: number,
  socket: string,
): StayingProcess {
  const prefix = ownName(seat.name);
  const runtime = `${DPDK_FOLDER}/${prefix}`;
  const removeRuntime = (): void => rmSync(runtime, { recursive: true, force: true });
  cleanup.defer(`folder ${runtime}`, removeRuntime, removeRuntime);
  // It polls without pause: the lowest priority leaves the CPU to those who have work.
  const process_ = children.start('nice', [
    '-n',
    '19',
    'dpdk-testpmd',
    ...args(seat, index, socket, prefix),
  ]);
  cleanup.defer(`process of ${seat.name}`, () => process_.stop());
  return process_;
}

function args(seat: EchoSeat, index: number, socket: string, prefix: string): string[] {
  const device =
    seat.kind === 'memif'
      ? `net_memif0,role=client,id=0,socket=${socket},socket-abstract=no,mac=${seat.mac}`
      : `net_virtio_user0,path=${socket},queues=1,mac=${seat.mac}`;
  const cpus = allowedCpus();
  return [
    ...['--lcores', `0@(${cpus.join(',')}),1@${echoCpu(cpus, index)}`],
    // Ordinary memory does for an echo, and leaves the hugepages to the engine.
    ...['--no-huge', '-m', '64', '--no-shconf', '--no-pci', '--no-telemetry'],
    ...['--file-prefix', prefix, '--log-level', 'error', '--vdev', device, '--'],
    ...['--forward-mode=5tswap', '--auto-start', '--disable-link-check', '--no-mlockall'],
    '--total-num-mbufs=2048',
  ];
}

/** Sluice's workers take CPUs from the last one down, so these go from the first one up. */
export function echoCpu(cpus: readonly number[], index: number): number {
  return cpus[index % Math.max(1, cpus.length - 1)] ?? 0;
}

/** CPUs that this process may run on. */
export function allowedCpus(): number[] {
  const path = '/proc/self/status';
  const status = existsSync(path) ? readFileSync(path, 'utf8') : '';
  return parseCpuList(/^Cpus_allowed_list:\s*(\S+)$/m.exec(status)?.[1] ?? '0');
}

/** `0-2,5` is 0, 1, 2, 5. */
export function parseCpuList(list: string): number[] {
  return list.split(',').flatMap((part) => {
    const [first = 0, last = first] = part.split('-').map(Number);
    return Array.from({ length: last - first + 1 }, (_, offset) => first + offset);
  });
}
