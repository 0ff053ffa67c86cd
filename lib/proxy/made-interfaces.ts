// SPDX-License-Identifier: Apache-2.0
import { SluiceError } from '../errors.js';
import { checkInterfaces } from '../model/check-interfaces.js';
import { show } from '../model/explain.js';
import type { WantedInterface } from './interface-table.js';

/**
 * The interfaces that were asked for, and behind them those that were made because of the services.
 * @param present - that are there
 * @param given - asked for; `null`: those of `present`
 * @param made - `null`: those of `present`
 * @returns `null`: all stay as they are
 * @throws SluiceError `ERR_INTERFACE_SPEC`
 */
export function withMade(
  present: readonly WantedInterface[],
  given: readonly WantedInterface[] | null,
  made: readonly WantedInterface[] | null,
): WantedInterface[] | null {
  const madeBefore = present.filter((each) => each.made);
  const tunnels = made ?? madeBefore;
  if (given === null && (made === null || tunnels.length + madeBefore.length === 0)) return null;
  const own = given ?? present.filter((each) => !each.made);
  const names = new Set(tunnels.map(({ checked }) => checked.name));
  own.forEach(({ checked: { name } }, index) => {
    if (!names.has(name)) return;
    const message = `${show(name)} is the name of a tunnel of the balancer; names must differ`;
    throw new SluiceError('ERR_INTERFACE_SPEC', message, { path: `interfaces[${index}].name` });
  });
  const all = [...own, ...tunnels];
  checkInterfaces(
    all.map(({ spec }) => spec),
    'interfaces',
  );
  return all;
}
