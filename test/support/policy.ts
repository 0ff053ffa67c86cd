// SPDX-License-Identifier: Apache-2.0
import {
  ACTION,
  ANY_PEER,
  NO_RULES,
  PENDING_RULES,
  type ProgramDelta,
  TIER,
} from '../../lib/compile/program.js';
import { PROTOCOL } from './packets.js';
import { prefixColumns } from './program-columns.js';

/** The part of a program delta that says who may talk to whom, in readable form. */
export interface PolicyLiteral {
  /** Who may send by an interface: prefixes, or addresses. */
  sources?: readonly { on: number; from: string }[];
  ruleSets?: readonly RuleSetLiteral[];
  removedRuleSets?: readonly number[];
  identities?: readonly IdentityLiteral[];
  removedIdentities?: readonly number[];
  /** Besides those that identities list. */
  identityNetworks?: readonly { network: string; identity: number }[];
  removedIdentityNetworks?: readonly string[];
}

export interface RuleSetLiteral {
  slot: number;
  /**
   * Tier (default `network`), action, peer (`any`, or `@` and the number of a selector), and protocol with
   * ports: `accept any`, `deny @3 tcp/80`, `admin pass @3`, `baseline deny any udp/53-60`. The number of a
   * rule is {@link ruleNumber}.
   */
  rules: readonly string[];
}

export interface IdentityLiteral {
  slot: number;
  /** Slot of a rule set. Default: none. */
  ingress?: number | 'pending';
  egress?: number | 'pending';
  /** Numbers of the selectors that hold it. */
  selectors?: readonly number[];
  /** Whose identity it is: prefixes, or addresses. */
  networks?: readonly string[];
}

/** The number that the n-th rule of a set has in the program. */
export function ruleNumber(set: number, n: number): number {
  return set * 1_000 + n;
}

const PROTOCOLS: Readonly<Record<string, number>> = PROTOCOL;

type PolicyTables = Pick<
  ProgramDelta,
  | 'sources'
  | 'ruleSets'
  | 'rules'
  | 'removedRuleSets'
  | 'identities'
  | 'memberships'
  | 'removedIdentities'
  | 'identityNetworks'
  | 'removedIdentityNetworks'
>;

/** Turns a literal into columns. */
export function policyTables(literal: PolicyLiteral): PolicyTables {
  const { sources, identities = [] } = literal;
  const networks = [
    ...identities.flatMap(({ slot, networks }) =>
      (networks ?? []).map((network) => ({ network, identity: slot })),
    ),
    ...(literal.identityNetworks ?? []),
  ];
  return {
    sources: sources === undefined ? null : sourceColumns(sources),
    ...ruleTables(literal.ruleSets ?? []),
    removedRuleSets: Uint32Array.from(literal.removedRuleSets ?? []),
    ...identityTables(identities),
    removedIdentities: Uint32Array.from(literal.removedIdentities ?? []),
    identityNetworks: {
      ...prefixColumns(networks.map(({ network }) => network)),
      identity: Uint32Array.from(networks, ({ identity }) => identity),
    },
    removedIdentityNetworks: prefixColumns(literal.removedIdentityNetworks ?? []),
  };
}

function sourceColumns(rows: NonNullable<PolicyLiteral['sources']>) {
  return {
    interface: Uint16Array.from(rows, ({ on }) => on),
    ...prefixColumns(rows.map(({ from }) => from)),
  };
}

function ruleTables(sets: readonly RuleSetLiteral[]): Pick<PolicyTables, 'ruleSets' | 'rules'> {
  const rules = sets.flatMap(({ slot, rules }) =>
    rules.map((text, n) => ({ ...ruleOf(text), rule: ruleNumber(slot, n) })),
  );
  return {
    ruleSets: {
      slot: Uint32Array.from(sets, ({ slot }) => slot),
      first: Uint32Array.from(sets, (_, i) => sets.slice(0, i).flatMap((set) => set.rules).length),
      count: Uint32Array.from(sets, ({ rules }) => rules.length),
    },
    rules: {
      selector: Uint32Array.from(rules, ({ selector }) => selector),
      protocol: Uint8Array.from(rules, ({ protocol }) => protocol),
      portFirst: Uint16Array.from(rules, ({ portFirst }) => portFirst),
      portLast: Uint16Array.from(rules, ({ portLast }) => portLast),
      action: Uint8Array.from(rules, ({ action }) => action),
      tier: Uint8Array.from(rules, ({ tier }) => tier),
      rule: Uint32Array.from(rules, ({ rule }) => rule),
    },
  };
}

function ruleOf(text: string) {
  const [, tier = 'network', action, selector, protocol, first, last] =
    /^(?:(admin|network|baseline) )?(accept|deny|pass) (?:any|@(\d+))(?: (\w+)(?:\/(\d+)(?:-(\d+))?)?)?$/.exec(
      text,
    ) ?? [];
  if (action === undefined) throw new Error(`${text} is no rule`);
  return {
    selector: selector === undefined ? ANY_PEER : Number(selector),
    protocol: protocol === undefined ? 0 : PROTOCOLS[protocol],
    portFirst: Number(first ?? 0),
    portLast: Number(last ?? first ?? 0xffff),
    action: ACTION[action as keyof typeof ACTION],
    tier: TIER[tier as keyof typeof TIER],
  };
}

function identityTables(
  rows: readonly IdentityLiteral[],
): Pick<PolicyTables, 'identities' | 'memberships'> {
  const setOf = (set: number | 'pending' | undefined) =>
    set === 'pending' ? PENDING_RULES : (set ?? NO_RULES);
  const selectors = rows.map((row) => row.selectors ?? []);
  return {
    identities: {
      slot: Uint32Array.from(rows, ({ slot }) => slot),
      ingress: Uint32Array.from(rows, ({ ingress }) => setOf(ingress)),
      egress: Uint32Array.from(rows, ({ egress }) => setOf(egress)),
      first: Uint32Array.from(rows, (_, i) => selectors.slice(0, i).flat().length),
      count: Uint32Array.from(selectors, ({ length }) => length),
    },
    memberships: { selector: Uint32Array.from(selectors.flat()) },
  };
}
