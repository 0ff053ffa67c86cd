// SPDX-License-Identifier: Apache-2.0
import { setTimeout as wait } from 'node:timers/promises';
import test from 'ava';
import type { InterfaceRequest } from '../../lib/compile/program.js';
import {
  ENGINE_DEFAULTS,
  type EngineOptions,
  INTERFACE_COUNTERS,
  WORKER_COUNTERS,
} from '../../lib/engine/engine.js';
import { DROP_REASONS } from '../../lib/engine/reasons.js';
import { SoftwareEngine } from '../../lib/engine/software/engine.js';
import type { SluiceError } from '../../lib/errors.js';
import { arp, macBytes, read } from '../support/packets.js';
import { delta } from '../support/program.js';

const REQUEST: InterfaceRequest = {
  slot: 0,
  kind: 'memory',
  name: 'm0',
  mac: macBytes('02:00:00:00:00:01'),
  mtu: 1_500,
  worker: null,
  queues: 1,
  softwareRss: false,
  unfinishedChecksums: false,
  parameters: {},
};

const REFUSED: readonly [
  change: Partial<InterfaceRequest>,
  code: SluiceError['code'],
  path: string,
][] = [
  [{ kind: 'tap' }, 'ERR_INTERFACE_KIND', 'kind'],
  [{ kind: 'memif' }, 'ERR_INTERFACE_KIND', 'kind'],
  [{ slot: 64 }, 'ERR_INTERFACE_LIMIT', 'slot'],
  [{ slot: -1 }, 'ERR_INTERFACE_LIMIT', 'slot'],
  [{ mac: new Uint8Array(5) }, 'ERR_INTERFACE', 'mac'],
  [{ mac: new Uint8Array(6) }, 'ERR_INTERFACE', 'mac'],
  [{ mac: macBytes('03:00:00:00:00:01') }, 'ERR_INTERFACE', 'mac'],
  [{ mtu: 575 }, 'ERR_INTERFACE', 'mtu'],
  [{ mtu: 9_001 }, 'ERR_INTERFACE', 'mtu'],
  [{ worker: 1 }, 'ERR_INTERFACE', 'worker'],
];

test('an interface is refused for what is wrong with it', async (t) => {
  const engine = await SoftwareEngine.open({ clock: 'manual' });
  for (const [change, code, path] of REFUSED) {
    const error = await t.throwsAsync<SluiceError>(engine.addInterface({ ...REQUEST, ...change }));
    t.like(error, { code, path });
  }
  await engine.close();
});

test('options are refused by name', async (t) => {
  const refused: readonly Partial<EngineOptions>[] = [
    { flows: 0 },
    { flows6: 2 ** 24 + 1 },
    { affinities: 0 },
    { backends: 1.5 },
    { interfaces: 65_536 },
    { neighbours: NaN },
    { routes: -1 },
    { icmpRate: -1 },
    { snatPortMin: 0 },
    { snatPortMax: 65_536 },
    { snatPortMax: 1_023 },
    { tcpPickup: 1 as never },
    { clock: 'broken' as never },
  ];
  for (const options of refused) {
    const error = await t.throwsAsync<SluiceError>(SoftwareEngine.open(options));
    t.like(error, { code: 'ERR_OPTIONS', path: Object.keys(options)[0] });
  }
  const timeouts = { ...ENGINE_DEFAULTS.timeouts, icmp: 0 };
  const error = await t.throwsAsync<SluiceError>(SoftwareEngine.open({ timeouts }));
  t.like(error, { code: 'ERR_OPTIONS', path: 'timeouts.icmp' });
});

test('step is for the manual clock', async (t) => {
  const engine = await SoftwareEngine.open({ flows: 64 });
  t.like(
    t.throws<SluiceError>(() => engine.step(1)),
    { code: 'ERR_OPTIONS', path: 'clock' },
  );
  await engine.close();
});

test('with the real clock, packets pass by themselves', async (t) => {
  const engine = await SoftwareEngine.open({ flows: 64 });
  await engine.addInterface(REQUEST);
  await engine.commit(delta({ addresses: [{ on: 0, address: '10.0.0.1/24' }] }));
  const ask = arp({
    operation: 1,
    senderMac: '02:00:00:00:00:aa',
    sender: '10.0.0.9',
    target: '10.0.0.1',
  });
  // More than a poll takes: it goes on by itself.
  t.is(engine.send(0, new Array<Uint8Array>(200).fill(ask)), 200);
  const answers: Uint8Array[] = [];
  for (let turns = 0; answers.length < 200 && turns < 1_000; turns++) {
    await wait(1);
    answers.push(...engine.receive(0, 1_000));
  }
  t.is(answers.length, 200);
  t.is(read(answers[199]).arp?.operation, 2);
  await engine.close();
});

test('frames for an interface that cannot take them are refused', async (t) => {
  const engine = await SoftwareEngine.open({ flows: 64 });
  await engine.addInterface({ ...REQUEST, kind: 'pcap' });
  const pcap = { code: 'ERR_INTERFACE_KIND', path: 'slot' };
  t.like(
    t.throws<SluiceError>(() => engine.send(0, [])),
    pcap,
  );
  const unknown = { code: 'ERR_INTERFACE_UNKNOWN', path: 'slot' };
  t.like(
    t.throws<SluiceError>(() => engine.send(5, [])),
    unknown,
  );
  t.like(
    t.throws<SluiceError>(() => engine.receive(5, 1)),
    unknown,
  );
  await engine.close();
});

test('the counters lie as the layout says', async (t) => {
  const engine = await SoftwareEngine.open({ flows: 64, interfaces: 3, backends: 5 });
  const { values, stride, workers, layout } = engine.counters;
  t.is(values.length, stride * workers);
  t.true(layout.drops >= layout.worker + WORKER_COUNTERS.length);
  t.true(layout.interfaces >= layout.drops + DROP_REASONS.length);
  t.true(layout.backends >= layout.interfaces + 3 * INTERFACE_COUNTERS.length);
  t.true(stride >= layout.backends + 5);
  await engine.close();
});
