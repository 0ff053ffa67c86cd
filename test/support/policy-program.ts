// SPDX-License-Identifier: Apache-2.0
import {
  ACTION,
  ANY_PEER,
  NO_RULES,
  PENDING_RULES,
  type PrefixColumns,
  type ProgramDelta,
  TIER,
} from '../../lib/compile/program.js';
import { contains, formatPrefix, parseAddress, parsePrefix } from '../../lib/model/address.js';

/** What is asked of the policy. */
export interface PolicyQuestion {
  source: string;
  destination: string;
  /** IANA number. */
  protocol: number;
  port: number;
  /** The destination was chosen by a service. */
  byService?: boolean;
}

export interface PolicyAnswer {
  allowed: boolean;
  reason: 'pending' | 'egress' | 'ingress' | null;
  /** Of the direction that denied it, or `null`. */
  rule: number | null;
}

interface Rule {
  selector: number;
  protocol: number;
  portFirst: number;
  portLast: number;
  action: number;
  tier: number;
  rule: number;
}

interface Identity {
  ingress: number;
  egress: number;
  selectors: Set<number>;
}

const NOBODY: Identity = { ingress: NO_RULES, egress: NO_RULES, selectors: new Set() };

/**
 * The slowest possible execution of the program's tables of policy, by the words of the contract. Refuses
 * what a delta must not do.
 */
export class PolicyProgram {
  readonly #sets = new Map<number, Rule[]>();
  readonly #identities = new Map<number, Identity>();
  /** Slots of identities by `PREFIX/LENGTH`. */
  readonly #networks = new Map<string, number>();
  /** What {@link #identityOf} has found since the last delta. */
  readonly #found = new Map<string, Identity>();

  apply(delta: ProgramDelta): void {
    const removed = { sets: delta.removedRuleSets, identities: delta.removedIdentities };
    for (const slot of removed.sets) must(this.#sets.delete(slot), `removes set ${slot}`);
    for (const slot of removed.identities) {
      must(this.#identities.delete(slot), `removes identity ${slot}`);
    }
    for (const text of prefixes(delta.removedIdentityNetworks)) {
      must(this.#networks.delete(text), `removes network ${text}`);
    }
    delta.ruleSets.slot.forEach((slot, row) => {
      must(!removed.sets.includes(slot), `uses set ${slot} again`);
      const { first, count } = delta.ruleSets;
      this.#sets.set(slot, rulesAt(delta.rules, first[row]!, count[row]!));
    });
    delta.identities.slot.forEach((slot, row) => {
      must(!removed.identities.includes(slot), `uses identity ${slot} again`);
      const { first, count, ingress, egress } = delta.identities;
      const selectors = [
        ...delta.memberships.selector.subarray(first[row], first[row]! + count[row]!),
      ];
      must(
        selectors.every((each, index) => index === 0 || each > selectors[index - 1]!),
        `has memberships out of order at identity ${slot}`,
      );
      this.#identities.set(slot, {
        ingress: ingress[row]!,
        egress: egress[row]!,
        selectors: new Set(selectors),
      });
    });
    prefixes(delta.identityNetworks).forEach((text, row) => {
      this.#networks.set(text, delta.identityNetworks.identity[row]!);
    });
    this.#found.clear();
    this.#check();
  }

  /** What the stage _policy_ says; that nothing of it is our own is for the one who asks to see. */
  ask({ source, destination, protocol, port, byService = false }: PolicyQuestion): PolicyAnswer {
    const from = this.#identityOf(source);
    const to = this.#identityOf(destination);
    const slots = [from.ingress, from.egress, to.ingress, to.egress];
    if (slots.includes(PENDING_RULES)) return { allowed: false, reason: 'pending', rule: null };
    const isSame = source === destination;
    if (isSame && !byService) return { allowed: true, reason: null, rule: null };
    const out = this.#judge(from.egress, to, protocol, port, isSame);
    if (!out.allowed) return { ...out, reason: 'egress' };
    const into = this.#judge(to.ingress, from, protocol, port, isSame);
    return { ...into, reason: into.allowed ? null : 'ingress' };
  }

  /** The program in words that no number appears in. */
  describe(): Record<string, unknown> {
    const rules = (slot: number) => {
      if (slot === NO_RULES) return 'none';
      if (slot === PENDING_RULES) return 'pending';
      return this.#sets.get(slot)!.map((rule) => ({
        ...rule,
        selector: rule.selector === ANY_PEER ? 'any' : this.#membersOf(rule.selector),
        rule: undefined,
      }));
    };
    return Object.fromEntries(
      [...this.#networks].sort().map(([text, slot]) => {
        const { ingress, egress } = this.#identities.get(slot)!;
        return [text, { ingress: rules(ingress), egress: rules(egress) }];
      }),
    );
  }

  get sizes() {
    return {
      sets: this.#sets.size,
      identities: this.#identities.size,
      networks: this.#networks.size,
    };
  }

  #membersOf(selector: number): string[] {
    const has = ([, slot]: [string, number]) => this.#identities.get(slot)!.selectors.has(selector);
    return [...this.#networks]
      .filter(has)
      .map(([text]) => text)
      .sort();
  }

  #identityOf(address: string): Identity {
    const known = this.#found.get(address);
    if (known !== undefined) return known;
    const bytes = parseAddress(address)!;
    let best: { length: number; slot: number } | null = null;
    for (const [text, slot] of this.#networks) {
      const prefix = parsePrefix(text)!;
      if (!contains(prefix, bytes)) continue;
      if (best === null || prefix.length > best.length) best = { length: prefix.length, slot };
    }
    const identity = best === null ? NOBODY : this.#identities.get(best.slot)!;
    this.#found.set(address, identity);
    return identity;
  }

  #judge(slot: number, peer: Identity, protocol: number, port: number, isSame: boolean) {
    if (slot === NO_RULES) return { allowed: true, rule: null };
    let passed = -1;
    for (const rule of this.#sets.get(slot)!) {
      if (rule.tier <= passed || (isSame && rule.tier === TIER.network)) continue;
      if (rule.selector !== ANY_PEER && !peer.selectors.has(rule.selector)) continue;
      const ofPort = rule.protocol === protocol && rule.portFirst <= port && port <= rule.portLast;
      if (rule.protocol !== 0 && !ofPort) continue;
      if (rule.action !== ACTION.pass) {
        return { allowed: rule.action === ACTION.accept, rule: rule.rule };
      }
      passed = rule.tier;
    }
    return { allowed: true, rule: null };
  }

  #check(): void {
    for (const [slot, rules] of this.#sets) {
      rules.forEach(({ tier, portFirst, portLast }, row) => {
        must(row === 0 || tier >= rules[row - 1]!.tier, `lets the tier fall within set ${slot}`);
        must(portFirst <= portLast, `has an empty range in set ${slot}`);
      });
    }
    for (const [slot, { ingress, egress }] of this.#identities) {
      for (const set of [ingress, egress]) {
        const isThere = set === NO_RULES || set === PENDING_RULES || this.#sets.has(set);
        must(isThere, `leaves identity ${slot} without its set ${set}`);
      }
    }
    for (const [text, slot] of this.#networks) {
      must(this.#identities.has(slot), `leaves ${text} without its identity ${slot}`);
    }
    const used = new Set(this.#networks.values());
    must(used.size === this.#identities.size, 'keeps an identity that nothing has');
    const named = new Set(
      [...this.#identities.values()].flatMap(({ ingress, egress }) => [ingress, egress]),
    );
    must(
      [...this.#sets.keys()].every((slot) => named.has(slot)),
      'keeps a set that nothing has',
    );
  }
}

function rulesAt(columns: ProgramDelta['rules'], first: number, count: number): Rule[] {
  return Array.from({ length: count }, (_, index) => {
    const row = first + index;
    return {
      selector: columns.selector[row]!,
      protocol: columns.protocol[row]!,
      portFirst: columns.portFirst[row]!,
      portLast: columns.portLast[row]!,
      action: columns.action[row]!,
      tier: columns.tier[row]!,
      rule: columns.rule[row]!,
    };
  });
}

function prefixes({ prefix, length }: PrefixColumns): string[] {
  return Array.from(length, (bits, row) =>
    formatPrefix({ bytes: prefix.subarray(row * 16, row * 16 + 16), length: bits }),
  );
}

function must(holds: boolean, complaint: string): void {
  if (!holds) throw new Error(`the delta ${complaint}`);
}
