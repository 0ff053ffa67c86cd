// SPDX-License-Identifier: Apache-2.0
import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { SluiceError } from '../../errors.js';
import type { ApiConnection } from '../../sources/apiserver/connection.js';
import { isOutage, record, statusOf, text } from '../../sources/apiserver/status.js';
import type { Setting } from './world.js';

/** Of everything that a demo makes in a cluster: how to find what one left that was killed. */
export const LABELS = { 'app.kubernetes.io/managed-by': 'sluice-demo' } as const;

const TIMEOUT_MS = 10_000;
const RETRY_MS = 500;
/** Less than the clean-up gives one duty. */
const REMOVAL_MS = 12_000;

/** A namespace that the demo has to itself. It is removed by the clean-up, and what is in it goes with it. */
export class ClusterNamespace {
  readonly name = `sluice-demo-${randomBytes(3).toString('hex')}`;
  readonly #connection: ApiConnection;
  #uid: string | undefined;

  private constructor(connection: ApiConnection) {
    this.#connection = connection;
  }

  /** @throws SluiceError `ERR_APISERVER` */
  static async create(connection: ApiConnection, setting: Setting): Promise<ClusterNamespace> {
    const namespace = new ClusterNamespace(connection);
    let refused = false;
    setting.cleanup.defer(`namespace ${namespace.name} of ${connection.server}`, async () => {
      if (!refused) await namespace.#remove();
    });
    const metadata = { name: namespace.name, labels: LABELS };
    const object = { apiVersion: 'v1', kind: 'Namespace', metadata };
    try {
      // Not to be interrupted: else nobody knew whether it came to be.
      const created = await connection.postJson('/api/v1/namespaces', object, {
        timeoutMs: TIMEOUT_MS,
      });
      namespace.#uid = text(record(record(created)['metadata'])['uid']);
    } catch (error) {
      refused = statusOf(error) !== undefined && !isOutage(error);
      throw notCreated(`namespace ${namespace.name}`, error);
    }
    setting.signal.throwIfAborted();
    return namespace;
  }

  /** @param root - of its API, such as `/api/v1` */
  path(root: string, plural: string, name?: string): string {
    return `${root}/namespaces/${this.name}/${plural}${name === undefined ? '' : `/${name}`}`;
  }

  /** Until the server has accepted it. An API server that is away is waited for. */
  async #remove(): Promise<void> {
    const end = performance.now() + REMOVAL_MS;
    const preconditions = this.#uid === undefined ? {} : { preconditions: { uid: this.#uid } };
    const options = { apiVersion: 'v1', kind: 'DeleteOptions', ...preconditions };
    for (;;) {
      try {
        await this.#connection.deleteJson(this.#path, options, { timeoutMs: TIMEOUT_MS });
        return;
      } catch (error) {
        if (await this.#isGoing(error)) return;
        if (!isOutage(error) || performance.now() + RETRY_MS > end) throw error;
      }
      await sleep(RETRY_MS);
    }
  }

  get #path(): string {
    return `/api/v1/namespaces/${this.name}`;
  }

  /** Somebody else has deleted it. */
  async #isGoing(error: unknown): Promise<boolean> {
    const code = statusOf(error)?.code;
    if (code !== 409) return code === 404;
    const found = await this.#connection
      .getJson(this.#path, {}, { timeoutMs: TIMEOUT_MS })
      .catch((reason: unknown) => (statusOf(reason)?.code === 404 ? null : {}));
    if (found === null) return true;
    const { uid, deletionTimestamp } = record(record(found)['metadata']);
    return deletionTimestamp !== undefined || (uid !== undefined && uid !== this.#uid);
  }
}

/** Says what could not be created. */
export function notCreated(what: string, error: unknown): unknown {
  if (!(error instanceof SluiceError)) return error;
  return new SluiceError(error.code, `${what} cannot be created: ${error.message}`, {
    cause: error,
  });
}
