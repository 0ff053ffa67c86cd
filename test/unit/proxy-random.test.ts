// SPDX-License-Identifier: Apache-2.0
import test from 'ava';
import fc from 'fast-check';
import { SluiceError } from '../../lib/errors.js';
import type { Service } from '../../lib/model/model.js';
import type { ServiceProxy } from '../../lib/proxy/service-proxy.js';
import { read } from '../support/packets.js';
import { openProxy, query, service, sumOfFates } from '../support/proxy.js';

const STEADY = service('steady', 200, ['10.1.0.100']);

/** What one round does; some of it is wrong on purpose. */
interface Round {
  services: { number: number; backends: { address: string; weight: number }[] }[];
  broken: boolean;
  interfaces: number;
}

const rounds = fc.array(
  fc.record<Round>({
    services: fc.uniqueArray(
      fc.record({
        number: fc.integer({ min: 1, max: 30 }),
        backends: fc.uniqueArray(
          fc.record({
            address: fc.integer({ min: 2, max: 90 }).map((host) => `10.1.0.${host}`),
            weight: fc.integer({ min: 0, max: 3 }),
          }),
          { maxLength: 6, selector: ({ address }) => address },
        ),
      }),
      { maxLength: 10, selector: ({ number }) => number },
    ),
    broken: fc.boolean(),
    interfaces: fc.integer({ min: 0, max: 3 }),
  }),
  { minLength: 50, maxLength: 50, size: 'max' },
);

test('1,000 random applies: no packet is lost or counted twice', async (t) => {
  t.timeout(120_000);
  let applies = 0;
  await fc.assert(
    fc.asyncProperty(rounds, async (list) => {
      await using proxy = await openProxy({ flows: 65_536 });
      await proxy.apply({ services: [STEADY] });
      let sent = 0;
      for (const [index, round] of list.entries()) {
        const steady = index + 1;
        const numbers = round.services.map(({ number }) => number);
        const frames = [200, ...numbers, 99].map((number) => query(number, 1_000 + index));
        // Half before the change and half while it is made.
        sent += proxy.interfaces.send('up', frames);
        const applied = applyRound(proxy, round);
        sent += proxy.interfaces.send('up', frames);
        applies++;
        await applied;
        proxy.step(1_000 + index);
        const { rx, held } = proxy.stats().fates;
        if (rx !== sent) throw new Error(`${sent} sent, ${rx} received`);
        if (sumOfFates(proxy) !== rx) throw new Error('rx is not the sum of the fates');
        if (held !== 0) throw new Error('every pod has a static neighbour');
        const out = proxy.interfaces.receive('pods').map((frame) => read(frame).ipv4?.dst);
        const mine = out.filter((address) => address === '10.1.0.100');
        if (mine.length !== 2) throw new Error(`the unchanged service lost packets: ${out}`);
        const connections = connectionsOf(proxy, 'steady');
        if (connections !== steady) throw new Error(`${connections} connections, not ${steady}`);
      }
    }),
    { numRuns: 20 },
  );
  t.is(applies, 1_000);
});

/** Applies the round; a broken one has to be refused and to change nothing. */
async function applyRound(proxy: ServiceProxy, round: Round): Promise<void> {
  const services: Service[] = [
    STEADY,
    ...round.services.map(({ number, backends }) => service(`s${number}`, number, backends)),
  ];
  const pods = proxy.interfaces.specs().slice(0, 2);
  const extra = Array.from({ length: round.interfaces }, (_, index) => ({
    kind: 'memory' as const,
    name: `extra${index}`,
  }));
  if (!round.broken) {
    await proxy.apply({ services, interfaces: [...pods, ...extra] });
    return;
  }
  const before = JSON.stringify([proxy.services, proxy.interfaces.specs()]);
  const impossible = { kind: 'pcap' as const, name: 'file', rx: '/nowhere/in.pcap' };
  try {
    await proxy.apply({ services, interfaces: [...pods, ...extra, impossible] });
  } catch (error) {
    if (!(error instanceof SluiceError) || error.code !== 'ERR_INTERFACE') throw error;
    if (JSON.stringify([proxy.services, proxy.interfaces.specs()]) !== before)
      throw new Error('a refused apply left a trace');
    return;
  }
  throw new Error('an impossible interface was taken');
}

function connectionsOf(proxy: ServiceProxy, name: string): number | undefined {
  return proxy.services.find((each) => each.name === name)?.ports[0]?.connections;
}
