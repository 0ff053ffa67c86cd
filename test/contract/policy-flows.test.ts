// SPDX-License-Identifier: Apache-2.0
import { fragments, type PacketBuilder } from '../support/packets.js';
import { FAMILIES, FIRST, fromClient, fromPod, OF, tcp, tcpReply, udp, udpReply } from './net.js';
import { ID, inward, type Kind, opening, outward, policed, rules, verdict } from './policing.js';
import { contract } from './rig.js';

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
      // One of nothing that is known is let in, or not, by itself.
      const unknown = error(fromClient(pod, { src: other }), outward(family, 'tcp'));
      t.is(verdict(rig, 0, unknown), 'passes');
      t.is(rig.counter('related'), 2);
      t.is(rig.counter('flowsCreated'), 1);
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
}
