// SPDX-License-Identifier: Apache-2.0
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'ava';
import type { InterfaceRequest } from '../../lib/compile/program.js';
import type { LinkEvent } from '../../lib/engine/engine.js';
import { DROP } from '../../lib/engine/reasons.js';
import { SoftwareEngine } from '../../lib/engine/software/engine.js';
import { pcapHeader, pcapRecord, readPcap } from '../../lib/engine/software/interface/pcap-file.js';
import type { SluiceError } from '../../lib/errors.js';
import { macBytes, packet, read } from '../support/packets.js';
import { delta } from '../support/program.js';

const US = '02:00:00:00:00:01';
const HOP = '02:00:00:00:00:b2';

function frame(n: number): Uint8Array {
  return packet()
    .eth({ src: HOP, dst: US })
    .ipv4({ src: '10.0.0.9', dst: '10.1.0.2' })
    .udp({ src: n, dst: 7, payload: 'x'.repeat(n % 5) })
    .build();
}

function file(
  frames: readonly Uint8Array[],
  { littleEndian = true, magic = 0xa1b2c3d4, linkType = 1 } = {},
): Uint8Array {
  const header = Buffer.alloc(24);
  const view = new DataView(header.buffer, header.byteOffset);
  view.setUint32(0, magic, littleEndian);
  view.setUint16(4, 2, littleEndian);
  view.setUint16(6, 4, littleEndian);
  view.setUint32(16, 65_535, littleEndian);
  view.setUint32(20, linkType, littleEndian);
  const records = frames.flatMap((bytes) => {
    const record = Buffer.alloc(16);
    const fields = new DataView(record.buffer, record.byteOffset);
    fields.setUint32(8, bytes.length, littleEndian);
    fields.setUint32(12, bytes.length, littleEndian);
    return [record, bytes];
  });
  return new Uint8Array(Buffer.concat([header, ...records]));
}

function pcap(slot: number, parameters: Record<string, string>): InterfaceRequest {
  const name = `p${slot}`;
  const mac = macBytes(US);
  const shape = {
    mtu: 1_500,
    worker: null,
    queues: 1,
    softwareRss: false,
    unfinishedChecksums: false,
  };
  return { slot, kind: 'pcap', name, mac, ...shape, parameters };
}

for (const littleEndian of [true, false]) {
  for (const magic of [0xa1b2c3d4, 0xa1b23c4d]) {
    test(`pcap ${magic.toString(16)}, ${littleEndian ? 'little' : 'big'} endian`, (t) => {
      const frames = [frame(1), frame(2), frame(3)];
      t.deepEqual(
        readPcap(file(frames, { littleEndian, magic })).map((each) => [...each]),
        frames.map((each) => [...each]),
      );
    });
  }
}

test('what is written can be read', (t) => {
  const bytes = Buffer.concat([pcapHeader(), pcapRecord(frame(4), 1_234.5)]);
  t.deepEqual([...readPcap(bytes)[0]], [...frame(4)]);
  t.is(bytes.readUInt32LE(24), 1);
  t.is(bytes.readUInt32LE(28), 234_500);
});

const BROKEN: readonly [title: string, bytes: Uint8Array, message: RegExp][] = [
  ['empty', new Uint8Array(0), /too short/],
  ['not pcap', new Uint8Array(24).fill(7), /no classic pcap/],
  ['link type', file([], { linkType: 113 }), /link type 113/],
  ['half a record header', file([frame(1)]).slice(0, 30), /ends inside a record, at byte 24/],
  ['half a record', file([frame(1)]).slice(0, 60), /ends inside a record, at byte 24/],
  ['endless record', Uint8Array.from([...file([]), ...new Uint8Array(16).fill(0xff)]), /inside/],
];

for (const [title, bytes, message] of BROKEN) {
  test(`a file is refused: ${title}`, (t) => {
    t.throws(() => readPcap(bytes), { message });
  });
}

test('any bytes are read or refused', (t) => {
  const good = file([frame(1), frame(2)]);
  for (let at = 0; at < good.length; at++) {
    const bytes = good.slice();
    bytes[at] ^= 0xff;
    try {
      readPcap(bytes);
    } catch (error) {
      t.true(error instanceof Error && /^(is|has|ends)/.test(error.message));
    }
  }
  t.pass();
});

async function inDirectory(run: (directory: string) => Promise<void>): Promise<void> {
  const directory = await mkdtemp(join(tmpdir(), 'sluice-pcap-'));
  try {
    await run(directory);
  } finally {
    await rm(directory, { recursive: true });
  }
}

test('an interface plays a file, records what is sent, and goes down at the end', async (t) => {
  await inDirectory(async (directory) => {
    const [rx, tx] = [join(directory, 'rx.pcap'), join(directory, 'tx.pcap')];
    const frames = Array.from({ length: 100 }, (_, n) => frame(n + 1));
    await writeFile(rx, file(frames));
    const engine = await SoftwareEngine.open({ clock: 'manual', flows: 64 });
    const events: LinkEvent[] = [];
    engine.onLink = (batch) => events.push(...batch);
    t.true((await engine.addInterface(pcap(0, { rx }))).up);
    await engine.addInterface(pcap(1, { tx }));
    await engine.commit(delta({ routes: [{ to: '10.1.0.0/16', over: 1, mac: HOP }] }));
    engine.step(1_000);
    engine.step(1_001);
    await Promise.resolve();
    t.deepEqual(events, []);
    engine.step(1_002);
    await Promise.resolve();
    t.deepEqual(events, [{ slot: 0, up: false }]);
    await engine.close();
    const sent = readPcap(await readFile(tx)).map(read);
    t.deepEqual(
      sent.map(({ udp }) => udp?.src),
      frames.map((_, n) => n + 1),
    );
  });
});

test('packets for an interface that is down are dropped as interface_down', async (t) => {
  await inDirectory(async (directory) => {
    const rx = join(directory, 'rx.pcap');
    await writeFile(rx, file([]));
    const engine = await SoftwareEngine.open({ clock: 'manual', flows: 64 });
    await engine.addInterface({ ...pcap(0, {}), kind: 'memory' });
    await engine.addInterface(pcap(1, { rx }));
    await engine.commit(delta({ routes: [{ to: '10.1.0.0/16', over: 1 }] }));
    engine.send(0, [frame(1)]);
    engine.step(1);
    engine.send(0, [frame(2)]);
    // The first packet waits for its neighbour when the link goes down under it.
    engine.step(2);
    const { values, layout } = engine.counters;
    t.is(Number(values[layout.drops + DROP.interface_down]), 2);
    await engine.close();
  });
});

test('files that cannot be opened are named', async (t) => {
  await inDirectory(async (directory) => {
    const engine = await SoftwareEngine.open({ clock: 'manual', flows: 64 });
    const missing = join(directory, 'nowhere', 'x.pcap');
    const rx = await t.throwsAsync<SluiceError>(engine.addInterface(pcap(0, { rx: missing })));
    t.like(rx, { code: 'ERR_INTERFACE', path: 'rx' });
    const tx = await t.throwsAsync<SluiceError>(engine.addInterface(pcap(0, { tx: missing })));
    t.like(tx, { code: 'ERR_INTERFACE', path: 'tx' });
    await engine.close();
  });
});
