// SPDX-License-Identifier: Apache-2.0
// A TCP server on a port, by IPv4 and IPv6, that sends back what it gets: node line-echo.mjs PORT
import { createServer } from 'node:net';

const server = createServer((socket) => {
  socket.on('error', () => {});
  socket.setNoDelay(true);
  socket.pipe(socket);
});
server.listen(Number(process.argv[2]), '::', () => console.log('ready'));
