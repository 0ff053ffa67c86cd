// SPDX-License-Identifier: Apache-2.0
import {
  type CheckedPolicy,
  type CheckedPolicyPort,
  type CheckedPolicyRule,
  policyKey,
} from '../../model/checked-policy.js';
import { ACTION, ANY_PEER, TIER } from '../program.js';
import type { PolicyDirection, RuleView } from '../view.js';
import type { InternedDraft } from './interned.js';
import { ALL_PODS, portNameKey, type Selector, selectorKey } from './selectors.js';

/** A row of the program's table of rules. */
export interface RuleRow {
  readonly selector: number;
  readonly protocol: number;
  readonly portFirst: number;
  readonly portLast: number;
  readonly action: number;
  readonly tier: number;
  readonly rule: number;
}

/** A row as the policy has it. */
export interface PolicyRow extends RuleRow {
  /** The subject's number for this name takes the place of the ports; `null`: they are numbers. */
  readonly portName: string | null;
}

/** What has been made of a policy. Its rows hold numbers that it refers to until it is dropped. */
export interface CompiledPolicy {
  readonly key: string;
  readonly policy: CheckedPolicy;
  /** `null`: it says nothing on that direction. */
  readonly ingress: readonly PolicyRow[] | null;
  readonly egress: readonly PolicyRow[] | null;
  /** Names of the subjects' ports, as `name/protocol`, that its rows on ingress ask for. */
  readonly subjectPorts: ReadonlySet<string>;
  /** Names of peers' ports that its rows on egress were made by. */
  readonly peerPorts: ReadonlySet<string>;
  readonly selectors: readonly string[];
  readonly rules: readonly string[];
}

/** Numbers by which ports of any pod go under a name, `name/protocol`, in ascending order. */
export type PortNumbers = (name: string) => readonly number[];

export const PROTOCOL_NUMBERS = { TCP: 6, UDP: 17, SCTP: 132 } as const;
const EVERY_PORT = { portFirst: 0, portLast: 65_535 };

/** Makes rows of policies, and numbers of their peers and rules. */
export class PolicyCompiler {
  readonly #selectors: InternedDraft<Selector>;
  readonly #rules: InternedDraft<RuleView>;
  readonly #numbers: PortNumbers;

  constructor(
    selectors: InternedDraft<Selector>,
    rules: InternedDraft<RuleView>,
    numbers: PortNumbers,
  ) {
    this.#selectors = selectors;
    this.#rules = rules;
    this.#numbers = numbers;
  }

  compile(policy: CheckedPolicy): CompiledPolicy {
    const compiled = {
      key: policyKey(policy),
      policy,
      subjectPorts: new Set<string>(),
      peerPorts: new Set<string>(),
      selectors: [] as string[],
      rules: [] as string[],
    };
    const rowsOf = (direction: PolicyDirection) =>
      policy[direction]?.flatMap((rule, index) => this.#rule(rule, index, direction, compiled)) ??
      null;
    return { ...compiled, ingress: rowsOf('ingress'), egress: rowsOf('egress') };
  }

  /** Gives up what a policy refers to. */
  drop({ selectors, rules }: CompiledPolicy): void {
    for (const key of selectors) this.#selectors.release(key);
    for (const key of rules) this.#rules.release(key);
  }

  #rule(
    { name, action, peers, ports }: CheckedPolicyRule,
    index: number,
    direction: PolicyDirection,
    compiled: Referring,
  ): PolicyRow[] {
    const { policy, key } = compiled;
    const ruleKey = `${direction} ${index} ${name ?? ''} ${action} ${policy.tier} ${key}`;
    compiled.rules.push(ruleKey);
    const shared = {
      action: ACTION[action],
      tier: TIER[policy.tier],
      rule: this.#rules.acquire(ruleKey, () => ({
        kind: 'rule',
        direction,
        policy: nameOf(policy),
        index,
        name,
        action,
      })),
    };
    const selectors = peers?.map((peer): Selector => ({ peer, serves: null })) ?? [null];
    return selectors.flatMap((selector) =>
      portsOf(ports).flatMap((port) =>
        this.#match(selector, port, direction, compiled).map((match) => ({ ...shared, ...match })),
      ),
    );
  }

  #match(
    selector: Selector | null,
    port: CheckedPolicyPort | null,
    direction: PolicyDirection,
    compiled: Referring,
  ): Pick<PolicyRow, 'selector' | 'protocol' | 'portFirst' | 'portLast' | 'portName'>[] {
    if (port === null) {
      const number = this.#number(selector, compiled);
      return [{ selector: number, protocol: 0, ...EVERY_PORT, portName: null }];
    }
    const protocol = PROTOCOL_NUMBERS[port.protocol];
    if ('first' in port) {
      const { first: portFirst, last: portLast } = port;
      const number = this.#number(selector, compiled);
      return [{ selector: number, protocol, portFirst, portLast, portName: null }];
    }
    const portName = portNameKey(port);
    if (direction === 'ingress') {
      compiled.subjectPorts.add(portName);
      const number = this.#number(selector, compiled);
      return [{ selector: number, protocol, ...EVERY_PORT, portName }];
    }
    compiled.peerPorts.add(portName);
    return this.#numbers(portName).map((number) => {
      const serves = { name: port.name, protocol: port.protocol, port: number };
      const serving = { peer: selector?.peer ?? ALL_PODS, serves };
      return {
        selector: this.#number(serving, compiled),
        protocol,
        portFirst: number,
        portLast: number,
        portName: null,
      };
    });
  }

  #number(selector: Selector | null, compiled: Referring): number {
    if (selector === null) return ANY_PEER;
    const key = selectorKey(selector);
    compiled.selectors.push(key);
    return this.#selectors.acquire(key, () => selector);
  }
}

/** What is noted down while a policy is compiled. */
interface Referring {
  readonly key: string;
  readonly policy: CheckedPolicy;
  readonly subjectPorts: Set<string>;
  readonly peerPorts: Set<string>;
  readonly selectors: string[];
  readonly rules: string[];
}

/** How reports name a policy. */
export function nameOf({ tier, namespace, name }: CheckedPolicy) {
  return { tier, namespace, name };
}

/** The order in which policies are asked. */
export function comparePolicies(
  { policy: a, key: x }: CompiledPolicy,
  other: CompiledPolicy,
): number {
  const { policy: b, key: y } = other;
  return TIER[a.tier] - TIER[b.tier] || a.priority - b.priority || (x < y ? -1 : x > y ? 1 : 0);
}

function portsOf(ports: CheckedPolicyRule['ports']): readonly (CheckedPolicyPort | null)[] {
  return ports ?? [null];
}
