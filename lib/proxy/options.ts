// SPDX-License-Identifier: Apache-2.0
import { ENGINE_DEFAULTS, type EngineOptions } from '../engine/engine.js';
import { SluiceError } from '../errors.js';
import { checkInterface } from '../model/check-interface.js';
import { checkInterfaces } from '../model/check-interfaces.js';
import { checkNode } from '../model/check-node.js';
import { checkRoutes } from '../model/check-route.js';
import type { CheckedInterface, CheckedNode, CheckedRoute } from '../model/checked.js';
import { show } from '../model/explain.js';
import { Fields, isPlainObject } from '../model/fields.js';
import { parseInterfaceSpec } from '../model/interface-spec.js';
import type { InterfaceSpec, NodeSpec, RouteSpec } from '../model/model.js';
import {
  checkOpenOptions,
  type EngineChoice,
  type EngineOptionsInput,
  fillOptions,
} from '../model/options.js';
import { parseRouteSpec } from '../model/route-spec.js';
import type { WantedInterface } from './interface-table.js';

/**
 * Options of `ServiceProxy.open`: which engine, its limits and timeouts, and what to attach from
 * the start. Every one may be left out.
 */
export interface ProxyOptions extends Omit<EngineOptionsInput, 'interfaces' | 'routes'> {
  /** Default `auto`: `dpdk` where it can run, else `software`. */
  engine?: EngineChoice;
  /** Attach points, as objects or in text: `memif:up,socket=/run/sluice/up.sock`. */
  interfaces?: readonly (string | InterfaceSpec)[];
  /** How many interfaces there may be at a time, 1 to 1,024. Default 64. */
  maxInterfaces?: number;
  /** Routes, as objects or in text: `10.1.0.0/16,via=10.0.0.254`. */
  routes?: readonly (string | RouteSpec)[];
  /** How many routes there may be of each family, connected ones included. Default 65,536. */
  maxRoutes?: number;
  /** What is known of the node that this runs on. */
  node?: NodeSpec;
}

/** {@link ProxyOptions} that have been checked. */
export interface CheckedProxyOptions {
  choice: EngineChoice;
  engine: EngineOptions;
  interfaces: WantedInterface[];
  routes: CheckedRoute[];
  /** As given, and checked; `null`: there is none. */
  node: { spec: NodeSpec; checked: CheckedNode } | null;
}

/** Options out of a configuration, where two limits have the names of what they limit. */
export function openOptionsOf(engine: EngineChoice, options: EngineOptionsInput): ProxyOptions {
  const { interfaces: maxInterfaces, routes: maxRoutes, ...limits } = options;
  return {
    ...limits,
    engine,
    ...(maxInterfaces !== undefined && { maxInterfaces }),
    ...(maxRoutes !== undefined && { maxRoutes }),
  };
}

/** @throws SluiceError `ERR_OPTIONS`, `ERR_INTERFACE_SPEC`, `ERR_ROUTE_SPEC` */
export function checkProxyOptions(options: ProxyOptions): CheckedProxyOptions {
  const value: unknown = options;
  if (!isPlainObject(value))
    throw new SluiceError('ERR_OPTIONS', `expected an object, found ${show(value)}`);
  const { interfaces, routes, node, ...limits } = options;
  const { engine: choice, options: given } = checkOpenOptions(limits, [...LIMIT_KEYS, 'node']);
  const { maxInterfaces, maxRoutes } = limits;
  const most = new Fields({ maxInterfaces, maxRoutes }, '', 'ERR_OPTIONS', LIMIT_KEYS);
  if (most.has('maxInterfaces')) given.interfaces = most.integer('maxInterfaces', 1, 1_024);
  if (most.has('maxRoutes')) given.routes = most.integer('maxRoutes', 1, 1_048_576);
  return {
    choice,
    engine: fillOptions(given, ENGINE_DEFAULTS),
    interfaces: wantedInterfaces(
      listOf(interfaces, 'interfaces').map((spec, index) =>
        typeof spec === 'string' ? parseInterfaceSpec(spec, `interfaces[${index}]`) : spec,
      ),
    ),
    routes: checkRoutes(
      listOf(routes, 'routes').map((spec, index) =>
        typeof spec === 'string' ? parseRouteSpec(spec, `routes[${index}]`) : spec,
      ),
      'routes',
    ),
    node:
      node === undefined ? null : { spec: structuredClone(node), checked: checkNode(node, 'node') },
  };
}

/** Limits whose names in the engine mean something else here. */
const LIMIT_KEYS = ['maxInterfaces', 'maxRoutes'];

/**
 * Checks specifications, each by itself and all together.
 * @throws SluiceError `ERR_INTERFACE_SPEC`
 */
export function wantedInterfaces(specs: readonly InterfaceSpec[]): WantedInterface[] {
  const checked = checkInterfaces(specs, 'interfaces');
  return specs.map((spec, index) => wanted(spec, checked[index]!));
}

/**
 * Checks one more specification beside those that are there.
 * @throws SluiceError `ERR_INTERFACE_SPEC`, `ERR_INTERFACE_EXISTS`
 */
export function oneMoreInterface(
  present: readonly WantedInterface[],
  given: string | InterfaceSpec,
): WantedInterface[] {
  const spec = typeof given === 'string' ? parseInterfaceSpec(given, 'interface') : given;
  const { name } = checkInterface(spec, 'interface');
  if (present.some(({ checked }) => checked.name === name))
    throw new SluiceError('ERR_INTERFACE_EXISTS', `there is an interface ${name} already`, {
      path: 'interface.name',
    });
  const all = wantedInterfaces([...present.map((each) => each.spec), spec]);
  return [...present, all[all.length - 1]!];
}

/** Callers may change their objects afterwards: a copy is kept. */
function wanted(spec: InterfaceSpec, checked: CheckedInterface): WantedInterface {
  return { spec: structuredClone(spec), checked };
}

function listOf<T>(value: readonly T[] | undefined, path: string): readonly T[] {
  if (value === undefined) return [];
  if (!Array.isArray(value))
    throw new SluiceError('ERR_OPTIONS', `expected a list, found ${show(value)}`, { path });
  return value;
}
