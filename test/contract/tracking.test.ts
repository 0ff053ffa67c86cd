// SPDX-License-Identifier: Apache-2.0
import type { FlowState } from '../../lib/engine/engine.js';
import { addressText } from '../support/packets.js';
import { FAMILIES, type Family, FIRST, fromClient, fromPod, OF, udp } from './net.js';
import { inward, type Kind, opening, policed, verdict } from './policing.js';
import { contract, DISTINCT_TIMEOUTS, type Rig } from './rig.js';

const TRACKED = ['tcp', 'udp', 'sctp', 'echo'] as const;

for (const family of FAMILIES) {
  const { name, pod, client, service, at } = family;
  const first = FIRST[name];

  contract(`a tracked connection says what it is, ${name}`, async (rig) => {
    const { t } = rig;
    await rig.commit(policed(family, {}));
    rig.pass(0, 1, inward(family, 'tcp'));
    const { client: from, service: to, backend, source, ...rest } = await rig.flow();
    t.deepEqual([from, to, backend, source].map(addressText), [client, pod, pod, client]);
    const length = name === 'IPv4' ? 40 : 60;
    t.deepEqual(rest, {
      protocol: 6,
      clientPort: 40_000,
      servicePort: 80,
      backendPort: 80,
      sourcePort: 40_000,
      backendSlot: null,
      state: 'unreplied',
      idle: 0,
      packets: 1,
      bytes: length,
      replyPackets: 0,
      replyBytes: 0,
    });
  });

  contract(`nothing of a tracked connection is translated, ${name}`, async (rig) => {
    const { t } = rig;
    await rig.commit(policed(family, {}));
    for (const kind of TRACKED) {
      const frame = inward(family, kind);
      const [out] = rig.pass(0, 1, frame);
      t.deepEqual(out.slice(34), frame.slice(34), `${kind}: all but MACs and the TTL`);
    }
  });

  contract(
    `a tracked connection whose answers are taken gets another port, ${name}`,
    async (rig) => {
      const { t } = rig;
      await rig.commit({
        ...policed(family, {}),
        backends: [{ slot: first + OF.udp, at: at(pod, 5353) }],
      });
      // The service's connection is answered from the very address and port.
      t.is(rig.one(0, 1, udp(40_000, 'x', service)).udp?.src, 40_000);
      const straight = opening(fromClient(pod), 'udp', 5353);
      const out = rig.one(0, 1, straight);
      t.is(out.udp?.dst, 5353);
      const port = out.udp?.src ?? 0;
      t.not(port, 40_000);
      t.is(rig.one(0, 1, straight).udp?.src, port);
      const back = (dst: number) => rig.one(1, 0, opening(fromPod(client), 'udp', dst, 5353));
      t.like(back(port).udp, { src: 5353, dst: 40_000 });
      t.is(back(port).ip?.src, pod);
      t.like(back(40_000).udp, { src: 53, dst: 40_000 });
      t.is(back(40_000).ip?.src, service);
    },
  );

  contract(
    `an answer to an echo that nobody has seen keeps its identifier, ${name}`,
    async (rig) => {
      const { t } = rig;
      await rig.commit(policed(family, {}));
      const reply = fromPod(client).icmpEcho({ id: 77, reply: true }).build();
      t.is(rig.one(1, 0, reply).icmp?.id, 77);
      t.is(rig.one(1, 0, reply).icmp?.id, 77);
      t.is(rig.counter('flowsCreated'), 1);
    },
  );

  contract(
    `what may not begin a connection is not tracked, ${name}`,
    async (rig) => {
      const { t } = rig;
      await rig.commit(policed(family, {}));
      const say = (flags: string) => fromClient(pod).tcp({ src: 1, dst: 80, flags }).build();
      for (const flags of ['A', 'SA', 'R', 'FA']) t.is(verdict(rig, 0, say(flags)), 'tcp_no_flow');
      t.is(verdict(rig, 0, say('S')), 'passes');
      t.is(verdict(rig, 0, say('A')), 'passes');
    },
    { tcpPickup: false },
  );

  contract(`with pick-up a tracked connection is joined midway, ${name}`, async (rig) => {
    const { t } = rig;
    await rig.commit(policed(family, {}));
    const say = (flags: string) => fromClient(pod).tcp({ src: 1, dst: 80, flags }).build();
    t.is(verdict(rig, 0, say('R')), 'tcp_no_flow');
    t.is(verdict(rig, 0, say('A')), 'passes');
    t.is(rig.counter('flowsCreated'), 1);
  });

  contract(
    `a tracked connection needs a place, ${name}`,
    async (rig) => {
      const { t } = rig;
      await rig.commit(policed(family, {}));
      t.is(verdict(rig, 0, opening(fromClient(pod), 'udp', 1)), 'passes');
      t.is(verdict(rig, 0, opening(fromClient(pod), 'udp', 2)), 'flow_table_full');
    },
    { flows: 1, flows6: 1 },
  );

  contract(
    `backends that come and go are nothing to a tracked connection, ${name}`,
    async (rig) => {
      const { t } = rig;
      await rig.commit(policed(family, {}));
      const frame = inward(family, 'udp');
      t.is(verdict(rig, 0, frame), 'passes');
      const slot = first + OF.tcp;
      await rig.commit({ backends: [{ slot, at: at(pod, 8080), flushed: true }] });
      await rig.commit({ pools: [{ slot }], removedBackends: [slot] });
      rig.sweep();
      t.is(verdict(rig, 0, frame), 'passes');
      t.is(rig.counter('flowsCleared'), 0);
      t.is(rig.counter('flowsCreated'), 1);
    },
  );
}

/** `>`: the client sends, `<` the pod; letters are TCP flags, words chunks. */
const LIVES: readonly [kind: Kind, steps: readonly string[], state: FlowState, timeout: number][] =
  [
    ['udp', ['>'], 'unreplied', 30],
    ['udp', ['>', '<'], 'established', 120],
    ['echo', ['>'], 'unreplied', 20],
    ['echo', ['>', '<'], 'established', 20],
    ['tcp', ['>S'], 'unreplied', 60],
    ['tcp', ['>S', '<SA'], 'syn-received', 45],
    ['tcp', ['>S', '<SA', '>A'], 'established', 300],
    ['tcp', ['>S', '<SA', '>A', '<FA'], 'close-wait', 100],
    ['tcp', ['>S', '<SA', '>FA', '<FA'], 'time-wait', 80],
    ['tcp', ['>S', '<RA'], 'closed', 10],
    ['sctp', ['>init', '<initAck', '>cookieEcho', '<cookieAck'], 'established', 200],
    ['sctp', ['>init', '<abort'], 'closed', 15],
  ];

function said({ pod, client }: Family, kind: Kind, step: string): Uint8Array {
  const forward = step.startsWith('>');
  const builder = forward ? fromClient(pod) : fromPod(client);
  const ports = forward ? { src: 40_000, dst: 80 } : { src: 80, dst: 40_000 };
  const word = step.slice(1);
  if (kind === 'tcp') return builder.tcp({ ...ports, flags: word }).build();
  if (kind === 'udp') return builder.udp(ports).build();
  if (kind === 'sctp') return builder.sctp({ ...ports, chunk: word as 'init' }).build();
  return builder.icmpEcho({ reply: !forward }).build();
}

function occupied(rig: Rig): number {
  const { flows, flows6 } = rig.engine.occupancy();
  return flows + flows6;
}

for (const family of FAMILIES) {
  for (const [kind, steps, state, timeout] of LIVES) {
    const title = `tracked ${kind} over ${family.name}, ${steps.join(' ')}: ${state}, ${timeout} s`;
    contract(
      title,
      async (rig) => {
        const { t } = rig;
        await rig.commit(policed(family, {}));
        for (const step of steps) {
          const into = step.startsWith('>') ? 0 : 1;
          rig.one(into, 1 - into, said(family, kind, step));
        }
        t.is((await rig.flow()).state, state);
        rig.wait(timeout, rig.sweepMs + 1);
        rig.sweep();
        t.is(occupied(rig), 1);
        rig.step(1);
        rig.sweep();
        t.is(occupied(rig), 0);
        t.is(rig.counter('flowsExpired'), 1);
      },
      { timeouts: DISTINCT_TIMEOUTS },
    );
  }
}
