// SPDX-License-Identifier: Apache-2.0
// A UDP server on port 7 of both families: answers what it was sent. node udp-echo.mjs NAME
import { createSocket } from 'node:dgram';

const sockets = [createSocket('udp4'), createSocket({ type: 'udp6', ipv6Only: true })];
for (const socket of sockets) {
  socket.on('message', (message, { address, port }) => socket.send(message, port, address));
  await new Promise((resolve) => socket.bind(7, resolve));
}
console.log(`ready ${process.argv[2]}`);
