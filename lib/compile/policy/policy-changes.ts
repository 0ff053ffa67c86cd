// SPDX-License-Identifier: Apache-2.0
import type { CheckedSection } from '../../model/checked.js';
import {
  type CheckedNamedPort,
  type CheckedPolicy,
  policyKey,
} from '../../model/checked-policy.js';
import { DraftMap } from '../draft-map.js';
import { same } from '../same.js';
import { changesOf } from '../section.js';
import type { RuleView } from '../view.js';
import type { InternedDraft } from './interned.js';
import { type Labelled, MatchIndex, type PodMatcher } from './match-index.js';
import { NetworkIndex } from './network-index.js';
import { type CompiledPolicy, PolicyCompiler, type PortNumbers } from './policy-rows.js';
import { type Selector, servesPort } from './selectors.js';
import type { PolicyState } from './state.js';

/** What a section of policies changes: policies, and the selectors that they name. */
export class PolicyChanges {
  /** Keys of policies that are new, changed or gone. */
  readonly changed = new Set<string>();
  /** Of all that may have changed for pods that stay as they are. */
  readonly matchers: PodMatcher[] = [];
  /** Numbers of selectors that have gone. */
  readonly gone = new Set<number>();
  readonly networks: NetworkIndex;
  readonly #state: PolicyState;
  readonly #policies: DraftMap<string, CompiledPolicy>;
  readonly #subjects: MatchIndex<string>;
  readonly #changedSubjects = new MatchIndex<string>();
  readonly #selectors: InternedDraft<Selector>;
  readonly #podSelectors: MatchIndex<number>;
  readonly #newSelectors = new MatchIndex<number>();
  /** What selectors ask their peers to serve. */
  readonly #asked: DraftMap<number, CheckedNamedPort>;
  readonly #compiler: PolicyCompiler;

  constructor(state: PolicyState, rules: InternedDraft<RuleView>, numbers: PortNumbers) {
    this.#state = state;
    this.networks = new NetworkIndex(state.networks);
    this.#policies = new DraftMap(state.policies);
    this.#subjects = new MatchIndex(state.subjects);
    this.#selectors = state.selectors.draft();
    this.#podSelectors = new MatchIndex(state.podSelectors);
    this.#asked = new DraftMap(state.asked);
    this.#compiler = new PolicyCompiler(this.#selectors, rules, numbers);
  }

  /**
   * @param policies - `undefined`: those that there are
   * @param renumbered - names of ports under which there are other numbers now
   */
  read(policies: CheckedSection<CheckedPolicy> | undefined, renumbered: ReadonlySet<string>): void {
    if (policies !== undefined) {
      const { put, removed } = changesOf(policies, this.#state.policies, policyKey);
      for (const key of removed) {
        if (this.#state.policies.has(key)) this.#change(key, undefined);
      }
      for (const policy of put) {
        const key = policyKey(policy);
        if (!same(this.#policies.get(key)?.policy, policy)) this.#change(key, policy);
      }
    }
    if (renumbered.size > 0) {
      for (const [key, { policy, peerPorts }] of [...this.#policies]) {
        const isStale = [...peerPorts].some((name) => renumbered.has(name));
        if (isStale && !this.changed.has(key)) this.#change(key, policy);
      }
    }
    this.#readSelectors();
  }

  get(key: string): CompiledPolicy | undefined {
    return this.#policies.get(key);
  }

  /** Keys of the policies that are for a pod. */
  policiesFor(pod: Labelled): string[] {
    return this.#subjects.matching(pod);
  }

  /** Those of them that are new or changed. */
  changedFor(pod: Labelled): string[] {
    return this.#changedSubjects.matching(pod);
  }

  /** Numbers of the selectors of pods that find a pod. */
  selectorsOf(pod: Labelled, ports: readonly CheckedNamedPort[]): number[] {
    return this.serving(this.#podSelectors.matching(pod), ports);
  }

  /** Those of them that are new. */
  newSelectorsOf(pod: Labelled, ports: readonly CheckedNamedPort[]): number[] {
    return this.serving(this.#newSelectors.matching(pod), ports);
  }

  /** Those of `selectors` that ask their peers to serve nothing, or one of `ports`. */
  serving(selectors: readonly number[], ports: readonly CheckedNamedPort[]): number[] {
    return selectors.filter((selector) => servesPort(this.#asked.get(selector) ?? null, ports));
  }

  accept(): void {
    for (const draft of [this.#policies, this.#asked, this.networks, this.#selectors]) {
      draft.accept();
    }
    this.#subjects.accept();
    this.#podSelectors.accept();
  }

  #change(key: string, policy: CheckedPolicy | undefined): void {
    this.changed.add(key);
    const before = this.#policies.get(key);
    if (before !== undefined) {
      this.#subjects.remove(key, before.policy.subject);
      this.matchers.push(before.policy.subject);
    }
    if (policy === undefined) this.#policies.delete(key);
    else {
      this.#policies.set(key, this.#compiler.compile(policy));
      this.#subjects.add(key, policy.subject);
      this.#changedSubjects.add(key, policy.subject);
      this.matchers.push(policy.subject);
    }
    if (before !== undefined) this.#compiler.drop(before);
  }

  /** Takes notice of selectors that are new or gone. */
  #readSelectors(): void {
    const { put, removed } = this.#selectors.settle();
    for (const { number, value } of removed) {
      if (value.peer.kind === 'network') this.networks.remove(number, value.peer);
      else {
        this.#podSelectors.remove(number, value.peer);
        this.matchers.push(value.peer);
      }
      this.#asked.delete(number);
      this.gone.add(number);
    }
    for (const { number, value } of put) {
      if (value.serves !== null) this.#asked.set(number, value.serves);
      if (value.peer.kind === 'network') this.networks.add(number, value.peer);
      else {
        this.#podSelectors.add(number, value.peer);
        this.#newSelectors.add(number, value.peer);
        this.matchers.push(value.peer);
      }
    }
  }
}
