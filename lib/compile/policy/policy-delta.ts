// SPDX-License-Identifier: Apache-2.0
import type { Prefix } from '../../model/address.js';
import { prefixColumns, u8, u16, u32 } from '../columns.js';
import type { ProgramDelta } from '../program.js';
import type { RuleRow } from './policy-rows.js';

/** A row of the program's table of identities. */
export interface Identity {
  /** Slots of rule sets, `NO_RULES` or `PENDING_RULES`. */
  readonly ingress: number;
  readonly egress: number;
  /** Numbers of selectors, ascending. */
  readonly selectors: readonly number[];
}

type PolicyTables = Pick<
  ProgramDelta,
  | 'ruleSets'
  | 'rules'
  | 'removedRuleSets'
  | 'identities'
  | 'memberships'
  | 'removedIdentities'
  | 'identityNetworks'
  | 'removedIdentityNetworks'
>;

/** Collects what one delta changes of the policy. */
export class PolicyDelta {
  readonly #sets: { slot: number; rows: readonly RuleRow[] }[] = [];
  readonly #removedSets: number[] = [];
  readonly #identities: { slot: number; identity: Identity }[] = [];
  readonly #removedIdentities: number[] = [];
  readonly #networks: { prefix: Prefix; identity: number }[] = [];
  readonly #removedNetworks: Prefix[] = [];

  putRuleSet(slot: number, rows: readonly RuleRow[]): void {
    this.#sets.push({ slot, rows });
  }

  removeRuleSet(slot: number): void {
    this.#removedSets.push(slot);
  }

  putIdentity(slot: number, identity: Identity): void {
    this.#identities.push({ slot, identity });
  }

  removeIdentity(slot: number): void {
    this.#removedIdentities.push(slot);
  }

  putNetwork(prefix: Prefix, identity: number): void {
    this.#networks.push({ prefix, identity });
  }

  removeNetwork(prefix: Prefix): void {
    this.#removedNetworks.push(prefix);
  }

  get empty(): boolean {
    const put = [this.#sets, this.#identities, this.#networks];
    const removed = [this.#removedSets, this.#removedIdentities, this.#removedNetworks];
    return [...put, ...removed].every(({ length }) => length === 0);
  }

  build(): PolicyTables {
    const rules = this.#sets.flatMap(({ rows }) => rows);
    const selectors = this.#identities.map(({ identity }) => identity.selectors);
    return {
      ruleSets: {
        slot: u32(this.#sets, ({ slot }) => slot),
        ...spans(this.#sets.map(({ rows }) => rows.length)),
      },
      rules: {
        selector: u32(rules, ({ selector }) => selector),
        protocol: u8(rules, ({ protocol }) => protocol),
        portFirst: u16(rules, ({ portFirst }) => portFirst),
        portLast: u16(rules, ({ portLast }) => portLast),
        action: u8(rules, ({ action }) => action),
        tier: u8(rules, ({ tier }) => tier),
        rule: u32(rules, ({ rule }) => rule),
      },
      removedRuleSets: new Uint32Array(this.#removedSets),
      identities: {
        slot: u32(this.#identities, ({ slot }) => slot),
        ingress: u32(this.#identities, ({ identity }) => identity.ingress),
        egress: u32(this.#identities, ({ identity }) => identity.egress),
        ...spans(selectors.map(({ length }) => length)),
      },
      memberships: { selector: Uint32Array.from(selectors.flat()) },
      removedIdentities: new Uint32Array(this.#removedIdentities),
      identityNetworks: {
        ...prefixColumns(this.#networks.map(({ prefix }) => prefix)),
        identity: u32(this.#networks, ({ identity }) => identity),
      },
      removedIdentityNetworks: prefixColumns(this.#removedNetworks),
    };
  }
}

/** The columns `first` and `count` of rows that stand one after the other. */
function spans(counts: readonly number[]): { first: Uint32Array; count: Uint32Array } {
  const first = new Uint32Array(counts.length);
  let next = 0;
  counts.forEach((count, row) => {
    first[row] = count === 0 ? 0 : next;
    next += count;
  });
  return { first, count: new Uint32Array(counts) };
}
