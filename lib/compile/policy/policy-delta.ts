// SPDX-License-Identifier: Apache-2.0
import type { Prefix } from '../../model/address.js';
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

  /** @param prefixColumns - packs networks */
  build(prefixColumns: (rows: readonly Prefix[]) => ProgramDelta['removedRoutes']): PolicyTables {
    const rules = this.#sets.flatMap(({ rows }) => rows);
    const selectors = this.#identities.map(({ identity }) => identity.selectors);
    return {
      ruleSets: {
        slot: Uint32Array.from(this.#sets, ({ slot }) => slot),
        ...spans(this.#sets.map(({ rows }) => rows.length)),
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
      removedRuleSets: Uint32Array.from(this.#removedSets),
      identities: {
        slot: Uint32Array.from(this.#identities, ({ slot }) => slot),
        ingress: Uint32Array.from(this.#identities, ({ identity }) => identity.ingress),
        egress: Uint32Array.from(this.#identities, ({ identity }) => identity.egress),
        ...spans(selectors.map(({ length }) => length)),
      },
      memberships: { selector: Uint32Array.from(selectors.flat()) },
      removedIdentities: Uint32Array.from(this.#removedIdentities),
      identityNetworks: {
        ...prefixColumns(this.#networks.map(({ prefix }) => prefix)),
        identity: Uint32Array.from(this.#networks, ({ identity }) => identity),
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
  return { first, count: Uint32Array.from(counts) };
}
