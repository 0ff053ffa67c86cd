// SPDX-License-Identifier: Apache-2.0
import { type ErrorCode, SluiceError } from '../errors.js';
import { familyOf, formatMac } from './address.js';
import { checkAddress } from './check-address.js';
import { checkInterface, checkMac } from './check-interface.js';
import { checkLabels } from './check-labels.js';
import { isLayer3 } from './check-tunnel.js';
import type { CheckedBalancer } from './checked.js';
import { Fields } from './fields.js';
import type { TunnelKind } from './model.js';

/** What the balancer says of each of its tunnels. */
const OF_TUNNELS = ['key', 'vni', 'port', 'ttl', 'mtu'];
const KEYS = ['tunnel', 'local', 'nodes', ...OF_TUNNELS, 'nodeMac'];
const KINDS: readonly TunnelKind[] = ['gre', 'ipip', 'vxlan'];
const ANY_NAME = 'to-node';

/**
 * Checks the balancer section.
 * @throws SluiceError of `code`; of what a tunnel cannot be `ERR_INTERFACE_SPEC`, path `balancer.vni`
 */
export function checkBalancer(
  value: unknown,
  path: string,
  code: ErrorCode = 'ERR_MODEL',
): CheckedBalancer {
  const fields = new Fields(value, path, code, KEYS);
  const kind = fields.oneOf('tunnel', KINDS);
  const locals = checkLocals(fields);
  const given = OF_TUNNELS.filter((key) => fields.has(key)).map((key) => [key, fields.value(key)]);
  const tunnel = { kind, ...Object.fromEntries(given) } as CheckedBalancer['tunnel'];
  const nodeMac = fields.has('nodeMac') ? checkNodeMac(fields, kind) : null;
  for (const local of locals) checkInterface({ ...tunnel, name: ANY_NAME, local }, path);
  if (!isLayer3(kind) && nodeMac === null) {
    const what = 'a MAC such as 02:00:00:00:00:01, found nothing';
    fields.fail(
      'nodeMac',
      `a ${kind} balancer needs nodeMac, which all of the nodes' ends have: ${what}`,
    );
  }
  return { locals, nodes: checkLabels(fields, 'nodes'), tunnel, nodeMac };
}

function checkLocals(fields: Fields): string[] {
  const what = 'our own address, such as 192.0.2.1, or one of each family';
  const value = fields.value('local');
  if (typeof value !== 'string' && !Array.isArray(value)) fields.expected('local', what);
  const isOne = typeof value === 'string';
  const path = fields.pathOf('local');
  const pathOf = (index: number) => (isOne ? path : `${path}[${index}]`);
  const locals = (isOne ? [value] : (value as unknown[])).map((each, index) =>
    checkAddress(each, pathOf(index), fields.code),
  );
  if (locals.length === 0) fields.expected('local', what);
  const families = locals.map(familyOf);
  const second = families.findIndex((family, index) => families.indexOf(family) !== index);
  if (second !== -1) {
    const message = `expected one address of each family, found a second one of IPv${families[second]}`;
    throw new SluiceError(fields.code, message, { path: pathOf(second) });
  }
  return locals;
}

function checkNodeMac(fields: Fields, kind: TunnelKind): string {
  if (isLayer3(kind)) fields.fail('nodeMac', `nothing has a MAC behind a ${kind} tunnel`);
  return formatMac(checkMac(fields, 'nodeMac'));
}
