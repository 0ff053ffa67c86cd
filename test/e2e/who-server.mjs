// SPDX-License-Identifier: Apache-2.0
// Port 80: an HTTP server that keeps connections, and says who it is and who asked. Argument: NAME.
import { createServer } from 'node:http';

const name = process.argv[2];
const server = createServer((request, response) => {
  response.end(`${name} ${request.socket.remoteAddress}`);
});
server.keepAliveTimeout = 0;
server.listen({ port: 80, host: '0.0.0.0', backlog: 4_096 }, () => console.log('ready'));
