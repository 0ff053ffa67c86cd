// SPDX-License-Identifier: Apache-2.0
import { setTimeout as sleep } from 'node:timers/promises';
import type { Backend } from '../../lib/index.js';
import { requires } from '../support/requires.js';
import { CLIENT, PODS } from './namespaces.js';
import { Node } from './node.js';

const real = requires('the native addon', 'root', '/dev/net/tun', 'ip', 'nginx', 'wrk');

/** Of each run. `SLUICE_WRK_SECONDS=60` for the long one. */
const SECONDS = Number(process.env['SLUICE_WRK_SECONDS'] ?? 10);
const SERVICE = '10.96.0.40';

/** What becomes of the pods meanwhile, again and again. */
const ROUNDS: readonly (readonly [pod: number, weight: number][])[] = [
  [
    [0, 1],
    [1, 1],
  ],
  [
    [0, 1],
    [1, 1],
    [2, 1],
  ], // one is added
  [
    [0, 0],
    [1, 1],
    [2, 1],
  ], // one is drained
  [
    [1, 1],
    [2, 1],
  ], // and removed
  [
    [0, 1],
    [2, 3],
  ], // another one comes back while one goes at once
];

for (const [how, header] of [
  ['connections that are kept', 'Connection: keep-alive'],
  ['a connection for each request', 'Connection: close'],
] as const) {
  real(
    `wrk for ${SECONDS} s, ${how}: no request fails while backends come, drain and go`,
    async (t) => {
      t.timeout((SECONDS + 60) * 1_000);
      const node = await Node.open(t, [CLIENT, ...PODS]);
      for (const { name } of PODS) await node.startNginx(name);
      const apply = (round: number) =>
        node.proxy.apply({
          services: [
            {
              name: 'web',
              addresses: [SERVICE],
              ports: [{ protocol: 'TCP', port: 80, backends: backendsOf(round) }],
            },
          ],
        });
      await apply(0);
      await node.ask(CLIENT.name, `${SERVICE}:80`);
      const load = node.exec(
        CLIENT.name,
        ['wrk', '-t1', '-c16', `-d${SECONDS}s`, '-H', header, `http://${SERVICE}/`],
        (SECONDS + 30) * 1_000,
      );
      let changes = 0;
      const until = Date.now() + (SECONDS - 1) * 1_000;
      while (Date.now() < until) {
        await sleep(200);
        await apply(++changes % ROUNDS.length);
      }
      const report = await load;
      t.notRegex(report, /Socket errors|Non-2xx/, report);
      const requests = Number(/(\d+) requests in/.exec(report)?.[1]);
      t.true(requests > SECONDS * 50, report);
      const shares = node.proxy.backends.map(
        ({ address, connections }) => `${address}: ${connections}`,
      );
      t.log(`${requests} requests, ${changes} changes; connections now at ${shares.join(', ')}`);
      const { fates } = node.proxy.stats();
      t.log(JSON.stringify(fates.drops));
    },
  );
}

function backendsOf(round: number): Backend[] {
  return ROUNDS[round]!.map(([pod, weight]) => ({ address: PODS[pod]!.v4, port: 80, weight }));
}
