// SPDX-License-Identifier: Apache-2.0
import { setTimeout as sleep } from 'node:timers/promises';
import { packet } from '../support/packets.js';
import { requires } from '../support/requires.js';
import { makeFolder, openProbed, startPeer, stopPeer, until } from './rig.js';

const KILLS = 5;
const native = requires('the native addon', 'root', 'hugepages');

for (const [ours, theirs] of [
  ['memif:wire,role=server', 'memif:wire,role=client'],
  ['vhost-user:wire', 'virtio-user:wire'],
]) {
  native(`${ours}: peers are killed in the middle of traffic`, async (t) => {
    t.timeout(120_000);
    const socket = `socket=${makeFolder(t)}/wire.sock`;
    const proxy = await openProbed(t, {
      memory: 128,
      mbufs: 8_192,
      interfaces: [`${ours},${socket},address=10.8.0.1/24`],
    });
    const request = packet()
      .eth({ src: '02:00:00:00:09:02', dst: '02:00:00:00:09:01' })
      .ipv4({ src: '10.9.0.2', dst: '10.8.0.2' })
      .icmpEcho({ id: 7, seq: 1, payload: 'x'.repeat(400) })
      .build();
    const burst = Array.from({ length: 64 }, () => request);
    let answered = 0;
    const pump = setInterval(() => {
      for (let i = 0; i < 8; i++) proxy.interfaces.send('probe', burst);
      answered += proxy.interfaces.receive('probe').length;
    }, 1);
    t.teardown(() => clearInterval(pump));
    for (let kill = 0; kill < KILLS; kill++) {
      const peer = await startPeer(t, {
        interfaces: [`${theirs},${socket},address=10.8.0.2/24`],
        routes: ['10.9.0.0/24,via=10.8.0.1'],
      });
      const before = answered;
      t.true(await until(() => answered > before + 1_000), `peer ${kill} answers`);
      await stopPeer(peer, 'SIGKILL');
    }
    clearInterval(pump);
    await sleep(200);
    const { fates } = proxy.stats();
    t.is(fates.rx, fates.forwarded + fates.answered + fates.host + fates.dropped + fates.held);
  });
}
