// SPDX-License-Identifier: Apache-2.0
import type { KubeObject, Tree } from './objects.js';
import { apiVersionOf, type Resource } from './resources.js';
import { fieldSelector, labelSelector, type Predicate } from './selectors.js';
import {
  type ApiError,
  badRequest,
  expired,
  forbiddenField,
  tooLargeVersion,
  unprocessable,
} from './status.js';
import { type Store, type Stored, textOf } from './store.js';
import { shownBy } from './views.js';

/** What a list or a watch is about. */
export interface Scope {
  readonly resource: Resource;
  /** null: all of them. */
  readonly namespace: string | null;
  readonly query: URLSearchParams;
}

/** null: everything is wanted. */
export function selection({ resource, query }: Scope): Predicate | null {
  const label = query.get('labelSelector');
  const field = query.get('fieldSelector');
  if (!label && !field) return null;
  const byLabel = label ? labelSelector(label) : null;
  const byField = field ? fieldSelector(field, resource) : null;
  return (object: KubeObject) => (byLabel?.(object) ?? true) && (byField?.(object) ?? true);
}

const LIST_OPTIONS = { group: 'meta.k8s.io', plural: '', kind: 'ListOptions' };

/** @throws ApiError 400, 410, 422, 504. */
export function listText(store: Store, scope: Scope): string {
  const { resource, namespace, query } = scope;
  checkOptions(query);
  const wanted = selection(scope);
  const limit = Number(query.get('limit') ?? 0);
  const prefix = namespace === null ? '' : `${namespace}/`;
  const { revision, start } = startOf(store, query, limit);
  let items = itemsAt(store, resource, revision);
  if (prefix) items = items.filter(({ key }) => key.startsWith(prefix));
  if (start) items = items.filter(({ key }) => key.slice(prefix.length) >= start);
  if (wanted) items = items.filter(({ object }) => wanted(object));

  const metadata: Tree = { resourceVersion: String(revision) };
  // A cache answers "any version, please", and it does so without pages.
  const paged = limit > 0 && limit < items.length && query.get('resourceVersion') !== '0';
  if (paged) {
    const last = items[limit - 1]!.key.slice(prefix.length);
    metadata.continue = tokenOf(revision, `${last}\0`);
    if (!wanted) metadata.remainingItemCount = items.length - limit;
    items = items.slice(0, limit);
  }
  const head = JSON.stringify({
    kind: `${resource.kind}List`,
    apiVersion: apiVersionOf(resource),
    metadata,
  });
  return `${head.slice(0, -1)},"items":[${items.map((item) => itemText(resource, item)).join(',')}]}`;
}

function itemText(resource: Resource, stored: Stored): string {
  return resource.custom ? objectText(resource, stored) : textOf(shownBy(resource, stored));
}

/** An object with its `kind` and `apiVersion`. */
export function objectText(resource: Resource, stored: Stored): string {
  const what = JSON.stringify({ kind: resource.kind, apiVersion: apiVersionOf(resource) });
  return `${what.slice(0, -1)},${textOf(shownBy(resource, stored)).slice(1)}`;
}

function itemsAt(store: Store, resource: Resource, revision: number): Stored[] {
  const collection = store.collection(resource.collection);
  return revision === store.revision ? collection.sorted() : collection.at(revision);
}

function checkOptions(query: URLSearchParams): void {
  const match = query.get('resourceVersionMatch');
  const version = query.get('resourceVersion') ?? '';
  const refuse = (detail: string): ApiError =>
    unprocessable(LIST_OPTIONS, '', [forbiddenField('resourceVersionMatch', detail)]);
  if (match) {
    if (query.get('continue')) {
      throw refuse('resourceVersionMatch is forbidden when continue is provided');
    }
    if (version === '') {
      throw refuse('resourceVersionMatch is forbidden unless resourceVersion is provided');
    }
    if (match === 'Exact' && version === '0') {
      throw refuse('resourceVersionMatch "Exact" is forbidden for resourceVersion "0"');
    }
  }
  if (!/^\d*$/.test(version)) {
    throw badRequest(`Invalid value: ${JSON.stringify(version)}: must be a number`);
  }
}

/** The revision that a list shows, and the key at which it begins, within its namespace. */
function startOf(
  store: Store,
  query: URLSearchParams,
  limit: number,
): { revision: number; start: string } {
  const token = query.get('continue');
  const version = Number(query.get('resourceVersion') ?? 0);
  if (token) {
    if (version > 0) {
      throw badRequest('specifying resource version is not allowed when using continue');
    }
    const { revision, start } = readToken(token);
    if (revision < 0) return { revision: store.revision, start };
    if (revision < store.compacted) {
      throw expired(
        'The provided continue parameter is too old to display a consistent list result. You can start a new list without the continue parameter, or use the continue token in this response to retrieve the remainder of the results. Continuing with the provided token results in an inconsistent list - objects that were created, modified, or deleted between the time the first chunk was returned and now may show up in the list.',
        { continue: tokenOf(-1, start) },
      );
    }
    return { revision, start };
  }
  if (version > store.revision) throw tooLargeVersion(version, store.revision);
  const match = query.get('resourceVersionMatch') ?? (limit > 0 ? 'Exact' : 'NotOlderThan');
  if (version > 0 && match === 'Exact') {
    if (version < store.compacted) {
      throw expired('The resourceVersion for the provided list is too old.');
    }
    return { revision: version, start: '' };
  }
  return { revision: store.revision, start: '' };
}

const tokenOf = (revision: number, start: string): string =>
  Buffer.from(
    JSON.stringify({ v: 'meta.k8s.io/v1', rv: revision, start: `/${start}` }).replace(
      /[<>&]/g,
      (sign) => `\\u00${sign.charCodeAt(0).toString(16)}`,
    ),
  ).toString('base64url');

function readToken(token: string): { revision: number; start: string } {
  const refuse = (why: string): ApiError =>
    badRequest(`invalid continue token: continue key is not valid: ${why}`);
  const bad = token.search(/[^A-Za-z0-9_-]/);
  if (bad >= 0 || token.length % 4 === 1) {
    throw refuse(`illegal base64 data at input byte ${bad >= 0 ? bad : token.length - 1}`);
  }
  const bytes = Buffer.from(token, 'base64url');
  try {
    const { v, rv, start } = JSON.parse(bytes.toString('utf8'));
    if (v !== 'meta.k8s.io/v1')
      throw refuse(`server does not recognize this encoded version "${v}"`);
    return { revision: rv, start: String(start).replace(/^\//, '') };
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    const first = bytes[0] ?? 0;
    const sign =
      first < 0x20 || first > 0x7e
        ? `\\u00${first.toString(16).padStart(2, '0')}`
        : String.fromCharCode(first);
    throw refuse(`invalid character '${sign}' looking for beginning of value`);
  }
}
