// SPDX-License-Identifier: Apache-2.0
import type { ProgramDelta } from '../../../compile/program.js';
import { checkNetwork } from './check-network.js';
import { checkPolicy } from './check-policy.js';
import { checkRoutes } from './check-routes.js';
import { checkTypes } from './check-rows.js';
import { checkServices } from './check-services.js';
import type { ProgramLimits, ProgramState } from './program-state.js';

/**
 * Looks at a whole delta and changes nothing: docs/program.md. Names are judged by what will be there
 * once the delta is applied; removing what is not there is no fault.
 *
 * @throws SluiceError `ERR_PROGRAM`, `ERR_CAPACITY`; `path` is `table.column[row]`
 */
export function checkDelta(delta: ProgramDelta, state: ProgramState, limits: ProgramLimits): void {
  checkTypes(delta);
  checkServices(delta, state, limits);
  checkRoutes(delta, state, limits);
  checkNetwork(delta, limits);
  checkPolicy(delta, state, limits);
}
