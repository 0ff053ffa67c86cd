// SPDX-License-Identifier: Apache-2.0
import type { FlowState } from '../../lib/engine/engine.js';
import { addressText, fragments, type PacketBuilder } from '../support/packets.js';
import {
  FAMILIES,
  type Family,
  FIRST,
  fromClient,
  fromPod,
  OF,
  tcp,
  tcpReply,
  udp,
  udpReply,
} from './net.js';
import { ID, inward, type Kind, opening, outward, policed, rules, verdict } from './policing.js';
import { contract, type Rig, timeouts } from './rig.js';

const NOBODY_COMES_IN = { ingress: ['deny any'] };
const NOBODY_GOES_OUT = { egress: ['deny any'] };
const TRACKED = ['tcp', 'udp', 'sctp', 'echo'] as const;

/** What the client answers to {@link outward}. */
function answer(builder: PacketBuilder, kind: Kind, port = 80): Uint8Array {
  const ports = { src: port, dst: 40_000 };
  if (kind === 'tcp') return builder.tcp({ ...ports, flags: 'SA' }).build();
  if (kind === 'udp') return builder.udp({ ...ports, payload: 'y' }).build();
  if (kind === 'sctp') return builder.sctp({ ...ports, chunk: 'initAck' }).build();
  return builder.icmpEcho({ id: 40_000, reply: true }).build();
}

for (const family of FAMILIES) {
  const { name, pod, client, other, podAt, service, at } = family;
  const first = FIRST[name];
  const error = (builder: PacketBuilder, quoting: Uint8Array) =>
    builder.icmpError({ type: name === 'IPv4' ? 3 : 1, quoting }).build();

  for (const kind of TRACKED) {
    contract(`what answers a connection passes, ${kind}, ${name}`, async (rig) => {
      const { t } = rig;
      await rig.commit(policed(family, NOBODY_COMES_IN));
      t.is(verdict(rig, 0, answer(fromClient(pod), kind)), 'policy_denied_ingress');
      t.is(verdict(rig, 0, inward(family, kind)), 'policy_denied_ingress');
      t.is(verdict(rig, 1, outward(family, kind)), 'passes');
      t.is(verdict(rig, 0, answer(fromClient(pod), kind)), 'passes');
      // To another port, or by somebody else, it is no answer.
      t.is(verdict(rig, 0, answer(fromClient(pod, { src: other }), kind)), 'policy_denied_ingress');
    });

    contract(`what a pod answers passes, ${kind}, ${name}`, async (rig) => {
      const { t } = rig;
      await rig.commit(policed(family, NOBODY_GOES_OUT));
      t.is(verdict(rig, 1, answer(fromPod(client), kind)), 'policy_denied_egress');
      t.is(verdict(rig, 0, inward(family, kind)), 'passes');
      t.is(verdict(rig, 1, answer(fromPod(client), kind)), 'passes');
    });
  }

  contract(
    `ICMP errors of a tracked connection pass, others are asked about, ${name}`,
    async (rig) => {
      const { t } = rig;
      await rig.commit(policed(family, NOBODY_COMES_IN));
      const sent = outward(family, 'udp');
      t.is(verdict(rig, 0, error(fromClient(pod), sent)), 'policy_denied_ingress');
      t.is(verdict(rig, 1, sent), 'passes');
      t.is(verdict(rig, 0, error(fromClient(pod), sent)), 'passes');
      t.is(verdict(rig, 0, error(fromClient(pod, { src: other }), sent)), 'passes');
      t.is(rig.counter('related'), 2);
      // They pass even where the connection does not any more.
      await rig.commit(rules({ egress: ['deny any'] }));
      t.is(verdict(rig, 1, sent), 'policy_denied_egress');
      t.is(verdict(rig, 0, error(fromClient(pod), sent)), 'passes');
    },
  );

  contract(`fragments of a tracked connection follow their first, ${name}`, async (rig) => {
    const { t } = rig;
    await rig.commit(policed(family, { ingress: ['accept @1 udp/53', 'deny any'] }));
    const datagram = (dst: number) =>
      fromClient(pod)
        .udp({ src: 9, dst, payload: new Uint8Array(64) })
        .build();
    const [one, two] = fragments(datagram(53), [24], 1);
    t.is(rig.pass(0, 1, two, one).length, 2);
    const denied = fragments(datagram(54), [24], 2);
    t.is(verdict(rig, 0, denied[0]), 'policy_denied_ingress');
    t.is(verdict(rig, 0, denied[1]), 'fragment_orphan');
  });

  contract(`a service's endpoint is asked about, at its own port, ${name}`, async (rig) => {
    const { t } = rig;
    // The service has port 80, its endpoint 8080.
    await rig.commit(
      policed(family, { ingress: ['deny any tcp/80', 'accept @1 tcp/8080', 'deny any'] }),
    );
    t.is(verdict(rig, 0, tcp('S', 1, service)), 'passes');
    t.is(verdict(rig, 0, udp(1, 'x', service)), 'policy_denied_ingress');
    t.is(rig.connections(first + OF.tcp), 1);
    t.is(rig.connections(first + OF.udp), 0);
    await rig.commit(rules({ ingress: ['accept any tcp/80', 'deny any'] }));
    t.is(verdict(rig, 0, tcp('S', 2, service)), 'policy_denied_ingress');
    t.is(rig.counter('flowsCreated'), 1);
  });

  contract(`a pod is judged by the endpoint that a service leads to, ${name}`, async (rig) => {
    const { t } = rig;
    const slot = first + OF.tcp;
    await rig.commit({
      ...policed(family, { egress: ['accept @3 tcp/81', 'deny any'] }),
      pools: [{ slot, backends: [{ slot: 60, at: at(podAt(3), 81) }] }],
    });
    t.is(verdict(rig, 1, opening(fromPod(service), 'tcp', 80)), 'passes');
    await rig.commit({ pools: [{ slot, backends: [{ slot: 61, at: at(podAt(3), 82) }] }] });
    t.is(verdict(rig, 1, opening(fromPod(service), 'tcp', 80, 40_001)), 'policy_denied_egress');
  });

  contract(`it is the client who is asked about, not who stands for it, ${name}`, async (rig) => {
    const { t } = rig;
    const slot = first + OF.tcp;
    await rig.commit({
      ...policed(family, { ingress: ['accept @1', 'deny any'] }),
      frontends: [{ at: `${at(service, 80)}/tcp`, slot, pool: slot, masquerade: 'outside' }],
    });
    t.is(verdict(rig, 0, tcp('S', 1, service)), 'passes');
    t.is(rig.counter('masqueraded'), 1);
    t.is(
      verdict(rig, 0, opening(fromClient(service, { src: other }), 'tcp', 80)),
      'policy_denied_ingress',
    );
    await rig.commit(rules({ ingress: ['deny @1'] }));
    t.is(verdict(rig, 0, tcp('A', 1, service)), 'policy_denied_ingress');
  });

  contract(
    `a pod that reaches itself by a service: the network tier has no say, ${name}`,
    async (rig) => {
      const { t } = rig;
      const hairpin = (src: number) => opening(fromPod(service), 'tcp', 80, src);
      const deny = { ingress: ['deny any'], egress: ['deny any'] };
      await rig.commit(policed(family, deny));
      t.is(verdict(rig, 1, hairpin(1)), 'passes');
      t.is(rig.counter('masqueraded'), 1);
      for (const direction of ['ingress', 'egress'] as const) {
        for (const set of [
          ['admin deny any', 'deny any'],
          ['deny any', 'baseline deny any'],
        ]) {
          await rig.commit(rules({ ...deny, [direction]: set }));
          t.is(verdict(rig, 1, hairpin(2)), `policy_denied_${direction}`);
          t.is(verdict(rig, 1, hairpin(1)), `policy_denied_${direction}`);
        }
      }
      await rig.commit(rules({ ingress: ['admin pass any', 'accept any', 'baseline deny @4'] }));
      t.is(verdict(rig, 1, hairpin(3)), 'policy_denied_ingress');
      await rig.commit(rules({ ingress: ['admin pass any', 'deny any', 'baseline accept any'] }));
      t.is(verdict(rig, 1, hairpin(3)), 'passes');
    },
  );

  contract(`live connections are judged anew, both ways and back again, ${name}`, async (rig) => {
    const { t } = rig;
    const lives: [name: string, forward: Uint8Array, back: Uint8Array][] = [
      ['service', tcp('A', 40_000, service), tcpReply('A', 40_000, client)],
      ['service', udp(40_001, 'x', service), udpReply(40_001, client)],
      ['tracked', opening(fromClient(pod), 'udp', 99, 7), opening(fromPod(client), 'udp', 7, 99)],
    ];
    await rig.commit(policed(family, {}));
    for (const [, forward, back] of lives) {
      t.is(verdict(rig, 0, forward), 'passes');
      t.is(verdict(rig, 1, back), 'passes');
    }
    t.is(rig.counter('flowsCreated'), 3);
    const before = (await rig.engine.flows(9)).map(({ packets, bytes }) => [packets, bytes]);
    await rig.commit(rules({ ingress: ['accept @2', 'deny any'] }));
    for (const [, forward, back] of lives) {
      for (let times = 0; times < 2; times++) {
        t.is(verdict(rig, 0, forward), 'policy_denied_ingress');
        t.is(verdict(rig, 1, back), 'policy_denied_ingress');
      }
    }
    const since = (await rig.engine.flows(9)).map(({ packets, bytes }) => [packets, bytes]);
    t.deepEqual(since, before, 'what does not pass does not count');
    // Who is who may change as well.
    await rig.commit({ identityNetworks: [{ network: client, identity: ID.other }] });
    for (const [, forward, back] of lives) {
      t.is(verdict(rig, 0, forward), 'passes');
      t.is(verdict(rig, 1, back), 'passes');
    }
    await rig.commit({ identities: [{ slot: ID.pod, egress: 'pending' }] });
    for (const [, forward, back] of lives) {
      t.is(verdict(rig, 0, forward), 'policy_pending');
      t.is(verdict(rig, 1, back), 'policy_pending');
    }
    await rig.commit({ removedIdentityNetworks: [pod], removedIdentities: [ID.pod] });
    for (const [, forward, back] of lives) {
      t.is(verdict(rig, 0, forward), 'passes');
      t.is(verdict(rig, 1, back), 'passes');
    }
    t.is(rig.counter('flowsCreated'), 3);
  });

  contract(`a connection that may not pass is not kept alive, ${name}`, async (rig) => {
    const { t } = rig;
    await rig.commit(policed(family, {}));
    const frame = inward(family, 'udp');
    t.is(verdict(rig, 0, frame), 'passes');
    await rig.commit(rules(NOBODY_COMES_IN));
    rig.wait(29);
    t.is(verdict(rig, 0, frame), 'policy_denied_ingress');
    t.is((await rig.flow()).idle, 29);
    rig.wait(1);
    t.is((await rig.engine.flows(9)).length, 0);
    t.is(verdict(rig, 0, frame), 'policy_denied_ingress');
    t.is(rig.counter('flowsExpired'), 1);
    t.is(rig.engine.occupancy().flows + rig.engine.occupancy().flows6, 0);
  });

  contract(`a new connection on an old tuple is judged as a new one, ${name}`, async (rig) => {
    const { t } = rig;
    await rig.commit(policed(family, {}));
    t.is(verdict(rig, 0, inward(family, 'tcp')), 'passes');
    t.is(
      verdict(rig, 1, fromPod(client).tcp({ src: 80, dst: 40_000, flags: 'RA' }).build()),
      'passes',
    );
    await rig.commit(rules(NOBODY_COMES_IN));
    t.is(verdict(rig, 0, inward(family, 'tcp')), 'policy_denied_ingress');
    t.is((await rig.engine.flows(9)).length, 0);
    t.is(rig.counter('flowsCreated'), 1);
  });

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

const TIMEOUTS = timeouts({
  tcpUnreplied: 60,
  tcpSynReceived: 45,
  tcpEstablished: 300,
  tcpCloseWait: 100,
  tcpTimeWait: 80,
  tcpClosed: 10,
  udpUnreplied: 30,
  udpStream: 120,
  sctpUnreplied: 25,
  sctpEstablished: 200,
  sctpClosed: 15,
  icmp: 20,
});

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
      { timeouts: TIMEOUTS },
    );
  }
}
