// SPDX-License-Identifier: Apache-2.0
import type { ProgramDelta } from '../../../compile/program.js';
import { IdentityTable } from '../table/identities.js';
import { RuleSet } from '../table/policy.js';
import { networksOf } from './rows.js';

/** Rule sets, and who has which. */
export class PolicyState {
  readonly ruleSets = new Map<number, RuleSet>();
  readonly identities = new IdentityTable();
  #version = 1;

  /** What was answered under another version is to be asked again. Never 0. */
  get version(): number {
    return this.#version;
  }

  /** Applies what {@link checkPolicy} has found good. */
  apply(delta: ProgramDelta): void {
    if (hasChanges(delta)) this.touch();
    for (const network of networksOf(delta.removedIdentityNetworks)) {
      this.identities.removeNetwork(network);
    }
    for (const slot of delta.removedIdentities) this.identities.remove(slot);
    for (const slot of delta.removedRuleSets) this.ruleSets.delete(slot);
    this.#putRuleSets(delta);
    this.#putIdentities(delta);
    for (const [row, network] of networksOf(delta.identityNetworks).entries()) {
      this.identities.putNetwork(network, delta.identityNetworks.identity[row]);
    }
  }

  /** Something else that answers depend on has changed. */
  touch(): void {
    this.#version++;
  }

  #putRuleSets({ ruleSets: { slot, first, count }, rules }: ProgramDelta): void {
    for (let row = 0; row < slot.length; row++) {
      this.ruleSets.set(slot[row], new RuleSet(rules, first[row], count[row]));
    }
  }

  #putIdentities({ identities, memberships }: ProgramDelta): void {
    const { slot, ingress, egress, first, count } = identities;
    for (let row = 0; row < slot.length; row++) {
      this.identities.put(slot[row], {
        ingress: ingress[row],
        egress: egress[row],
        memberships: memberships.selector.slice(first[row], first[row] + count[row]),
      });
    }
  }
}

function hasChanges(delta: ProgramDelta): boolean {
  const { ruleSets, identities, identityNetworks, removedIdentityNetworks } = delta;
  return [
    ...[ruleSets.slot, delta.removedRuleSets, identities.slot, delta.removedIdentities],
    ...[identityNetworks.length, removedIdentityNetworks.length],
  ].some(({ length }) => length > 0);
}
