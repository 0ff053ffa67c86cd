// SPDX-License-Identifier: Apache-2.0
import { DROP } from '../../reasons.js';
import { ADDRESS_WORDS, copyAddress, isSame } from '../base/address.js';
import { hashTuple } from '../base/crc32c.js';
import { mix } from '../base/mix.js';
import { type Burst, CLASS, PASSED } from '../packet/burst.js';
import type { Family } from '../packet/family.js';
import { identifierOf } from '../packet/l4.js';
import { NO_FLOW } from '../table/flow-table.js';
import type { Context } from './context.js';
import type { NatPlan } from './nat-plan.js';

/** Ports that are tried in place of the client's. */
const TRIES = 512;
/** 2^32 divided by the golden ratio: the tries go far from each other. */
const STEP = 0x9e3779b9;

/**
 * Chooses an address of ours as the source, by the way that the packet will take to the backend of
 * the plan.
 * @returns `PASSED` or one of `DROP`
 */
export function chooseSource(
  plan: NatPlan,
  burst: Burst,
  i: number,
  family: Family,
  { program, stations }: Context,
): number {
  const way = program.findWay(plan.destination, 0, burst.hash[i], stations);
  if (way === null) return DROP.no_route;
  const nextHop = way.gateway ?? plan.destination;
  const source = program.addresses.source(way.interface, nextHop, 0, family.isIpv4);
  if (source === undefined) return DROP.snat_address_missing;
  copyAddress(plan.source, 0, source, 0);
  return PASSED;
}

/**
 * Chooses the source port (of an echo: the identifier) of the plan, so that the reply's five-tuple is
 * free.
 * @returns `PASSED` or one of `DROP`
 */
export function choosePort(
  plan: NatPlan,
  burst: Burst,
  i: number,
  family: Family,
  context: Context,
): number {
  const { snatPortMin, snatPortMax } = context.options;
  const own = ownPort(burst, i);
  const isFit = !plan.masquerade || (own >= snatPortMin && own <= snatPortMax);
  if (isFit && isFree(own, plan, burst, i, family, context)) return PASSED;
  const count = snatPortMax - snatPortMin + 1;
  for (let k = 1; k <= TRIES; k++) {
    const port = snatPortMin + (mix(burst.hash[i] + Math.imul(k, STEP)) % count);
    if (isFree(port, plan, burst, i, family, context)) return PASSED;
  }
  return DROP.snat_ports_exhausted;
}

/** The same where no other port will do. */
export function keepPort(
  plan: NatPlan,
  burst: Burst,
  i: number,
  family: Family,
  context: Context,
): number {
  const isFit = isFree(ownPort(burst, i), plan, burst, i, family, context);
  return isFit ? PASSED : DROP.snat_ports_exhausted;
}

function ownPort(burst: Burst, i: number): number {
  return burst.class[i] === CLASS.echo ? identifierOf(burst.ports[i]) : burst.ports[i] >>> 16;
}

// Where it is free, the plan has it.
function isFree(
  port: number,
  plan: NatPlan,
  burst: Burst,
  i: number,
  family: Family,
  context: Context,
): boolean {
  const { source, destination } = plan;
  const protocol = burst.protocol[i];
  const backendPort = burst.class[i] === CLASS.echo ? 0 : plan.backendPort;
  const ports = (backendPort << 16) | port;
  if (isOwnTuple(ports, plan, burst, i)) return false;
  const hash = hashTuple(destination, 0, source, 0, ports, protocol, family.firstWord);
  const flows = context.flowsOf(family);
  const entry = flows.find(destination, 0, source, 0, ports, protocol, hash);
  if (entry !== NO_FLOW && !isOver(entry >> 1, plan, family, context)) return false;
  plan.replyPorts = ports;
  plan.replyHash = hash;
  plan.expiredEntry = entry;
  return true;
}

function isOver(pair: number, { doomed }: NatPlan, family: Family, context: Context): boolean {
  return pair === doomed || context.flowsOf(family).expired(pair, context.nowSeconds);
}

// Replies that look like the packet itself could not be told from it.
function isOwnTuple(replyPorts: number, plan: NatPlan, burst: Burst, i: number): boolean {
  const at = i * ADDRESS_WORDS;
  return (
    burst.ports[i] === replyPorts &&
    isSame(burst.source, at, plan.destination, 0) &&
    isSame(burst.destination, at, plan.source, 0)
  );
}
