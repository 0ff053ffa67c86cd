// SPDX-License-Identifier: Apache-2.0
import { z } from 'zod';
import { type ErrorCode, SluiceError } from '../errors.js';
import { hostLength, parsePrefix } from '../model/address.js';
import { checkPrefix } from '../model/check-address.js';
import { checkNode } from '../model/check-node.js';
import {
  parseConfigYaml,
  readConfigText,
  readInterfaces,
  readOptions,
  readRoutes,
} from '../model/config-file.js';
import { show } from '../model/explain.js';
import { Fields, isPlainObject } from '../model/fields.js';
import type { InterfaceSpec, NodeSpec, RouteSpec } from '../model/model.js';
import type { EngineOptionsInput } from '../model/options.js';
import { API_VERSION, configurationSchema, KIND } from './configuration-schema.js';
import { refuseTwice } from './conntrack.js';
import { strangeKey } from './strange-keys.js';

type Described = Exact<z.infer<typeof configurationSchema>>;

/** What may be left out is there, or it is not: never `undefined`. */
type Exact<T> = T extends readonly unknown[]
  ? T
  : T extends object
    ? { [Key in keyof T]: Exact<Exclude<T[Key], undefined>> }
    : T;

/** The agent's configuration as it is written; durations are text. What is left out is left out. */
export interface AgentConfiguration
  extends Omit<Described, 'interfaces' | 'routes' | 'node' | 'options'> {
  interfaces?: InterfaceSpec[];
  routes?: RouteSpec[];
  node?: Pick<NodeSpec, 'zone' | 'addresses' | 'serviceNetworks'>;
  options?: EngineOptionsInput;
}

/** How errors name a key, of which they know the path: `conntrack.min`, `interfaces[0].mtu`. */
export type NameOfKey = (path: string) => string;

/**
 * Reads a configuration file.
 * @throws SluiceError `ERR_CONFIG`, `ERR_INTERFACE_SPEC`, `ERR_ROUTE_SPEC`; paths read
 * `agent.yaml: conntrack.min`
 */
export async function readAgentConfiguration(file: string): Promise<AgentConfiguration> {
  return parseAgentConfiguration(await readConfigText(file), file);
}

/** Reads the text of a configuration file. */
export function parseAgentConfiguration(text: string, file: string): AgentConfiguration {
  const value = parseConfigYaml(text, file);
  if (isPlainObject(value)) checkKind(value, file);
  return checkConfiguration(
    value,
    (path) => (path === '' ? file : `${file}: ${path}`),
    'ERR_CONFIG',
  );
}

/**
 * Checks a configuration, each key by itself.
 * @throws SluiceError of `code`; of specifications `ERR_INTERFACE_SPEC` and `ERR_ROUTE_SPEC`
 */
export function checkConfiguration(
  value: unknown,
  nameOf: NameOfKey,
  code: ErrorCode,
): AgentConfiguration {
  const { success, data, error } = configurationSchema.safeParse(withoutEmpty(value));
  if (!success) throw errorOf(error.issues, nameOf, code);
  const fields = new Fields(data, '', code, Object.keys(configurationSchema.shape));
  return {
    ...(data as AgentConfiguration),
    ...named(nameOf, () => {
      checkNode(pick(data, 'nodePortAddresses', 'masqueradeAll'), '', code);
      checkNode(pick(data.node ?? {}, 'addresses', 'serviceNetworks'), 'node', code);
      if (data.clusterCIDR !== undefined) checkClusterCidr(data.clusterCIDR, code);
      refuseTwice(data as Described, code);
      return {
        ...(fields.has('interfaces') && { interfaces: readInterfaces(fields) }),
        ...(fields.has('routes') && { routes: readRoutes(fields) }),
        ...(fields.has('options') && { options: readOptions(fields) }),
      };
    }),
  };
}

/** The networks of `clusterCIDR`, which parts them by a comma. */
export function clusterNetworks(clusterCidr: string): string[] {
  return clusterCidr.split(',').map((network) => network.trim());
}

function checkKind(value: Record<string, unknown>, file: string): void {
  const { apiVersion, kind } = value;
  if (kind === KIND && apiVersion === API_VERSION) return;
  const key = kind === KIND ? 'apiVersion' : 'kind';
  const right = kind === KIND ? API_VERSION : `${KIND} (of apiVersion ${API_VERSION})`;
  const hint =
    kind === 'KubeProxyConfiguration'
      ? '; docs/reference/agent.md says what becomes of each key of kube-proxy'
      : '';
  const message = `expected ${right}, found ${show(value[key])}${hint}`;
  throw new SluiceError('ERR_CONFIG', message, { path: `${file}: ${key}` });
}

/** As in kube-proxy, what is empty is left out: `clusterCIDR: ""`, `conntrack: { min: null }`, `routes:`. */
function withoutEmpty(value: unknown): unknown {
  if (!isPlainObject(value)) return value;
  return Object.fromEntries(
    Object.entries(value).flatMap(([key, item]) => {
      if (item === null || item === undefined || item === '') return [];
      const isSection = SECTIONS.has(key) && isPlainObject(item);
      return [[key, isSection ? withoutEmpty(item) : item]];
    }),
  );
}

/** Objects that are described here to the last key. */
const SECTIONS = new Map(
  Object.entries(configurationSchema.shape).flatMap(([key, schema]) => {
    const inner = schema instanceof z.ZodOptional ? schema.unwrap() : schema;
    return inner instanceof z.ZodObject ? [[key, Object.keys(inner.shape)] as const] : [];
  }),
);

/** The path of every key that is described here. */
export const CONFIGURATION_PATHS: readonly string[] = Object.keys(
  configurationSchema.shape,
).flatMap((key) => [key, ...(SECTIONS.get(key) ?? []).map((inner) => `${key}.${inner}`)]);

/** A key that is misspelt explains what else is missing, so it goes first. */
function errorOf(
  issues: readonly z.core.$ZodIssue[],
  nameOf: NameOfKey,
  code: ErrorCode,
): SluiceError {
  const issue = issues.find((each) => each.code === 'unrecognized_keys') ?? issues[0]!;
  const path = pathOf(issue.path);
  if (issue.code !== 'unrecognized_keys')
    return new SluiceError(code, issue.message, { path: nameOf(path) });
  const key = issue.keys[0]!;
  const known = SECTIONS.get(path) ?? Object.keys(configurationSchema.shape);
  const message = strangeKey(path, key, known, CONFIGURATION_PATHS);
  return new SluiceError(code, message, { path: nameOf(path === '' ? key : `${path}.${key}`) });
}

function pathOf(keys: readonly PropertyKey[]): string {
  return keys.reduce<string>((path, key) => {
    if (typeof key === 'number') return `${path}[${key}]`;
    return path === '' ? String(key) : `${path}.${String(key)}`;
  }, '');
}

/** Runs checks of the model, and gives what they throw the names of here. */
function named<T>(nameOf: NameOfKey, check: () => T): T {
  try {
    return check();
  } catch (error) {
    if (!(error instanceof SluiceError) || error.path === undefined) throw error;
    const message = error.message.slice(error.path.length + 2);
    throw new SluiceError(error.code, message, { path: nameOf(error.path), cause: error.cause });
  }
}

function checkClusterCidr(text: string, code: ErrorCode): void {
  const networks = clusterNetworks(text);
  const what = 'networks of pods, such as 10.244.0.0/16 or 10.244.0.0/16,fd00:1::/48';
  for (const network of networks) checkPrefix(network, 'clusterCIDR', code, what);
  const lengths = networks.map((network) => hostLength(parsePrefix(network)!.bytes));
  if (new Set(lengths).size === networks.length) return;
  const message = `expected one network of each family at most, found ${show(text)}`;
  throw new SluiceError(code, message, { path: 'clusterCIDR' });
}

function pick(value: object, ...keys: string[]): object {
  return Object.fromEntries(Object.entries(value).filter(([key]) => keys.includes(key)));
}
