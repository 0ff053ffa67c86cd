// SPDX-License-Identifier: Apache-2.0
import { SluiceError } from '../../errors.js';
import { show } from '../../model/explain.js';
import { isPlainObject } from '../../model/fields.js';
import { type ManifestFile, parseDocuments } from './read.js';

/** An object of a manifest. */
export interface FoundObject {
  kind: string;
  /** Its own, or that of the list that it is in. */
  apiVersion: unknown;
  value: Record<string, unknown>;
  /** `FILE#DOCUMENT[.items[i]]`. */
  path: string;
}

/** `kind` and `apiVersion` that an item of a list may leave out, because the list says them. */
type Implied = Pick<FoundObject, 'kind' | 'apiVersion'>;

/**
 * The objects of files, out of their lists.
 * @param kinds - kinds whose lists must have items; of other kinds that end in `List`, those are lists
 * that have some
 * @throws SluiceError `ERR_MANIFEST`
 */
export function objectsOf(files: readonly ManifestFile[], kinds: readonly string[]): FoundObject[] {
  const lists = ['List', ...kinds.map((kind) => `${kind}List`)];
  return files.flatMap((file) =>
    parseDocuments(file).flatMap(({ path, value }) => unlisted(value, path, lists, null)),
  );
}

function unlisted(
  value: unknown,
  path: string,
  lists: readonly string[],
  implied: Implied | null,
): FoundObject[] {
  if (!isPlainObject(value)) {
    refuseField(path, '', `expected an object with apiVersion and kind, found ${show(value)}`);
  }
  const kind = value['kind'] ?? implied?.kind;
  if (typeof kind !== 'string' || kind === '') {
    const what = 'the kind of an object, such as Service';
    refuseField(path, 'kind', `expected ${what}, found ${show(kind)}`);
  }
  if (!lists.includes(kind) && !(kind.endsWith('List') && Array.isArray(value['items']))) {
    return [{ kind, apiVersion: value['apiVersion'] ?? implied?.apiVersion, value, path }];
  }
  const items = value['items'] === null ? [] : value['items'];
  if (!Array.isArray(items)) {
    refuseField(path, 'items', `expected a list of objects, found ${show(items)}`);
  }
  const inner = kind.slice(0, -'List'.length);
  const within = inner === '' ? null : { kind: inner, apiVersion: value['apiVersion'] };
  return items.flatMap((item, index) => unlisted(item, `${path}.items[${index}]`, lists, within));
}

/** @throws SluiceError `ERR_MANIFEST`, path `DOCUMENT: FIELD` */
export function refuseField(document: string, field: string, message: string): never {
  const path = field === '' ? document : `${document}: ${field}`;
  throw new SluiceError('ERR_MANIFEST', message, { path });
}

/** The group of an API version; empty for the core's. */
export function groupOf(apiVersion: string): string {
  return apiVersion.split('/').slice(0, -1).join('/');
}
