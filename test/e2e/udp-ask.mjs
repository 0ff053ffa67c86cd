// SPDX-License-Identifier: Apache-2.0
// Sends a datagram of N bytes and waits for the same back: node udp-ask.mjs ADDRESS PORT BYTES
// Prints `ok`, `different` or `nothing`.
import { randomBytes } from 'node:crypto';
import { createSocket } from 'node:dgram';
import { isIPv6 } from 'node:net';

const [, , address, port, bytes] = process.argv;
const socket = createSocket(isIPv6(address) ? 'udp6' : 'udp4');
const sent = randomBytes(Number(bytes));
const late = setTimeout(() => end('nothing'), 5_000);
socket.on('message', (message) => end(message.equals(sent) ? 'ok' : 'different'));
socket.send(sent, Number(port), address);

function end(word) {
  clearTimeout(late);
  console.log(word);
  socket.close();
}
