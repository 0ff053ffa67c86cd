// SPDX-License-Identifier: Apache-2.0
import type { Explanation } from '../../lib/engine/engine.js';
import { ruleNumber } from '../support/policy.js';
import { FAMILIES, FIRST, fromClient, fromPod, NET, OF, tcp, tcpReply } from './net.js';
import { inward, opening, outward, policed, rules, SET, verdict } from './policing.js';
import { contract, type Rig } from './rig.js';

/** Explains, and checks that what is seen from outside stays as it is. */
async function explain(rig: Rig, slot: number, frame: Uint8Array): Promise<Explanation> {
  const { values } = rig.engine.counters;
  const before = [values.slice(), await rig.engine.flows(9), rig.engine.occupancy()];
  const explanation = await rig.engine.explain(slot, frame);
  rig.t.deepEqual([values.slice(), await rig.engine.flows(9), rig.engine.occupancy()], before);
  return explanation;
}

const BY_NO_RULE = { allowed: true, rule: null };
const by = (set: keyof typeof SET, n: number, allowed: boolean) => ({
  allowed,
  rule: ruleNumber(SET[set], n),
});

for (const family of FAMILIES) {
  const { name, pod, client, service, idle, own } = family;
  const first = FIRST[name];

  contract(`the rule that lets a service's connection pass is named, ${name}`, async (rig) => {
    const { t } = rig;
    await rig.commit(policed(family, { ingress: ['accept @2', 'accept any tcp/8080'] }));
    const judged = { egress: BY_NO_RULE, ingress: by('ingress', 1, true) };
    t.like(await explain(rig, 0, tcp('S', 1, service)), {
      fate: 'forward',
      flow: null,
      frontend: first + OF.tcp,
      backend: first + OF.tcp,
      ...judged,
    });
    t.is(verdict(rig, 0, tcp('S', 1, service)), 'passes');
    for (const [slot, frame] of [
      [0, tcp('A', 1, service)],
      [1, tcpReply('SA', 1, client)],
    ] as const) {
      const direction = slot === 0 ? 'forward' : 'reply';
      t.like(await explain(rig, slot, frame), {
        fate: 'forward',
        flow: { direction, state: 'unreplied' },
        backend: first + OF.tcp,
        ...judged,
      });
    }
  });

  contract(`so is the rule that refuses one, new or live, ${name}`, async (rig) => {
    const { t } = rig;
    await rig.commit(policed(family, {}));
    t.is(verdict(rig, 0, tcp('S', 1, service)), 'passes');
    await rig.commit(rules({ ingress: ['accept @2', 'deny any'] }));
    const judged = { egress: BY_NO_RULE, ingress: by('ingress', 1, false) };
    const refused = {
      fate: 'drop',
      reason: 'policy_denied_ingress',
      rejected: false,
      rewrite: null,
      route: null,
      backend: first + OF.tcp,
      ...judged,
    } as const;
    t.like(await explain(rig, 0, tcp('S', 2, service)), {
      ...refused,
      flow: null,
      frontend: first + OF.tcp,
      pool: first + OF.tcp,
      masquerade: false,
    });
    // Whether or not it has been asked about before.
    for (let times = 0; times < 2; times++) {
      t.like(await explain(rig, 1, tcpReply('SA', 1, client)), {
        ...refused,
        flow: { direction: 'reply', state: 'unreplied' },
      });
      t.is(verdict(rig, 1, tcpReply('SA', 1, client)), 'policy_denied_ingress');
    }
  });

  contract(`behind a denied egress nobody asks further, ${name}`, async (rig) => {
    const { t } = rig;
    await rig.commit(policed(family, { egress: ['deny any'] }));
    for (const kind of ['tcp', 'echo', 'gre'] as const) {
      t.like(await explain(rig, 1, outward(family, kind)), {
        fate: 'drop',
        reason: 'policy_denied_egress',
        egress: by('egress', 0, false),
        ingress: null,
      });
    }
  });

  contract(`a tracked connection is explained, ${name}`, async (rig) => {
    const { t } = rig;
    await rig.commit(policed(family, { ingress: ['accept @1'] }));
    const frame = inward(family, 'tcp');
    const common = {
      fate: 'forward',
      scope: null,
      frontend: null,
      pool: null,
      maglevSlot: null,
      affinity: false,
      backend: null,
      masquerade: false,
      egress: BY_NO_RULE,
      ingress: by('ingress', 0, true),
    } as const;
    const told = await explain(rig, 0, frame);
    t.like(told, { ...common, flow: null });
    t.deepEqual(told.rewrite, told.tuple);
    t.is(verdict(rig, 0, frame), 'passes');
    const hit = await explain(rig, 0, frame);
    t.like(hit, { ...common, flow: { direction: 'forward', state: 'unreplied' } });
    t.deepEqual(hit.rewrite, hit.tuple);
  });

  contract(`what is no flow is explained as well, ${name}`, async (rig) => {
    const { t } = rig;
    await rig.commit(policed(family, { ingress: ['accept @1'] }));
    t.like(await explain(rig, 0, inward(family, 'gre')), {
      fate: 'forward',
      egress: BY_NO_RULE,
      ingress: by('ingress', 0, true),
      rewrite: null,
    });
  });

  contract(`what passes or is refused before any rule is looked at, ${name}`, async (rig) => {
    const { t } = rig;
    await rig.commit({
      ...policed(family, { ingress: ['deny any'], egress: ['deny any'] }),
      scopes: [{ on: 0, scope: 'host' }],
    });
    const unasked = { egress: null, ingress: null };
    const byNode = opening(fromClient(pod, { src: own[0] }), 'tcp');
    t.like(await explain(rig, 0, byNode), { fate: 'forward', ...unasked });
    t.like(await explain(rig, 1, opening(fromPod(pod), 'tcp')), { fate: 'forward', ...unasked });
    // Nobody has rules that are looked at: nobody asks.
    const stranger = opening(fromClient(family.podAt(9)), 'tcp');
    t.like(await explain(rig, 0, stranger), { fate: 'forward', ...unasked });
    t.like(await explain(rig, 0, opening(fromClient(idle), 'tcp')), {
      reason: 'no_backend',
      ...unasked,
    });
    t.like(await explain(rig, 0, fromClient(pod).tcp({ src: 1, dst: 2, flags: 'R' }).build()), {
      reason: 'tcp_no_flow',
      ...unasked,
    });
    await rig.commit({ identities: [{ slot: 0, ingress: 'pending', networks: [pod] }] });
    for (const [into, frame] of [
      [0, inward(family, 'tcp')],
      [1, opening(fromPod(own[1]), 'tcp')],
      [1, opening(fromPod(own[1]), 'echo')],
    ] as const) {
      t.like(await explain(rig, into, frame), { reason: 'policy_pending', ...unasked });
    }
  });

  contract(`related errors are not asked about, ${name}`, async (rig) => {
    const { t } = rig;
    await rig.commit(policed(family, { ingress: ['deny any'] }));
    t.is(verdict(rig, 1, outward(family, 'udp')), 'passes');
    const error = fromClient(pod)
      .icmpError({ type: name === 'IPv4' ? 3 : 1, quoting: outward(family, 'udp') })
      .build();
    t.like(await explain(rig, 0, error), {
      fate: 'forward',
      flow: { direction: 'related', state: 'unreplied' },
      backend: null,
      egress: null,
      ingress: null,
      neighbour: {
        mac: Uint8Array.from(NET.pod.mac.split(':'), (byte) => Number.parseInt(byte, 16)),
      },
    });
  });

  contract(`the policy comes before masquerade, ${name}`, async (rig) => {
    const { t } = rig;
    const slot = first + OF.tcp;
    await rig.commit({
      ...policed(family, { ingress: ['accept @1'] }),
      frontends: [{ at: `${family.at(service, 80)}/tcp`, slot, pool: slot, masquerade: 'outside' }],
      addresses: [],
    });
    const asked = { masquerade: true, ingress: by('ingress', 0, true) };
    t.like(await explain(rig, 0, tcp('S', 1, service)), {
      reason: 'snat_address_missing',
      ...asked,
    });
    await rig.commit(rules({ ingress: ['deny any'] }));
    t.like(await explain(rig, 0, tcp('S', 1, service)), {
      reason: 'policy_denied_ingress',
      masquerade: false,
    });
  });
}
