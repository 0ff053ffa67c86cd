// SPDX-License-Identifier: Apache-2.0
import { readFile } from 'node:fs/promises';
import { dirname, isAbsolute, resolve } from 'node:path';
import { parseDocument } from 'yaml';
import { SluiceError } from '../errors.js';
import { checkBalancer } from './check-balancer.js';
import { checkInterfaces } from './check-interfaces.js';
import { checkNode } from './check-node.js';
import { checkRoutes } from './check-route.js';
import { Fields } from './fields.js';
import { parseInterfaceSpec } from './interface-spec.js';
import type { BalancerSpec, InterfaceSpec, NodeSpec, RouteSpec } from './model.js';
import {
  checkEngineOptions,
  ENGINE_CHOICES,
  type EngineChoice,
  type EngineOptionsInput,
} from './options.js';
import { parseRouteSpec } from './route-spec.js';

/** Every key of a configuration file. */
export const CONFIG_KEYS: readonly string[] = [
  ...['interfaces', 'routes', 'node', 'manifests', 'serviceProxyName', 'balancer'],
  ...['engine', 'options'],
];

/** The agent's configuration file. What the file leaves out is left out. */
export interface ConfigFile {
  interfaces?: InterfaceSpec[];
  routes?: RouteSpec[];
  node?: NodeSpec;
  /** Paths of manifests, resolved against the folder of the file. */
  manifests?: string[];
  /** Serve only services that carry this name in `service.kubernetes.io/service-proxy-name`. */
  serviceProxyName?: string;
  /** The balancer role; its nodes are those of the manifests. */
  balancer?: BalancerSpec;
  engine?: EngineChoice;
  options?: EngineOptionsInput;
}

/**
 * Reads a configuration file.
 * @throws SluiceError `ERR_CONFIG`; mistakes within specifications are `ERR_INTERFACE_SPEC` and
 * `ERR_ROUTE_SPEC`. Paths read `sluice.yaml: interfaces[1].mtu`
 */
export async function readConfigFile(file: string): Promise<ConfigFile> {
  return parseConfig(await readConfigText(file), file);
}

/** @throws SluiceError `ERR_CONFIG` */
export async function readConfigText(file: string): Promise<string> {
  try {
    return await readFile(file, 'utf8');
  } catch (cause) {
    const missing = (cause as NodeJS.ErrnoException).code === 'ENOENT';
    const reason = cause instanceof Error ? cause.message : String(cause);
    const message = missing ? 'there is no such file' : `cannot be read: ${reason}`;
    throw new SluiceError('ERR_CONFIG', message, { path: file, cause });
  }
}

/**
 * Reads the text of a configuration file.
 * @param file - its path; named in errors, and relative manifest paths hang from its folder
 */
export function parseConfig(text: string, file: string): ConfigFile {
  const fields = new Fields(parseConfigYaml(text, file), `${file}: `, 'ERR_CONFIG', CONFIG_KEYS);
  const config: ConfigFile = {};
  if (given(fields, 'interfaces')) config.interfaces = readInterfaces(fields);
  if (given(fields, 'routes')) config.routes = readRoutes(fields);
  if (given(fields, 'node')) {
    const node = fields.value('node');
    checkNode(node, fields.pathOf('node'), 'ERR_CONFIG');
    config.node = node as NodeSpec;
  }
  if (given(fields, 'serviceProxyName')) {
    config.serviceProxyName = fields.string('serviceProxyName', 'the name of a proxy');
  }
  if (given(fields, 'balancer')) {
    const balancer = fields.value('balancer');
    checkBalancer(balancer, fields.pathOf('balancer'), 'ERR_CONFIG');
    config.balancer = balancer as BalancerSpec;
  }
  if (given(fields, 'manifests')) config.manifests = readPaths(fields, file);
  if (given(fields, 'engine')) config.engine = fields.oneOf('engine', ENGINE_CHOICES);
  if (given(fields, 'options')) config.options = readOptions(fields);
  return config;
}

/** The key `interfaces`: a list of specifications, as objects or in text. */
export function readInterfaces(fields: Fields): InterfaceSpec[] {
  const path = fields.pathOf('interfaces');
  const specs = fields.list('interfaces', 'interfaces').map((value, index) => {
    return typeof value === 'string' ? parseInterfaceSpec(value, `${path}[${index}]`) : value;
  });
  checkInterfaces(specs, path);
  return specs as InterfaceSpec[];
}

/** The key `routes`: a list of routes, as objects or in text. */
export function readRoutes(fields: Fields): RouteSpec[] {
  const path = fields.pathOf('routes');
  const specs = fields.list('routes', 'routes').map((value, index) => {
    return typeof value === 'string' ? parseRouteSpec(value, `${path}[${index}]`) : value;
  });
  checkRoutes(specs, path);
  return specs as RouteSpec[];
}

/** The key `options`: limits and timeouts of the engine. */
export function readOptions(fields: Fields): EngineOptionsInput {
  return checkEngineOptions(fields.value('options'), fields.pathOf('options'), fields.code);
}

/** A key with nothing behind it (`routes:`) is a section that somebody emptied: left out. */
function given(fields: Fields, key: string): boolean {
  return fields.has(key) && fields.value(key) !== null;
}

function readPaths(fields: Fields, file: string): string[] {
  return fields.list('manifests', 'paths').map((path, index) => {
    if (typeof path !== 'string' || path === '') {
      const at = `${fields.pathOf('manifests')}[${index}]`;
      throw new SluiceError('ERR_CONFIG', 'expected the path of a manifest', { path: at });
    }
    return path === '-' || isAbsolute(path) ? path : resolve(dirname(file), path);
  });
}

/** @throws SluiceError `ERR_CONFIG` */
export function parseConfigYaml(text: string, file: string): unknown {
  const document = parseDocument(text, { prettyErrors: true });
  const error = document.errors[0];
  if (error !== undefined) {
    const message = `not YAML: ${error.message.split('\n')[0]}`;
    throw new SluiceError('ERR_CONFIG', message, { path: file, cause: error });
  }
  try {
    return document.toJS() ?? {};
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new SluiceError('ERR_CONFIG', `not YAML: ${reason}`, { path: file, cause });
  }
}
