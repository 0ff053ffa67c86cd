// SPDX-License-Identifier: Apache-2.0
import { ANY_PEER, NO_RULES, PENDING_RULES, type ProgramDelta } from '../../../compile/program.js';
import { PROTOCOL } from '../packet/headers.js';
import { AddressMap } from '../table/address-map.js';
import {
  ADDRESS_BYTES,
  checkAtMost,
  checkPrefix,
  checkPrefixes,
  checkRows,
  checkSlot,
  MAX_SLOTS,
  NO_OWNER,
  refuse,
  takeSpan,
} from './check-rows.js';
import type { ProgramLimits, ProgramState } from './program-state.js';
import { increase, networkOfRow } from './rows.js';

/** 0: any. */
const PROTOCOLS: readonly number[] = [0, PROTOCOL.tcp, PROTOCOL.udp, PROTOCOL.sctp];

/** Sources, rule sets, identities and their networks, and what is removed of them. */
export function checkPolicy(delta: ProgramDelta, state: ProgramState, limits: ProgramLimits): void {
  checkSources(delta, limits);
  checkRules(delta, checkRuleSets(delta));
  checkMemberships(delta, checkIdentities(delta, state));
  checkRemovedRuleSets(delta, state);
  checkIdentityNetworks(delta, state);
  checkPrefixes('removedIdentityNetworks', delta.removedIdentityNetworks);
  checkRemovedIdentities(delta, state);
}

function checkSources({ sources }: ProgramDelta, limits: ProgramLimits): void {
  if (sources === null) return;
  const rows = sources.length.length;
  checkRows('sources', rows, [
    ['interface', sources.interface, 1],
    ['prefix', sources.prefix, ADDRESS_BYTES],
  ]);
  for (let row = 0; row < rows; row++) {
    const slot = sources.interface[row];
    if (!limits.hasInterface(slot)) {
      refuse(`sources.interface[${row}]`, `there is no interface ${slot}`);
    }
    checkPrefix('sources', sources, row);
  }
}

/** @returns for each row of `rules` the row of its set, or `NO_OWNER` */
function checkRuleSets({ ruleSets, rules }: ProgramDelta): Int32Array {
  const { slot, first, count } = ruleSets;
  checkRows('ruleSets', slot.length, [
    ['first', first, 1],
    ['count', count, 1],
  ]);
  const owner = new Int32Array(rules.selector.length).fill(NO_OWNER);
  const slots = new Set<number>();
  for (let row = 0; row < slot.length; row++) {
    checkSlot('ruleSets.slot', slot[row], row, slots, MAX_SLOTS);
    takeSpan('ruleSets', 'rules', ruleSets, row, owner);
  }
  return owner;
}

function checkRules({ rules }: ProgramDelta, owner: Int32Array): void {
  const { selector, protocol, portFirst, portLast, action, tier } = rules;
  checkRows('rules', selector.length, [
    ['protocol', protocol, 1],
    ['portFirst', portFirst, 1],
    ['portLast', portLast, 1],
    ['action', action, 1],
    ['tier', tier, 1],
    ['rule', rules.rule, 1],
  ]);
  for (let row = 0; row < selector.length; row++) {
    if (!PROTOCOLS.includes(protocol[row])) {
      refuse(`rules.protocol[${row}]`, `${protocol[row]} is none that a rule can be for`);
    }
    if (portLast[row] < portFirst[row]) {
      refuse(`rules.portLast[${row}]`, `${portLast[row]} is below ${portFirst[row]}`);
    }
    checkAtMost('rules.action', action[row], row, 2);
    checkAtMost('rules.tier', tier[row], row, 2);
    const follows = row > 0 && owner[row] !== NO_OWNER && owner[row] === owner[row - 1];
    if (follows && tier[row] < tier[row - 1]) {
      refuse(`rules.tier[${row}]`, `${tier[row]} comes behind ${tier[row - 1]}`);
    }
  }
}

/** @returns for each row of `memberships` the row of its identity, or `NO_OWNER` */
function checkIdentities(delta: ProgramDelta, state: ProgramState): Int32Array {
  const { identities, memberships } = delta;
  const { slot, ingress, egress, first, count } = identities;
  checkRows('identities', slot.length, [
    ['ingress', ingress, 1],
    ['egress', egress, 1],
    ['first', first, 1],
    ['count', count, 1],
  ]);
  const put = new Set(delta.ruleSets.slot);
  const gone = new Set(delta.removedRuleSets);
  const isRuleSet = (set: number) =>
    put.has(set) || (state.policy.ruleSets.has(set) && !gone.has(set));
  const owner = new Int32Array(memberships.selector.length).fill(NO_OWNER);
  const slots = new Set<number>();
  for (let row = 0; row < slot.length; row++) {
    checkSlot('identities.slot', slot[row], row, slots, MAX_SLOTS);
    for (const column of ['ingress', 'egress'] as const) {
      const set = identities[column][row];
      if (set !== NO_RULES && set !== PENDING_RULES && !isRuleSet(set)) {
        refuse(`identities.${column}[${row}]`, `there is no rule set ${set}`);
      }
    }
    takeSpan('identities', 'memberships', identities, row, owner);
  }
  return owner;
}

function checkMemberships({ memberships: { selector } }: ProgramDelta, owner: Int32Array): void {
  for (let row = 0; row < selector.length; row++) {
    if (owner[row] === NO_OWNER) continue;
    if (selector[row] === ANY_PEER) {
      refuse(`memberships.selector[${row}]`, 'is the number that stands for any peer');
    }
    if (row > 0 && owner[row] === owner[row - 1] && selector[row] <= selector[row - 1]) {
      refuse(`memberships.selector[${row}]`, `${selector[row]} is not above the one before`);
    }
  }
}

function checkRemovedRuleSets(delta: ProgramDelta, { policy }: ProgramState): void {
  if (delta.removedRuleSets.length === 0) return;
  const put = new Set(delta.ruleSets.slot);
  const released = new Map<number, number>();
  for (const slot of new Set([...delta.removedIdentities, ...delta.identities.slot])) {
    const identity = policy.identities.at(slot);
    if (identity === undefined) continue;
    increase(released, identity.ingress);
    increase(released, identity.egress);
  }
  for (const [row, slot] of delta.removedRuleSets.entries()) {
    if (put.has(slot) || !policy.ruleSets.has(slot)) continue;
    if (policy.identities.usesOfRuleSet(slot) > (released.get(slot) ?? 0)) {
      refuse(`removedRuleSets[${row}]`, `an identity names rule set ${slot}`);
    }
  }
}

function checkIdentityNetworks(delta: ProgramDelta, { policy }: ProgramState): void {
  const { identityNetworks } = delta;
  const rows = identityNetworks.length.length;
  checkRows('identityNetworks', rows, [
    ['prefix', identityNetworks.prefix, ADDRESS_BYTES],
    ['identity', identityNetworks.identity, 1],
  ]);
  const put = new Set(delta.identities.slot);
  const gone = new Set(delta.removedIdentities);
  const seen = new AddressMap<true>();
  for (let row = 0; row < rows; row++) {
    checkPrefix('identityNetworks', identityNetworks, row);
    const { address, bits } = networkOfRow(identityNetworks, row);
    if (seen.get(address, 0, bits)) refuse(`identityNetworks.prefix[${row}]`, 'is there twice');
    seen.set(address, 0, bits, true);
    const slot = identityNetworks.identity[row];
    const isThere = put.has(slot) || (policy.identities.at(slot) !== undefined && !gone.has(slot));
    if (!isThere) refuse(`identityNetworks.identity[${row}]`, `there is no identity ${slot}`);
  }
}

function checkRemovedIdentities(delta: ProgramDelta, { policy }: ProgramState): void {
  if (delta.removedIdentities.length === 0) return;
  const put = new Set(delta.identities.slot);
  const released = new Map<number, number>();
  const seen = new AddressMap<true>();
  for (const columns of [delta.removedIdentityNetworks, delta.identityNetworks]) {
    for (let row = 0; row < columns.length.length; row++) {
      const network = networkOfRow(columns, row);
      const slot = policy.identities.ofNetwork(network);
      if (slot === undefined || seen.get(network.address, 0, network.bits)) continue;
      seen.set(network.address, 0, network.bits, true);
      increase(released, slot);
    }
  }
  for (const [row, slot] of delta.removedIdentities.entries()) {
    if (!put.has(slot) && policy.identities.usesOf(slot) > (released.get(slot) ?? 0)) {
      refuse(`removedIdentities[${row}]`, `a network has identity ${slot}`);
    }
  }
}
