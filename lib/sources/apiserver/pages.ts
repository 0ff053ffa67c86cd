// SPDX-License-Identifier: Apache-2.0
import { SluiceError } from '../../errors.js';
import type { ApiConnection } from './connection.js';
import type { WatchedResource } from './resources.js';
import { record, text } from './status.js';

export interface Page {
  items: unknown[];
  /** Of the whole list, the same on each page. */
  resourceVersion: string;
}

/**
 * A list in pages: each is one JSON.parse, the longest that the event loop is held up.
 *
 * No `resourceVersion=0`, which informers use to be answered from the watch cache: it ignores `limit`, and may go back in time
 * when another API server answers than before. Servers of today (ConsistentListFromCache) answer pages from their cache, too.
 *
 * The next page is not paced: it is asked for when the previous one has been worked off.
 * @throws SluiceError `ERR_APISERVER`; a page that has expired has a status of 410
 */
export async function* pagesOf(
  connection: ApiConnection,
  resource: WatchedResource,
  pageSize: number | undefined,
  signal: AbortSignal,
): AsyncGenerator<Page> {
  let next: string | undefined;
  do {
    const query = {
      limit: pageSize === undefined ? undefined : String(pageSize),
      fieldSelector: resource.fieldSelector,
      labelSelector: resource.labelSelector,
      continue: next,
    };
    const settings = { signal, unpaced: next !== undefined };
    const list = record(await connection.getJson(resource.path, query, settings));
    const metadata = record(list['metadata']);
    const items = list['items'] ?? [];
    const resourceVersion = text(metadata['resourceVersion']);
    if (!Array.isArray(items) || !resourceVersion) {
      throw new SluiceError('ERR_APISERVER', 'the answer is not a list', {
        path: connection.server + resource.path,
      });
    }
    yield { items, resourceVersion };
    next = text(metadata['continue']) || undefined;
  } while (next !== undefined);
}
