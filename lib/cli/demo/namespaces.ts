// SPDX-License-Identifier: Apache-2.0
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { NETNS_FOLDER, ownName } from './abandoned.js';
import type { Children } from './children.js';
import type { Cleanup } from './cleanup.js';
import { PREFIX_LENGTH, type Seat } from './shop.js';

/** The name of the device that a pod sees. */
export const POD_DEVICE = 'eth0';

/** Network namespaces that stand for pods; their names carry the number of this process. */
export class Namespaces {
  readonly #children: Children;
  readonly #cleanup: Cleanup;
  readonly #names = new Map<string, string>();

  constructor(children: Children, cleanup: Cleanup) {
    this.#children = children;
    this.#cleanup = cleanup;
  }

  get count(): number {
    return this.#names.size;
  }

  /** Name of a seat's namespace, as `ip netns` knows it. */
  nameOf(seat: Seat): string {
    return this.#names.get(seat.name) ?? ownName(seat.name);
  }

  async add(seat: Seat, signal: AbortSignal): Promise<void> {
    const name = ownName(seat.name);
    this.#names.set(seat.name, name);
    this.#cleanup.defer(
      `namespace ${name}`,
      async () => {
        if (!existsSync(`${NETNS_FOLDER}/${name}`)) return;
        await this.#children.run('ip', ['netns', 'del', name]);
        if (existsSync(`${NETNS_FOLDER}/${name}`)) throw new Error('still listed');
      },
      () => {
        spawnSync('ip', ['netns', 'del', name], { timeout: 5_000 });
      },
    );
    await this.#children.run('ip', ['netns', 'add', name], { signal });
    // Router solicitations and their like would be noise among the drops. A kernel without IPv6
    // has no such files.
    const quiet =
      'for f in all default; do f=/proc/sys/net/ipv6/conf/$f/disable_ipv6; ' +
      '[ ! -e $f ] || echo 1 >$f; done';
    await this.#children.run('ip', ['netns', 'exec', name, 'sh', '-c', quiet], { signal });
    await this.#children.run('ip', ['-n', name, 'link', 'set', 'lo', 'up'], { signal });
  }

  /** Gives the pod's device its address and its way out, as a CNI plugin would. */
  async configure(seat: Seat, signal: AbortSignal): Promise<void> {
    const input = [
      `addr add ${seat.address}/${PREFIX_LENGTH} dev ${POD_DEVICE}`,
      `link set ${POD_DEVICE} up`,
      `route add default via ${seat.gateway}`,
      '',
    ].join('\n');
    await this.#children.run('ip', ['-n', this.nameOf(seat), '-batch', '-'], { input, signal });
  }

  /** Names of devices, other than the loopback, that are in the namespaces. */
  async devices(): Promise<string[]> {
    const found: string[] = [];
    for (const name of this.#names.values()) {
      if (!existsSync(`${NETNS_FOLDER}/${name}`)) continue;
      const { stdout } = await this.#children.run('ip', ['-n', name, '-o', 'link', 'show']);
      for (const [, device] of stdout.matchAll(/^\d+: ([^:@]+)/gm))
        if (device !== 'lo') found.push(`${device} in ${name}`);
    }
    return found;
  }
}

/** Whether this process may make namespaces at all: root in a container may not. */
export async function namespaceObstacle(children: Children): Promise<string | null> {
  const name = ownName('try');
  try {
    await children.run('ip', ['netns', 'add', name]);
    await children.run('ip', ['netns', 'exec', name, 'true']);
    return null;
  } catch (error) {
    return `no network namespace can be made (${(error as Error).message.split('\n').at(-1)?.trim()})`;
  } finally {
    if (existsSync(`${NETNS_FOLDER}/${name}`))
      await children.run('ip', ['netns', 'del', name]).catch(() => undefined);
  }
}
