// SPDX-License-Identifier: Apache-2.0
import { isRecord, type KubeObject, sameJson, type Tree, timestamp } from './objects.js';
import { apiVersionOf, type Resource } from './resources.js';

/** Who makes a change: kubectl's verb, or the program. */
export type Manager = string;

/** Lists whose items have keys of their own in `fieldsV1`. */
const ITEM_KEYS: Readonly<Record<string, readonly string[]>> = {
  containers: ['name'],
  conditions: ['type'],
  volumes: ['name'],
  podIPs: ['ip'],
  addresses: ['type'],
  ownerReferences: ['uid'],
};

/**
 * Notes in `metadata.managedFields` who has set which fields. Close to what the real server notes:
 * a field belongs to who set it last, and atomic lists are taken for one field.
 */
export function managedBy(
  object: KubeObject,
  old: KubeObject | undefined,
  resource: Resource,
  manager: Manager,
  subresource: string | undefined,
): void {
  const touched = changed(object, old);
  if (Object.keys(touched).length === 0) return;
  const held: Tree[] = object.metadata.managedFields ?? [];
  const isSame = (entry: Tree): boolean =>
    entry.manager === manager && entry.subresource === subresource;
  const before = held.find(isSame)?.fieldsV1 ?? {};
  const entry = {
    manager,
    operation: 'Update',
    apiVersion: apiVersionOf(resource),
    time: timestamp(),
    fieldsType: 'FieldsV1',
    fieldsV1: merged(before, touched),
    ...(subresource && { subresource }),
  };
  object.metadata.managedFields = [...held.filter((other) => !isSame(other)), entry];
}

const SYSTEM = new Set([
  'name',
  'namespace',
  'uid',
  'resourceVersion',
  'generation',
  'creationTimestamp',
  'deletionTimestamp',
  'deletionGracePeriodSeconds',
  'managedFields',
]);
/** What the server itself gives. */
const GIVEN = new Set(['clusterIP', 'clusterIPs', 'ipFamilies', 'ipFamilyPolicy', 'nodePort']);

function changed(object: KubeObject, old: KubeObject | undefined): Tree {
  const fields: Tree = {};
  for (const [name, value] of Object.entries(object)) {
    const before = old?.[name];
    if (sameJson(value, before) || value === null) continue;
    const inner =
      name === 'metadata'
        ? fieldsOf(
            Object.fromEntries(Object.entries(value).filter(([key]) => !SYSTEM.has(key))),
            before,
            [name],
          )
        : name === 'status' && old === undefined
          ? {}
          : fieldsOf(value, before, [name]);
    const isLeaf = !isRecord(value);
    if (isLeaf || Object.keys(inner).length > 0) fields[`f:${name}`] = inner;
  }
  return fields;
}

function fieldsOf(value: Tree, before: Tree, path: readonly string[]): Tree {
  if (Array.isArray(value)) return itemsOf(value, path);
  if (!isRecord(value) || path.at(-1) === 'selector') return {};
  const fields: Tree = {};
  if (path.length > 1 && !isRecord(before)) fields['.'] = {};
  for (const [name, inner] of Object.entries(value)) {
    if (GIVEN.has(name) || sameJson(inner, before?.[name])) continue;
    fields[`f:${name}`] = fieldsOf(inner, before?.[name], [...path, name]);
  }
  return fields;
}

function itemsOf(items: readonly Tree[], path: readonly string[]): Tree {
  const list = path.at(-1) ?? '';
  let keys = ITEM_KEYS[list];
  if (list === 'ports' && path[0] === 'spec') {
    keys = [path.includes('containers') ? 'containerPort' : 'port', 'protocol'];
  }
  if (!keys) return {};
  const fields: Tree = { '.': {} };
  for (const item of items) {
    if (!isRecord(item)) return {};
    const key = Object.fromEntries(keys.map((name) => [name, item[name]]));
    const inner: Tree = { '.': {} };
    for (const [name, value] of Object.entries(item)) {
      if (!GIVEN.has(name)) inner[`f:${name}`] = fieldsOf(value, undefined, [...path, name]);
    }
    fields[`k:${JSON.stringify(key)}`] = inner;
  }
  return fields;
}

function merged(a: Tree, b: Tree): Tree {
  const result = { ...a };
  for (const [name, value] of Object.entries(b)) result[name] = merged(result[name] ?? {}, value);
  return result;
}
