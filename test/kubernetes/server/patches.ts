// SPDX-License-Identifier: Apache-2.0
import { clone, isRecord, sameJson, type Tree } from './objects.js';
import { ApiError, badRequest } from './status.js';

/** The media types of patches. Server-side apply is not among them. */
const PATCHES: Readonly<Record<string, (object: Tree, patch: Tree) => Tree>> = {
  'application/merge-patch+json': mergePatch,
  'application/json-patch+json': jsonPatch,
  'application/strategic-merge-patch+json': (object, patch) => strategicMerge(object, patch, []),
};

/**
 * @param custom - Objects of CustomResourceDefinitions have no strategy.
 * @throws ApiError 400, 415, 422.
 */
export function applyPatch(mediaType: string, object: Tree, patch: Tree, custom: boolean): Tree {
  const apply = PATCHES[mediaType];
  if (!apply || (custom && mediaType.includes('strategic'))) {
    const accepted = Object.keys(PATCHES).filter((name) => !custom || !name.includes('strategic'));
    throw new ApiError(
      415,
      'UnsupportedMediaType',
      `the body of the request was in an unknown format - accepted media types include: ${accepted.join(', ')}`,
    );
  }
  return apply(clone(object), patch);
}

/** RFC 7386. */
function mergePatch(object: Tree, patch: Tree): Tree {
  if (!isRecord(patch)) return patch;
  const result: Tree = isRecord(object) ? object : {};
  for (const [name, value] of Object.entries(patch)) {
    if (value === null) delete result[name];
    else result[name] = mergePatch(result[name], value);
  }
  return result;
}

/** RFC 6902. */
function jsonPatch(object: Tree, operations: Tree): Tree {
  if (!Array.isArray(operations)) throw badRequest('json: a JSON patch is an array');
  let root = object;
  for (const { op, path, from, value } of operations) {
    if (op === 'test') {
      if (!sameJson(read(root, path), value)) throw rejected(`testing path ${path} failed`);
    } else if (op === 'remove') {
      root = edit(root, path, 'remove', undefined);
    } else if (op === 'add' || op === 'replace') {
      root = edit(root, path, op, value);
    } else if (op === 'move' || op === 'copy') {
      const moved = clone(read(root, from));
      if (op === 'move') root = edit(root, from, 'remove', undefined);
      root = edit(root, path, 'add', moved);
    } else {
      throw badRequest(`Unexpected kind: ${op}`);
    }
  }
  return root;
}

const rejected = (why: string): ApiError =>
  new ApiError(
    422,
    'Invalid',
    `the server rejected our request due to an error in our request: ${why}`,
  );

const steps = (path: string): string[] =>
  path
    .split('/')
    .slice(1)
    .map((step) => step.replaceAll('~1', '/').replaceAll('~0', '~'));

const read = (root: Tree, path: string): Tree =>
  steps(path).reduce((value, step) => value?.[step], root);

function edit(root: Tree, path: string, op: 'add' | 'replace' | 'remove', value: Tree): Tree {
  const names = steps(path);
  const last = names.pop();
  if (last === undefined) return value;
  const parent = names.reduce((held, step) => held?.[step], root);
  if (typeof parent !== 'object' || parent === null) {
    throw rejected(`${op} operation does not apply: doc is missing path: "${path}"`);
  }
  if (op !== 'add' && !(last in parent)) {
    throw rejected(`${op} operation does not apply: doc is missing key: ${path}`);
  }
  if (Array.isArray(parent)) {
    const index = last === '-' ? parent.length : Number(last);
    if (op === 'add') parent.splice(index, 0, value);
    else if (op === 'remove') parent.splice(index, 1);
    else parent[index] = value;
  } else if (op === 'remove') {
    delete parent[last];
  } else {
    parent[last] = value;
  }
  return root;
}

/**
 * What identifies an item of a list, by the end of the list's path (the tags `patchMergeKey` of
 * Kubernetes' types). Any other list is replaced as a whole.
 */
const MERGE_KEYS: readonly (readonly [path: string, key: string])[] = [
  ['containers.ports', 'containerPort'],
  ['spec.ports', 'port'],
  ['containers', 'name'],
  ['initContainers', 'name'],
  ['containers.env', 'name'],
  ['containers.volumeMounts', 'mountPath'],
  ['volumes', 'name'],
  ['imagePullSecrets', 'name'],
  ['status.conditions', 'type'],
  ['status.addresses', 'type'],
  ['status.podIPs', 'ip'],
  ['status.hostIPs', 'ip'],
  ['metadata.ownerReferences', 'uid'],
];
/** Lists of words that are merged as sets. */
const SETS = ['metadata.finalizers', 'spec.podCIDRs'];

function mergeKey(path: readonly string[]): string | undefined {
  const name = path.join('.');
  return MERGE_KEYS.find(([end]) => name === end || name.endsWith(`.${end}`))?.[1];
}

function strategicMerge(object: Tree, patch: Tree, path: readonly string[]): Tree {
  if (!isRecord(patch)) return patch;
  if (patch['$patch'] === 'delete') return {};
  const isReplaced = patch['$patch'] === 'replace';
  const result: Tree = isRecord(object) && !isReplaced ? object : {};
  const retained = patch['$retainKeys'];
  if (Array.isArray(retained)) {
    for (const name of Object.keys(result)) if (!retained.includes(name)) delete result[name];
  }
  for (const [name, value] of Object.entries(patch)) {
    const [, directive, field = ''] = /^\$(\w+)\/(.+)$/.exec(name) ?? [];
    if (directive === 'deleteFromPrimitiveList') {
      result[field] = (result[field] ?? []).filter((item: Tree) => !value.includes(item));
      if (result[field].length === 0) delete result[field];
    }
    if (name.startsWith('$')) continue;
    const inner = [...path, name];
    if (value === null) delete result[name];
    else if (Array.isArray(value)) result[name] = mergeList(result[name], value, inner);
    else result[name] = strategicMerge(result[name], value, inner);
  }
  for (const [name, order] of Object.entries(patch)) {
    const [, field = ''] = /^\$setElementOrder\/(.+)$/.exec(name) ?? [];
    if (field && Array.isArray(result[field])) {
      result[field] = inOrder(result[field], order as Tree[], mergeKey([...path, field]));
    }
  }
  return result;
}

function mergeList(current: Tree, patch: Tree[], path: readonly string[]): Tree {
  const items: Tree[] = Array.isArray(current) ? [...current] : [];
  if (SETS.includes(path.join('.'))) return [...new Set([...items, ...patch])];
  const key = mergeKey(path);
  if (!key) return patch;
  if (patch.some((item) => item?.$patch === 'replace' && Object.keys(item).length === 1)) {
    return patch.filter((item) => item.$patch !== 'replace');
  }
  for (const item of patch) {
    const index = items.findIndex((held) => held[key] === item[key]);
    if (item.$patch === 'delete') {
      if (index >= 0) items.splice(index, 1);
    } else if (index >= 0) {
      items[index] = strategicMerge(items[index], item, path);
    } else {
      items.push(strategicMerge({}, item, path));
    }
  }
  return items;
}

/** The items that an order names, in that order, then those that it does not name. */
function inOrder(items: Tree[], order: readonly Tree[], key: string | undefined): Tree[] {
  const of = (item: Tree): Tree => (key && isRecord(item) ? item[key] : item);
  const places = order.map(of);
  const place = (item: Tree): number => {
    const index = places.indexOf(of(item));
    return index < 0 ? places.length : index;
  };
  return [...items].sort((a, b) => place(a) - place(b));
}
