// SPDX-License-Identifier: Apache-2.0
import { setTimeout as sleep } from 'node:timers/promises';
import type { Fates } from '../../observe/stats.js';
import type { ServiceProxy } from '../../proxy/service-proxy.js';

const INTERVAL_MS = 50;
const TIMEOUT_MS = 8_000;

/** Waits until no packet is under way, and reads what became of them all. */
export async function settledFates(proxy: ServiceProxy, signal: AbortSignal): Promise<Fates> {
  const end = performance.now() + TIMEOUT_MS;
  let before = proxy.stats().fates;
  for (;;) {
    await sleep(INTERVAL_MS, undefined, { signal });
    const now = proxy.stats().fates;
    const quiet =
      now.rx === before.rx && now.held === 0 && now.rx === now.tx + now.host + now.dropped;
    if (quiet || performance.now() > end) return now;
    before = now;
  }
}
