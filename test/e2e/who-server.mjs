// SPDX-License-Identifier: Apache-2.0
// Says who it is and who asked, over HTTP and UDP of both families: node who-server.mjs NAME [PORT...]
// The port is 80 unless there are others. HTTP connections are kept.
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { createServer } from 'node:http';

const [name, ...given] = process.argv.slice(2);
for (const port of given.length > 0 ? given.map(Number) : [80]) {
  for (const [host, type] of [
    ['0.0.0.0', 'udp4'],
    ['::', 'udp6'],
  ]) {
    const server = createServer((request, response) => {
      response.end(`${name} ${request.socket.remoteAddress}`);
    });
    server.keepAliveTimeout = 0;
    server.listen({ port, host, ipv6Only: true, backlog: 4_096 });
    await once(server, 'listening');
    const socket = createSocket({ type, ipv6Only: type === 'udp6' });
    socket.on('message', (message, from) => {
      socket.send(`${name} ${from.address} ${message}`, from.port, from.address);
    });
    await new Promise((resolve) => socket.bind(port, resolve));
  }
}
console.log('ready');
