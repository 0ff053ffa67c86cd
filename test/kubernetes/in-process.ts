// SPDX-License-Identifier: Apache-2.0
import type { Launched, LaunchOptions } from './cluster.js';
import { ApiServer } from './server/api-server.js';

/** The API server in this process. Being killed is, for it, to break all connections. */
export async function startInProcess(options: LaunchOptions): Promise<Launched> {
  const { certificates, token, serviceCidrs, bookmarkMs, historySize } = options;
  const server = await ApiServer.start({
    certificates,
    tokens: { [token]: { user: 'admin' } },
    serviceCidrs,
    bookmarkMs,
    historySize,
  });
  return {
    url: server.url,
    server,
    load: async (objects) => server.load(objects),
    compact: async () => server.compact(),
    kill9: () => server.refuse(),
    restart: async () => {
      server.store.watchable = server.store.revision;
      await server.listen();
    },
    stop: () => server.stop(),
  };
}
