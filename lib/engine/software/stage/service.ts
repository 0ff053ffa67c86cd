// SPDX-License-Identifier: Apache-2.0
import { INTERFACE_SCOPE, SCOPE } from '../../../compile/program.js';
import { DROP } from '../../reasons.js';
import { ADDRESS_WORDS, anyHolds } from '../base/address.js';
import { type Burst, CLASS, FRAGMENT, LANE, PASSED } from '../packet/burst.js';
import type { Family } from '../packet/family.js';
import { NO_FLOW } from '../table/flow-table.js';
import type { Frontend } from '../table/service-table.js';
import type { Context } from './context.js';
import { answerEcho } from './echo.js';
import { cannotBegin } from './nat-plan.js';
import { routeAnswer } from './own-frames.js';
import { refuse } from './reject.js';

/** Decides what a packet without a flow is for: a service, ourselves, or plain routing. */
export function service(burst: Burst, family: Family, context: Context): void {
  for (let i = 0; i < burst.count; i++) {
    if (!burst.isIn(i, LANE.service, family)) continue;
    const reason = judgeMiss(burst, i, family, context);
    if (reason !== PASSED) refuse(burst, i, reason, context);
    else if (burst.lane[i] === LANE.answer) {
      answerEcho(burst, i, family, context);
      routeAnswer(burst, i, context);
    }
  }
}

/**
 * Puts a packet into the lane of `nat`, `route` or answers (not answered yet), with its frontend and
 * scope where there is one.
 * @returns `PASSED` or one of `DROP`
 */
export function judgeMiss(burst: Burst, i: number, family: Family, context: Context): number {
  const { services, addresses, serviceNetworks } = context.program;
  const at = i * ADDRESS_WORDS;
  const frontend = findFrontend(burst, i, family, context);
  if (frontend !== undefined) {
    burst.frontend[i] = frontend;
    burst.scope[i] = scopeOf(burst, i, context);
    const { ranges } = frontend;
    if (ranges.length > 0 && !anyHolds(ranges, burst.source, at)) return DROP.source_not_allowed;
    burst.lane[i] = LANE.nat;
    return PASSED;
  }
  if (services.isClusterAddress(burst.destination, at)) {
    if (burst.class[i] === CLASS.icmpError) return DROP.icmp_error_unrelated;
    burst.rejected[i] = 1;
    return DROP.service_port_unknown;
  }
  if (addresses.has(burst.destination, at)) {
    const { source, destination, protocol } = burst;
    const refused = context.policy.judge(source, at, destination, at, protocol[i], 0, false);
    if (refused !== PASSED) return refused;
    const isWhole = burst.fragment[i] === FRAGMENT.none;
    if (isWhole && isEchoRequest(burst, i, family)) {
      burst.lane[i] = LANE.answer;
      return PASSED;
    }
    if (context.program.host === null) return DROP.not_for_host;
    burst.entry[i] = NO_FLOW;
    burst.lane[i] = LANE.route;
    return PASSED;
  }
  if (anyHolds(serviceNetworks, burst.destination, at)) return DROP.service_address_unknown;
  return judgePlain(burst, i, context);
}

/**
 * What is for no service is tracked where somebody has rules or the node has sent it, or asked about
 * where it cannot be.
 */
function judgePlain(burst: Burst, i: number, context: Context): number {
  const { policy } = context;
  const { source, destination, protocol } = burst;
  const at = i * ADDRESS_WORDS;
  burst.entry[i] = NO_FLOW;
  burst.lane[i] = LANE.route;
  const isOfNode = scopeOf(burst, i, context) === SCOPE.node;
  if (!isOfNode && !policy.isProtected(source, at) && !policy.isProtected(destination, at)) {
    return PASSED;
  }
  const kind = burst.class[i];
  // The kernel knows its connections; we have not seen all of them begin.
  const isMidway = isOfNode && cannotBegin(burst, i, context) !== PASSED;
  if (isMidway || kind === CLASS.other || kind === CLASS.icmpError) {
    return policy.judge(source, at, destination, at, protocol[i], 0, false);
  }
  burst.lane[i] = LANE.nat;
  return PASSED;
}

/** Whether a packet asks for an echo; of a later fragment its first one says so. */
export function isEchoRequest(burst: Burst, i: number, family: Family): boolean {
  if (burst.class[i] !== CLASS.echo) return false;
  // The identifier of a request is its source port, that of a reply its destination port.
  if (burst.fragment[i] === FRAGMENT.later) return (burst.ports[i] & 0xffff) === 0;
  return burst.frame[i][burst.l4[i]] === family.echoRequest;
}

function findFrontend(
  burst: Burst,
  i: number,
  family: Family,
  { program }: Context,
): Frontend | undefined {
  const kind = burst.class[i];
  const isEcho = kind === CLASS.echo;
  if (kind === CLASS.other || kind === CLASS.icmpError) return undefined;
  if (isEcho && !isEchoRequest(burst, i, family)) return undefined;
  const port = isEcho ? 0 : burst.ports[i] & 0xffff;
  return program.services.find(burst.destination, i * ADDRESS_WORDS, port, burst.protocol[i]);
}

/** Where the source is: one of `SCOPE`. */
function scopeOf(burst: Burst, i: number, { program }: Context): number {
  const at = i * ADDRESS_WORDS;
  const ofInterface = program.scopes[burst.ingress[i]];
  if (ofInterface === INTERFACE_SCOPE.host && program.addresses.has(burst.source, at)) {
    return SCOPE.node;
  }
  const isPod =
    ofInterface === INTERFACE_SCOPE.pod || anyHolds(program.podNetworks, burst.source, at);
  return isPod ? SCOPE.pod : SCOPE.outside;
}
