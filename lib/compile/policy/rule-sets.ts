// SPDX-License-Identifier: Apache-2.0
import type { CheckedNamedPort } from '../../model/checked-policy.js';
import { ACTION, ANY_PEER, TIER } from '../program.js';
import { same } from '../same.js';
import type { PolicyDirection, RuleView } from '../view.js';
import type { InternedDraft } from './interned.js';
import type { PolicyDelta } from './policy-delta.js';
import { type CompiledPolicy, nameOf, type RuleRow } from './policy-rows.js';
import { portNameKey } from './selectors.js';

/** What one pod, or many alike, may take in or send. */
export interface RuleSet {
  readonly rows: readonly RuleRow[];
  /** Of the rule that denies what no policy accepts; `null`: the pods are not isolated. */
  readonly isolation: string | null;
}

const NO_PORTS: readonly CheckedNamedPort[] = [];

/**
 * The rule sets of pods. Pods have the same one if the same policies are for them, and their ports of
 * the names that these ask for have the same numbers. A set that is there keeps its slot while its
 * policies change, so that this costs the set and not its pods.
 */
export class RuleSets {
  readonly #sets: InternedDraft<RuleSet>;
  readonly #rules: InternedDraft<RuleView>;
  readonly #made = new Set<string>();

  constructor(sets: InternedDraft<RuleSet>, rules: InternedDraft<RuleView>) {
    this.#sets = sets;
    this.#rules = rules;
  }

  /**
   * @param policies - that are for the pod, in the order in which they are asked
   * @param ports - of the pod
   * @param changed - policies that the set has to be made anew for
   * @returns key of the set, which is referred to once more
   */
  acquire(
    direction: PolicyDirection,
    policies: readonly CompiledPolicy[],
    ports: readonly CheckedNamedPort[],
    changed: ReadonlySet<string>,
  ): string {
    const speaking = policies.filter((policy) => policy[direction] !== null);
    // Peers' ports were looked up when the policy was compiled.
    const named = direction === 'ingress' ? ports : NO_PORTS;
    const key = keyOf(direction, speaking, named);
    const isNew = this.#sets.get(key) === undefined;
    const make = () => this.#make(direction, speaking, named);
    this.#sets.acquire(key, make);
    const isStale = !isNew && speaking.some((policy) => changed.has(policy.key));
    if (isStale && !this.#made.has(key)) this.#renew(key, direction, speaking, named);
    this.#made.add(key);
    return key;
  }

  release(key: string): void {
    this.#sets.release(key);
  }

  /** One more than the highest slot that was ever in use. */
  get size(): number {
    return this.#sets.size;
  }

  /** Puts and removes the sets that this takes. */
  settle(delta: PolicyDelta): void {
    const { put, removed } = this.#sets.settle();
    for (const { number, value } of put) delta.putRuleSet(number, value.rows);
    for (const { number, value } of removed) {
      delta.removeRuleSet(number);
      if (value.isolation !== null) this.#rules.release(value.isolation);
    }
  }

  accept(): void {
    this.#sets.accept();
  }

  slotOf(key: string): number {
    return this.#sets.numberOf(key);
  }

  #make(
    direction: PolicyDirection,
    policies: readonly CompiledPolicy[],
    ports: readonly CheckedNamedPort[],
  ): RuleSet {
    const isolating = policies.filter(({ policy }) => policy.tier === 'network');
    if (isolating.length === 0) {
      return { rows: rowsOf(direction, policies, ports, null), isolation: null };
    }
    const isolation = `${direction} isolation ${isolating.map(({ key }) => key).join(' ')}`;
    const rule = this.#rules.acquire(isolation, () => ({
      kind: 'isolation',
      direction,
      policies: isolating.map(({ policy }) => nameOf(policy)),
    }));
    return { rows: rowsOf(direction, policies, ports, rule), isolation };
  }

  /** The rows of a set that is there already: a policy of it may have changed. */
  #renew(
    key: string,
    direction: PolicyDirection,
    policies: readonly CompiledPolicy[],
    ports: readonly CheckedNamedPort[],
  ): void {
    const before = this.#sets.get(key)!;
    const { isolation } = before;
    const rule = isolation === null ? null : this.#rules.numberOf(isolation);
    const rows = rowsOf(direction, policies, ports, rule);
    if (!same(rows, before.rows)) this.#sets.put(key, { rows, isolation });
  }
}

/** The set's rows in order: the isolating one is the last of its tier. */
function rowsOf(
  direction: PolicyDirection,
  policies: readonly CompiledPolicy[],
  ports: readonly CheckedNamedPort[],
  isolation: number | null,
): RuleRow[] {
  const rows = (ofTier: (tier: string) => boolean) =>
    policies
      .filter(({ policy }) => ofTier(policy.tier))
      .flatMap((policy) => policy[direction]!)
      .flatMap((row): RuleRow[] => {
        const { portName, ...rest } = row;
        if (portName === null) return [rest];
        return numbersOf(ports, portName).map((port) => ({
          ...rest,
          portFirst: port,
          portLast: port,
        }));
      });
  return [
    ...rows((tier) => tier !== 'baseline'),
    ...(isolation === null ? [] : [denyRest(isolation)]),
    ...rows((tier) => tier === 'baseline'),
  ];
}

function denyRest(rule: number): RuleRow {
  return {
    selector: ANY_PEER,
    protocol: 0,
    portFirst: 0,
    portLast: 65_535,
    action: ACTION.deny,
    tier: TIER.network,
    rule,
  };
}

/** Sets without policies are one, whatever the direction. */
function keyOf(
  direction: PolicyDirection,
  policies: readonly CompiledPolicy[],
  ports: readonly CheckedNamedPort[],
): string {
  if (policies.length === 0) return '';
  const asked =
    direction === 'ingress' ? policies.flatMap(({ subjectPorts }) => [...subjectPorts]) : [];
  const served = [...new Set(asked)]
    .sort()
    .map((name) => `${name}=${numbersOf(ports, name).join()}`);
  return [direction, ...policies.map(({ key }) => key), ...served].join(' ');
}

function numbersOf(ports: readonly CheckedNamedPort[], name: string): number[] {
  return ports.filter((port) => portNameKey(port) === name).map(({ port }) => port);
}
