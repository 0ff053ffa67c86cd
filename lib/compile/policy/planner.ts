// SPDX-License-Identifier: Apache-2.0
import { SluiceError } from '../../errors.js';
import type { CheckedChange, CheckedInterface, CheckedNode } from '../../model/checked.js';
import type { CheckedPod } from '../../model/checked-policy.js';
import { DraftMap } from '../draft-map.js';
import { SLOT_LIMIT } from '../slots.js';
import type { PolicyDirection, RuleView } from '../view.js';
import { IdentityTable } from './identity-table.js';
import type { InternedDraft } from './interned.js';
import { fits } from './match-index.js';
import { prefixKey } from './network-index.js';
import { PodChanges, prefixesOf } from './pod-changes.js';
import { PolicyChanges } from './policy-changes.js';
import type { PolicyDelta } from './policy-delta.js';
import { comparePolicies } from './policy-rows.js';
import { RuleSets } from './rule-sets.js';
import type { Attached, Here, PodState, PolicyState } from './state.js';

/** A pod whose policies are known and not in order yet, and whose rule sets are not known. */
type Judged = Omit<PodState, 'ingress' | 'egress'>;

/**
 * Works out one change of the policy. A pod that comes or changes is asked which selectors find it and
 * which policies are for it; a policy that comes or changes asks the pods. What neither touches is
 * not looked at.
 */
export class PolicyPlanner {
  readonly #state: PolicyState;
  readonly #delta: PolicyDelta;
  readonly #rules: InternedDraft<RuleView>;
  readonly #changes: PodChanges;
  readonly #policies: PolicyChanges;
  readonly #pods: DraftMap<string, PodState>;
  readonly #sets: RuleSets;
  readonly #identities: IdentityTable;
  #here: Here;

  constructor(state: PolicyState, delta: PolicyDelta) {
    this.#state = state;
    this.#delta = delta;
    this.#here = state.here;
    this.#rules = state.rules.draft();
    this.#changes = new PodChanges(state);
    this.#policies = new PolicyChanges(state, this.#rules, (name) =>
      this.#changes.portNumbers(name),
    );
    this.#pods = new DraftMap(state.pods);
    this.#sets = new RuleSets(state.sets.draft(), this.#rules);
    this.#identities = new IdentityTable(state, delta, this.#policies.networks, {
      pod: (key) => this.#pods.get(key)!,
      owner: (key) => this.#changes.addresses.get(key),
      slotOf: (key) => this.#sets.slotOf(key),
      serving: (selectors, ports) => this.#policies.serving(selectors, ports),
    });
  }

  /**
   * @param interfaces - all that there will be
   * @throws SluiceError `ERR_CAPACITY`
   */
  plan(change: CheckedChange, interfaces: readonly CheckedInterface[], node: CheckedNode): void {
    this.#here = hereOf(interfaces, node, this.#state.here);
    if (change.namespaces !== undefined) this.#changes.readNamespaces(change.namespaces);
    if (change.pods !== undefined) this.#changes.readPods(change.pods);
    this.#policies.read(change.policies, this.#changes.renumbered);
    this.#judgePods();
    this.#identities.update(this.#changes.touched, this.#changes.addresses, this.#here);
    this.#sets.settle(this.#delta);
    this.#identities.settle();
    this.#rules.settle();
    refuseExcess('rule set', this.#sets.size);
    refuseExcess('identity', this.#identities.size);
  }

  accept(): void {
    this.#changes.accept();
    this.#policies.accept();
    this.#pods.accept();
    this.#sets.accept();
    this.#identities.accept();
    this.#rules.accept();
    this.#state.here = this.#here;
  }

  #judgePods(): void {
    const { put, removed, relabelled } = this.#changes;
    for (const [key, before] of removed) {
      this.#releaseSets(before);
      this.#pods.delete(key);
    }
    for (const key of this.#concerned()) {
      const before = this.#state.pods.get(key);
      const pod = put.get(key) ?? before!.pod;
      const isAnew = before === undefined || put.has(key) || relabelled.has(pod.namespace);
      const found = isAnew ? this.#judge(key, pod) : this.#judgeAgain(key, before);
      if (found !== null) this.#putPod(key, found, before);
    }
  }

  /** Keys of the pods that something may have changed for. */
  #concerned(): Set<string> {
    const { put, removed, placed, relabelled } = this.#changes;
    const { here, pods, podsByNamespace } = this.#state;
    const concerned = new Set(put.keys());
    const add = (key: string) => {
      if (pods.has(key) && !removed.has(key)) concerned.add(key);
    };
    if (here.node !== this.#here.node || this.#state.placed > 0 !== placed > 0) {
      for (const key of pods.keys()) add(key);
      return concerned;
    }
    if (here !== this.#here) difference(here.attachedPods, this.#here.attachedPods).forEach(add);
    for (const namespace of relabelled) podsByNamespace.get(namespace)?.forEach(add);
    const { matchers } = this.#policies;
    if (matchers.length > 0) {
      for (const [namespace, keys] of podsByNamespace) {
        const labels = this.#changes.labelsOf(namespace);
        const meant = matchers.filter((matcher) => fits(matcher.namespaces, labels));
        if (meant.length === 0) continue;
        for (const key of keys) {
          if (meant.some((matcher) => fits(matcher.pods, pods.get(key)!.labels))) add(key);
        }
      }
    }
    return concerned;
  }

  /** Asks everything about a pod. */
  #judge(key: string, pod: CheckedPod): Judged {
    const local = this.#isLocal(key, pod);
    const { labels, namespace, ports } = pod;
    const labelled = { labels, namespaceLabels: this.#changes.labelsOf(namespace) };
    return {
      ...labelled,
      pod,
      local,
      policies: local ? this.#policies.policiesFor(labelled) : [],
      selectors: this.#policies.selectorsOf(labelled, ports),
    };
  }

  /** Asks what is new about a pod that is not; `null`: all is as it was. */
  #judgeAgain(key: string, before: PodState): Judged | null {
    const { pod, labels, namespaceLabels } = before;
    const { changed, gone } = this.#policies;
    const local = this.#isLocal(key, pod);
    let { policies } = before;
    if (!local && before.local) policies = [];
    else if (local && !before.local) policies = this.#policies.policiesFor(before);
    else if (local) {
      const newly = this.#policies.changedFor(before);
      policies = joined(policies, (policy) => !changed.has(policy), newly);
    }
    const found = this.#policies.newSelectorsOf(before, pod.ports);
    const selectors = joined(before.selectors, (number) => !gone.has(number), found);
    const isSame =
      before.local === local && policies === before.policies && selectors === before.selectors;
    return isSame ? null : { pod, labels, namespaceLabels, local, policies, selectors };
  }

  #putPod(key: string, found: Judged, before: PodState | undefined): void {
    const { pod, local } = found;
    const policies = found.policies.map((each) => this.#policies.get(each)!).sort(comparePolicies);
    const setOf = (direction: PolicyDirection) =>
      local ? this.#sets.acquire(direction, policies, pod.ports, this.#policies.changed) : null;
    this.#pods.set(key, {
      ...found,
      policies: policies.map((policy) => policy.key),
      ingress: setOf('ingress'),
      egress: setOf('egress'),
    });
    if (before !== undefined) this.#releaseSets(before);
    for (const prefix of prefixesOf(pod)) this.#changes.touched.add(prefixKey(prefix));
  }

  #releaseSets({ ingress, egress }: PodState): void {
    if (ingress !== null) this.#sets.release(ingress);
    if (egress !== null) this.#sets.release(egress);
  }

  /** Those of this node. Where no pod says where it is, all are. */
  #isLocal(key: string, { node }: CheckedPod): boolean {
    if (this.#changes.placed === 0 || this.#here.attachedPods.has(key)) return true;
    return node !== null && node === this.#here.node;
  }
}

/** The very same where nothing that it is made of has changed. */
function hereOf(
  interfaces: readonly CheckedInterface[],
  { name }: CheckedNode,
  before: Here,
): Here {
  if (interfaces === before.interfaces && name === before.node) return before;
  const attached = new Map<string, Attached>();
  const attachedPods = new Set<string>();
  for (const { pod, sources } of interfaces) {
    if (pod === null) continue;
    attachedPods.add(pod);
    for (const prefix of sources) attached.set(prefixKey(prefix), { prefix, pod });
  }
  return { interfaces, node: name, attached, attachedPods };
}

/** Those of `before` that stay, and `added`; the very same list where that is all of them. */
function joined<T>(before: readonly T[], stays: (item: T) => boolean, added: readonly T[]) {
  const kept = before.filter(stays);
  return kept.length === before.length && added.length === 0 ? before : [...kept, ...added];
}

/** What is in one of them only. */
function difference(a: ReadonlySet<string>, b: ReadonlySet<string>): string[] {
  return [...[...a].filter((item) => !b.has(item)), ...[...b].filter((item) => !a.has(item))];
}

function refuseExcess(what: string, needed: number): void {
  if (needed <= SLOT_LIMIT) return;
  const message =
    `this change needs ${needed} ${what} slots at once (a slot that it frees is free only ` +
    `afterwards) and there are ${SLOT_LIMIT}`;
  throw new SluiceError('ERR_CAPACITY', message, { path: 'policies' });
}
