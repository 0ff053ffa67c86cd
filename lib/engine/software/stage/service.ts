// SPDX-License-Identifier: Apache-2.0
import { DROP } from '../../reasons.js';
import { type Burst, LANE } from '../packet/burst.js';
import { PROTOCOL } from '../packet/headers.js';
import type { Context } from './context.js';
import { answerEcho, isEchoRequest } from './echo.js';

/** Decides what a packet without a flow is for: a service, ourselves, or plain routing. */
export function service(burst: Burst, context: Context): void {
  const { services, pools } = context.program;
  for (let i = 0; i < burst.count; i++) {
    if (burst.lane[i] !== LANE.service) continue;
    const protocol = burst.protocol[i];
    const destination = burst.destination[i];
    const hasPorts = protocol === PROTOCOL.tcp || protocol === PROTOCOL.udp;
    const frontend = hasPorts
      ? services.find(destination, burst.ports[i] & 0xffff, protocol)
      : undefined;
    if (frontend !== undefined) {
      burst.pool[i] = pools.get(frontend.pool) ?? null;
      burst.lane[i] = LANE.nat;
    } else if (services.hasAddress(destination)) {
      context.drop(burst, i, DROP.service_port_unknown);
    } else if (context.program.isOwn(destination)) {
      if (isEchoRequest(burst, i)) answerEcho(burst, i, context);
      else context.drop(burst, i, DROP.not_for_host);
    } else {
      burst.lane[i] = LANE.route;
    }
  }
}
