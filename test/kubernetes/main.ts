// SPDX-License-Identifier: Apache-2.0
// The API server for tests, as a process: `node --import=tsx test/kubernetes/main.ts`.
import { existsSync, mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { parseArgs } from 'node:util';
import { kubeconfigOf } from './cluster.js';
import { ApiServer } from './server/api-server.js';
import { makeCertificates, readCertificates } from './server/certificates.js';

const { values } = parseArgs({
  options: {
    /** 0: a free one. */
    port: { type: 'string', default: '0' },
    /** File that keeps what is stored. Nothing is kept without it. */
    data: { type: 'string' },
    /** Folder of the certificates, which are made if there are none. */
    certificates: { type: 'string' },
    token: { type: 'string', default: 'admin' },
    'service-cidrs': { type: 'string', default: '10.96.0.0/16,fd00:10:96::/112' },
    'bookmark-ms': { type: 'string', default: '60000' },
    'history-size': { type: 'string', default: '200000' },
    /** Writes a kubeconfig file there. */
    kubeconfig: { type: 'string' },
  },
});

const folder = values.certificates ?? mkdtempSync(join(tmpdir(), 'sluice-apiserver-'));
const certificates = existsSync(join(folder, 'server.crt'))
  ? readCertificates(folder)
  : makeCertificates(folder);
const server = await ApiServer.start({
  certificates,
  port: Number(values.port),
  tokens: { [values.token]: { user: 'admin' } },
  serviceCidrs: values['service-cidrs'].split(','),
  bookmarkMs: Number(values['bookmark-ms']),
  historySize: Number(values['history-size']),
  ...(values.data !== undefined && { data: values.data }),
});
if (values.kubeconfig) {
  const text = kubeconfigOf(server.url, join(folder, 'ca.crt'), values.token);
  writeFileSync(values.kubeconfig, text, { mode: 0o600 });
}
process.stdout.write(`ready ${server.url}\n`);
// Nobody reads what was asked.
setInterval(() => {
  server.requests = [];
}, 1000).unref();
const end = (): void => {
  void server.stop().then(() => process.exit(0));
};
process.on('SIGTERM', end);
process.on('SIGINT', end);

// Orders come on standard input, each a line of JSON, and are answered in the same order. With the
// end of it this ends, too.
const orders = createInterface({ input: process.stdin });
orders.on('line', (line) => {
  try {
    const { load, compact } = JSON.parse(line);
    if (load) server.load(load);
    if (compact) server.compact();
    process.stdout.write('done\n');
  } catch (error) {
    process.stdout.write(`failed ${JSON.stringify(String(error))}\n`);
  }
});
orders.on('close', end);
