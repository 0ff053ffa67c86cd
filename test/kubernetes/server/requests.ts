// SPDX-License-Identifier: Apache-2.0
import { type Deleted, type DeleteOptions, remove } from './deletion.js';
import { discovery } from './discovery.js';
import { listText, objectText, type Scope, selection } from './lists.js';
import type { Tree } from './objects.js';
import type { Registry, Target } from './registry.js';
import type { Resource, Subresource } from './resources.js';
import { scaleOf } from './scale.js';
import { ApiError, badRequest } from './status.js';
import type { Stored } from './store.js';

/** A request whose body is read. */
export interface ApiRequest {
  readonly method: string;
  readonly path: string;
  readonly query: URLSearchParams;
  readonly contentType: string;
  readonly body: Tree;
  readonly manager: string;
}

export interface Answer {
  readonly code: number;
  readonly body: string;
}

/** What of the API a path names. */
export interface Place {
  readonly resource: Resource;
  readonly namespace: string | null;
  readonly name: string | undefined;
  readonly subresource: Subresource | undefined;
}

/** undefined: the path names no resource. */
export function placeOf(path: string, registry: Registry): Place | undefined {
  const parts = path.split('/').slice(1).map(decodeURIComponent);
  const [group, version = '', ...rest] =
    parts[0] === 'api' ? ['', ...parts.slice(1)] : parts.slice(1);
  if (group === undefined || (parts[0] !== 'api' && parts[0] !== 'apis')) return undefined;
  let namespace: string | null = null;
  let [plural = '', name, subresource, ...more] = rest;
  // `namespaces/x/status` is about the namespace, `namespaces/x/pods` about what is in it.
  const isOwn = ['status', 'finalize'].includes(subresource ?? 'status');
  if (plural === 'namespaces' && name !== undefined && !isOwn) {
    namespace = name;
    [plural = '', name, subresource, ...more] = rest.slice(2);
  }
  const resource = registry.find(group, version, plural);
  if (!resource || more.length > 0) return undefined;
  if (!resource.namespaced && namespace !== null) return undefined;
  if (subresource !== undefined && !resource.subresources.includes(subresource as Subresource)) {
    return undefined;
  }
  return { resource, namespace, name, subresource: subresource as Subresource | undefined };
}

/** The RBAC verb of a request. */
export function verbOf(method: string, place: Place, isWatch: boolean): string {
  const onOne = place.name !== undefined;
  if (method === 'GET' || method === 'HEAD') return onOne ? 'get' : isWatch ? 'watch' : 'list';
  if (method === 'DELETE') return onOne ? 'delete' : 'deletecollection';
  return { POST: 'create', PUT: 'update', PATCH: 'patch' }[method] ?? method.toLowerCase();
}

/** @throws ApiError */
export function answer(registry: Registry, request: ApiRequest): Answer {
  const place = placeOf(request.path, registry);
  if (!place) {
    const told = discovery(request.path, registry.resources);
    if (told === undefined) throw new ApiError(404, '', '404 page not found');
    return { code: 200, body: JSON.stringify(told) };
  }
  const { resource, name } = place;
  if (name === undefined) return onCollection(registry, request, place);
  if (resource.namespaced && place.namespace === null) {
    throw new ApiError(404, '', '404 page not found');
  }
  return onObject(registry, request, { ...place, name });
}

function onCollection(registry: Registry, request: ApiRequest, place: Place): Answer {
  const { method, query, body } = request;
  const scope: Scope = { resource: place.resource, namespace: place.namespace, query };
  if (method === 'GET') return { code: 200, body: listText(registry.store, scope) };
  if (method === 'POST') {
    const { resource, namespace } = place;
    if (resource.namespaced && namespace === null) {
      throw badRequest('an empty namespace may not be set during creation');
    }
    const options = { manager: request.manager, dryRun: isDry(query) };
    const stored = registry.create(resource, namespace, body, options);
    return { code: 201, body: objectText(resource, stored) };
  }
  if (method === 'DELETE') return { code: 200, body: removeAll(registry, scope, body) };
  throw methodNotAllowed();
}

function removeAll(registry: Registry, scope: Scope, body: Tree): string {
  const { resource, namespace, query } = scope;
  const before = listText(registry.store, scope);
  const wanted = selection(scope);
  for (const { key, object } of registry.store.collection(resource.collection).sorted()) {
    if (namespace !== null && !key.startsWith(`${namespace}/`)) continue;
    if (wanted && !wanted(object)) continue;
    const { name, namespace: itsOwn = null } = object.metadata;
    remove(registry, { resource, namespace: itsOwn, name }, deleteOptions(body, query));
  }
  return before;
}

function onObject(registry: Registry, request: ApiRequest, place: Place & Target): Answer {
  const { method, query, body } = request;
  const { resource, subresource } = place;
  const shown = (stored: Stored): string =>
    subresource === 'scale' ? JSON.stringify(scaleOf(stored.object)) : objectText(resource, stored);
  if (method === 'GET') return { code: 200, body: shown(registry.get(place)) };
  const options = { manager: request.manager, dryRun: isDry(query), subresource };
  if (method === 'PUT') return { code: 200, body: shown(registry.update(place, body, options)) };
  if (method === 'PATCH') {
    const type = request.contentType.split(';')[0]!.trim();
    return { code: 200, body: shown(registry.patch(place, type, body, options)) };
  }
  if (method !== 'DELETE' || subresource) throw methodNotAllowed();
  return {
    code: 200,
    body: deletedText(place, remove(registry, place, deleteOptions(body, query))),
  };
}

/** Of what is gone a Status tells; of what is marked, and of a Pod, the object. */
function deletedText({ resource, name }: Target, { stored, isGone }: Deleted): string {
  const isTold = ['Pod', 'Service', 'Namespace'].includes(resource.kind);
  if (!isGone || isTold) return objectText(resource, stored);
  const { group, plural } = resource;
  return JSON.stringify({
    kind: 'Status',
    apiVersion: 'v1',
    metadata: {},
    status: 'Success',
    details: { name, ...(group && { group }), kind: plural, uid: stored.object.metadata.uid },
  });
}

function deleteOptions(body: Tree, query: URLSearchParams): DeleteOptions {
  const grace = body?.gracePeriodSeconds ?? query.get('gracePeriodSeconds');
  return {
    ...(body?.preconditions && { preconditions: body.preconditions }),
    ...(grace !== null && grace !== undefined && { gracePeriodSeconds: Number(grace) }),
    dryRun: isDry(query) || (body?.dryRun ?? []).includes('All'),
  };
}

const isDry = (query: URLSearchParams): boolean => query.get('dryRun') === 'All';

const methodNotAllowed = (): ApiError =>
  new ApiError(
    405,
    'MethodNotAllowed',
    'the server does not allow this method on the requested resource',
    {},
  );
