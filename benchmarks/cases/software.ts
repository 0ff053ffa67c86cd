// SPDX-License-Identifier: Apache-2.0
import { fileURLToPath } from 'node:url';
import type { Bench } from '../rig/bench.js';
import type { Case, Point } from '../rig/case.js';
import { population, type Services } from '../rig/network.js';
import { WINDOW } from '../rig/sizes.js';
import type { SoftwareReading } from '../rig/software-process.js';

type Key = 'software' | 'copies' | 'native' | 'ratio' | 'bytes';

/** As many as the bursts of both rigs divide. */
const FLOWS = 1_024;
const SERVICES: Services = { count: 1, each: 1, families: [4], protocols: ['udp'] };
const SCRIPT = fileURLToPath(new URL('../rig/software-process.ts', import.meta.url));
const START_MS = 60_000;

export const software: Case<Point, Key> = {
  name: 'software',
  title: 'The TypeScript engine on flow hits, against the native one',
  measures:
    'Packets a second through the TypeScript engine: its polls of two `memory` interfaces, 1,024 UDP flows of one service, 64 B, both directions; then the same with the copies that `send` and `receive` make. The native engine carries as many flows over memif in the same turn. Bytes are what the engine allocates for a packet: median growth of the heap over a step, the cost of looking taken off.',
  figures: {
    software: { title: 'software', unit: 'kpps' },
    copies: { title: 'with copies', unit: 'kpps' },
    native: { title: 'native', unit: 'kpps' },
    ratio: { title: 'native / software', unit: '' },
    bytes: { title: 'allocated a packet', unit: 'B' },
  },
  panels: [{ title: 'Packets', figures: ['software', 'copies', 'native'], scale: 'log' }],
  points: () => [{ group: 'engine', label: '1,024 flows' }],
  async round(_, bench) {
    const reading = await runSoftware(bench);
    const sluice = await bench.sluice({ wire: 'memif', services: SERVICES, options: {} });
    const native = await bench.throughSluice(sluice, {
      population: population(SERVICES, FLOWS),
      run: { kind: 'throughput', directions: 'both', window: WINDOW },
    });
    return {
      software: reading.packetsPerSecond / 1e3,
      copies: reading.withCopies / 1e3,
      native: native.mpps * 1e3,
      ratio: (native.mpps * 1e6) / reading.packetsPerSecond,
      bytes: reading.bytesPerPacket,
    };
  },
};

async function runSoftware(bench: Bench): Promise<SoftwareReading> {
  const { seconds } = bench.scale;
  const args = ['--expose-gc', '--import=tsx', SCRIPT, String(FLOWS), String(seconds)];
  bench.freezeSluices();
  bench.commands.set(
    'software',
    `node --expose-gc --import=tsx benchmarks/rig/software-process.ts ${FLOWS} ${seconds}`,
  );
  const timeoutMs = START_MS + seconds * 2_000;
  const { stdout } = await bench.children.run(process.execPath, args, { timeoutMs });
  return JSON.parse(stdout) as SoftwareReading;
}
