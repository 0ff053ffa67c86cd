// SPDX-License-Identifier: Apache-2.0
import { DROP } from '../../reasons.js';
import { ADDRESS_WORDS } from '../base/address.js';
import { WORKER } from '../base/counters.js';
import { type Burst, LANE, PASSED } from '../packet/burst.js';
import type { Family } from '../packet/family.js';
import { MARK, NO_BACKEND, NO_FLOW } from '../table/flow-table.js';
import type { Frontend } from '../table/service-table.js';
import type { Context } from './context.js';
import { follow } from './flow.js';
import { NatPlan } from './nat-plan.js';
import { refuse } from './reject.js';

const plan = new NatPlan();

/** Makes a flow of the first packet of a connection: chooses a backend, if any, enters both directions. */
export function nat(burst: Burst, family: Family, context: Context): void {
  for (let i = 0; i < burst.count; i++) {
    if (!burst.isIn(i, LANE.nat, family)) continue;
    // An earlier packet of this burst may have made the flow.
    if (follow(burst, i, family, context)) continue;
    let reason = plan.make(burst, i, family, context);
    if (reason === PASSED) reason = carryOut(burst, i, family, context);
    if (reason === PASSED) burst.lane[i] = LANE.route;
    else refuse(burst, i, reason, context);
  }
}

/** @returns `PASSED` or one of `DROP` */
function carryOut(burst: Burst, i: number, family: Family, context: Context): number {
  const { counters, nowSeconds, program } = context;
  const flows = context.flowsOf(family);
  const frontend = burst.frontend[i];
  const backend = frontend === null ? NO_BACKEND : plan.backend;
  const at = i * ADDRESS_WORDS;
  if (plan.expiredEntry !== NO_FLOW) flows.remove(plan.expiredEntry >> 1, WORKER.flowsExpired);
  const pair = flows.insert(
    burst.protocol[i],
    {
      source: burst.source,
      sourceAt: at,
      destination: burst.destination,
      destinationAt: at,
      ports: burst.ports[i],
      hash: burst.hash[i],
    },
    {
      source: plan.destination,
      sourceAt: 0,
      destination: plan.source,
      destinationAt: 0,
      ports: plan.replyPorts,
      hash: plan.replyHash,
    },
    backend,
    frontend === null ? 0 : program.backends.serial[backend],
    nowSeconds,
    plan.isOneWay ? MARK.oneWay : 0,
  );
  if (pair === NO_FLOW) return DROP.flow_table_full;
  flows.judge(pair, program.policy.version, PASSED);
  flows.touch(pair * 2, nowSeconds, burst.ipLength[i], burst.tcpFlags[i]);
  burst.entry[i] = pair * 2;
  flows.cameByTunnel[pair] = context.stations[burst.ingress[i]]?.tunnel ? 1 : 0;
  counters.add(WORKER.flowsCreated, 1);
  if (plan.affinity) counters.add(WORKER.affinityHits, 1);
  if (plan.masquerade) counters.add(WORKER.masqueraded, 1);
  if (frontend === null) return PASSED;
  counters.connection(backend);
  remember(frontend, burst, i, backend, context);
  return PASSED;
}

function remember(
  { affinity, service }: Frontend,
  burst: Burst,
  i: number,
  backend: number,
  context: Context,
): void {
  if (affinity === 0) return;
  const { affinities, program, nowSeconds } = context;
  affinities.remember(
    burst.source,
    i * ADDRESS_WORDS,
    service,
    backend,
    program.backends.serial[backend],
    nowSeconds + affinity,
    nowSeconds,
  );
}
