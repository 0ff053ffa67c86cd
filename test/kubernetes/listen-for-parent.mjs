// SPDX-License-Identifier: Apache-2.0
// Listens on a port of the loopback and hands the socket to the parent, which so has a socket in this
// process' network namespace: node listen-for-parent.mjs PORT
import { createServer } from 'node:net';

const server = createServer().listen({ port: Number(process.argv[2]), host: '127.0.0.1' }, () => {
  process.send('listening', server, () => process.disconnect());
});
server.unref();
