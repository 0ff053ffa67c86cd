// SPDX-License-Identifier: Apache-2.0
import { packet } from '../support/packets.js';
import { FAMILIES, type Family, NET, tcp, tcpReply, udp, udpReply } from './net.js';
import { contract, type Rig, timeouts } from './rig.js';

function flood({ name, service }: Family, n: number): Uint8Array {
  const src = name === 'IPv4' ? `10.0.${1 + (n >> 8)}.${n & 255}` : `fd00::1:${n.toString(16)}`;
  return packet()
    .eth({ src: NET.client.mac, dst: NET.us[0] })
    .ip({ src, dst: service })
    .tcp({ src: 1_024 + n, dst: 80, flags: 'S' })
    .build();
}

function establish(rig: Rig, { service, client }: Family, ports: readonly number[]): void {
  for (const port of ports) {
    rig.one(0, 1, tcp('S', port, service));
    rig.one(1, 0, tcpReply('SA', port, client));
    rig.one(0, 1, tcp('A', port, service));
  }
}

const small = { flows: 64, flows6: 64 };

for (const family of FAMILIES) {
  const { name, service, client } = family;
  const occupied = (rig: Rig) => rig.engine.occupancy()[name === 'IPv4' ? 'flows' : 'flows6'];

  contract(
    `a flood of SYNs does not end what is established, ${name}`,
    async (rig) => {
      const { t } = rig;
      const ports = Array.from({ length: 32 }, (_, i) => 50_000 + i);
      establish(rig, family, ports);
      for (let n = 0; n < 2_000; n += 8) {
        rig.pass(0, 1, ...Array.from({ length: 8 }, (_, i) => flood(family, n + i)));
        rig.step();
        t.true(occupied(rig) <= 64);
      }
      t.deepEqual(rig.drops(), {}, 'each SYN of the flood makes an older one go');
      t.is(rig.counter('flowsExpired'), 0);
      t.true(rig.counter('flowsEvicted') >= 2_000 - 32);
      t.is(
        rig.counter('flowsCreated') - rig.counter('flowsEvicted'),
        occupied(rig),
        'what was made is there or was evicted',
      );
      for (const port of ports) {
        rig.one(0, 1, tcp('PA', port, service));
        rig.one(1, 0, tcpReply('PA', port, client));
      }
      t.is(rig.counter('flowsCreated'), 2_032);
      const flows = await rig.engine.flows(100);
      t.is(flows.filter(({ state }) => state === 'established').length, 32);
    },
    small,
  );

  contract(
    `connections that have ended make room for others, ${name}`,
    (rig) => {
      const { t } = rig;
      establish(rig, family, [50_000]);
      for (let port = 1_000; port < 1_200; port++) {
        establish(rig, family, [port]);
        if (port % 2 === 0) {
          rig.one(0, 1, tcp('FA', port, service));
          rig.one(1, 0, tcpReply('FA', port, client));
        } else {
          rig.one(1, 0, tcpReply('R', port, client));
        }
      }
      t.deepEqual(rig.drops(), {});
      t.true(rig.counter('flowsEvicted') >= 200 - 64);
      rig.one(0, 1, tcp('PA', 50_000, service));
    },
    small,
  );

  contract(
    `a new connection completes in the middle of a flood, ${name}`,
    (rig) => {
      const { t } = rig;
      for (let n = 0; n < 640; n += 8) {
        rig.pass(0, 1, ...Array.from({ length: 8 }, (_, i) => flood(family, n + i)));
        if (n % 80 !== 0) continue;
        establish(rig, family, [50_000 + n]);
        rig.one(0, 1, tcp('PA', 50_000 + n, service));
      }
      t.deepEqual(rig.drops(), {});
    },
    small,
  );

  contract(
    `where all are established a new one is refused and counted, ${name}`,
    async (rig) => {
      const { t } = rig;
      establish(
        rig,
        family,
        Array.from({ length: 64 }, (_, i) => 50_000 + i),
      );
      t.is(rig.pass(0, 1, flood(family, 1), flood(family, 2)).length, 0);
      t.deepEqual(rig.drops(), { flow_table_full: 2 });
      t.is(rig.counter('originated'), 0, 'nobody is told: the client tries again');
      t.is(rig.counter('flowsEvicted'), 0);
      t.is((await rig.engine.flows(100)).length, 64);
    },
    small,
  );

  contract(
    `UDP that is answered survives, UDP that is not makes way, ${name}`,
    (rig) => {
      const { t } = rig;
      for (let port = 1; port <= 32; port++) {
        rig.one(0, 1, udp(port, 'x', service));
        rig.one(1, 0, udpReply(port, client));
      }
      for (let port = 1_000; port < 1_200; port++) rig.one(0, 1, udp(port, 'x', service));
      t.deepEqual(rig.drops(), {});
      const evicted = rig.counter('flowsEvicted');
      for (let port = 1; port <= 32; port++) rig.one(1, 0, udpReply(port, client));
      t.is(rig.counter('flowsCreated'), 232);
      t.true(evicted > 0);
    },
    small,
  );

  contract(
    `what has expired goes first, and is counted as that, ${name}`,
    (rig) => {
      const { t } = rig;
      for (let port = 0; port < 64; port++) rig.pass(0, 1, udp(port, 'x', service));
      const made = rig.counter('flowsCreated') - rig.counter('flowsEvicted');
      rig.send(0, ...Array.from({ length: 8 }, (_, i) => flood(family, i)));
      const evicted = rig.counter('flowsEvicted');
      rig.step(60_000);
      t.is(rig.receive(1).length, 8);
      t.is(rig.counter('flowsEvicted'), evicted);
      t.is(rig.counter('flowsExpired'), made);
    },
    { ...small, timeouts: timeouts({ udpUnreplied: 30 }) },
  );

  contract(
    `pressure begins when few pairs are free, ${name}`,
    (rig) => {
      const { t } = rig;
      // A quarter of 64 is 16: the 49th connection finds 16 free pairs, the 50th finds 15.
      for (let n = 0; n < 49; n++) rig.pass(0, 1, flood(family, n));
      t.is(rig.counter('flowsEvicted'), 0);
      rig.pass(0, 1, flood(family, 49));
      t.is(rig.counter('flowsEvicted'), 1);
    },
    small,
  );
}
