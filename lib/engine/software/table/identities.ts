// SPDX-License-Identifier: Apache-2.0
import { NO_RULES } from '../../../compile/program.js';
import type { Network } from '../base/address.js';
import type { Peer } from './policy.js';
import { PrefixMap } from './prefix-map.js';

/** Addresses that no rule tells apart. Immutable once it is made. */
export interface Identity extends Peer {
  /** Slots of rule sets, `NO_RULES` or `PENDING_RULES`. */
  readonly ingress: number;
  readonly egress: number;
}

/** Whoever is in no network: no selector holds him, and he has no rules. */
const NOBODY: Identity = { ingress: NO_RULES, egress: NO_RULES, memberships: new Uint32Array(0) };

/** Which identity an address has: that of the longest network that holds it. */
export class IdentityTable {
  readonly #bySlot = new Map<number, Identity>();
  readonly #networks = new PrefixMap<number>();
  // How often identities name a rule set, and networks an identity.
  readonly #ruleSetUses = new Map<number, number>();
  readonly #uses = new Map<number, number>();

  at(slot: number): Identity | undefined {
    return this.#bySlot.get(slot);
  }

  /** Slot of the identity of this very network. */
  ofNetwork(network: Network): number | undefined {
    return this.#networks.get(network);
  }

  /** How often identities name a rule set, each up to twice. */
  usesOfRuleSet(slot: number): number {
    return this.#ruleSetUses.get(slot) ?? 0;
  }

  /** How many networks have an identity. */
  usesOf(slot: number): number {
    return this.#uses.get(slot) ?? 0;
  }

  /** In place of what the slot holds. */
  put(slot: number, identity: Identity): void {
    this.remove(slot);
    this.#bySlot.set(slot, identity);
    count(this.#ruleSetUses, identity.ingress, 1);
    count(this.#ruleSetUses, identity.egress, 1);
  }

  /** Removes what the slot holds, if anything. */
  remove(slot: number): void {
    const identity = this.#bySlot.get(slot);
    if (identity === undefined) return;
    this.#bySlot.delete(slot);
    count(this.#ruleSetUses, identity.ingress, -1);
    count(this.#ruleSetUses, identity.egress, -1);
  }

  putNetwork(network: Network, slot: number): void {
    this.removeNetwork(network);
    this.#networks.put(network, slot);
    count(this.#uses, slot, 1);
  }

  /** Removes a network, if it is there. */
  removeNetwork(network: Network): void {
    const slot = this.#networks.get(network);
    if (slot === undefined) return;
    this.#networks.remove(network);
    count(this.#uses, slot, -1);
  }

  /** @param at - where the address begins in `words` */
  of(words: Int32Array, at: number): Identity {
    const slot = this.#networks.lookup(words, at);
    return slot === undefined ? NOBODY : (this.#bySlot.get(slot) as Identity);
  }
}

function count(uses: Map<number, number>, slot: number, difference: number): void {
  const now = (uses.get(slot) ?? 0) + difference;
  if (now === 0) uses.delete(slot);
  else uses.set(slot, now);
}
