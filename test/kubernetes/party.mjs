// SPDX-License-Identifier: Apache-2.0
// Somebody who serves and asks: node party.mjs NAME ADDRESS,... PORT,...
// Serves each port on each address over TCP and UDP: to whatever it is told it answers `NAME PORT`.
// Reads a line of JSON at a time: `{ "ask": [[id, source, destination, protocol, port], ...] }` asks all of them
// at once, `{ "again": true }` those that are not answered yet, each by a new connection, `{ "say": id }` goes on
// with the connection that it has, and `{ "end": true }` lets all of them go. Writes `sent` when
// a line is done, and `= ID ANSWER` whenever there is one; an answer of `!CODE` is an error.
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { connect, createServer } from 'node:net';
import { createInterface } from 'node:readline';

const [name, addresses, ports] = process.argv.slice(2);
const udpFor = (address) =>
  createSocket({ type: address.includes(':') ? 'udp6' : 'udp4', recvBufferSize: 1 << 20 });

for (const host of addresses.split(',')) {
  for (const port of ports.split(',').map(Number)) {
    const server = createServer((socket) => {
      socket.on('data', () => socket.write(`${name} ${port}`)).on('error', () => {});
    });
    server.listen({ port, host, backlog: 4_096 });
    await once(server, 'listening');
    const socket = udpFor(host).on('error', () => {});
    socket.on('message', (message, from) => {
      socket.send(`${message} ${name} ${port}`, from.port, from.address);
    });
    await new Promise((resolve) => socket.bind(port, host, resolve));
  }
}

/** By id: the ask, what was answered, and the connections. */
let asked = new Map();
/** By source: the socket that its asks over UDP go by. */
let sockets = new Map();

function tell(id, answer) {
  const ask = asked.get(id);
  if (ask === undefined || ask.isAnswered) return;
  ask.isAnswered = true;
  console.log(`= ${id} ${answer}`);
}

async function socketOf(source) {
  const known = sockets.get(source);
  if (known !== undefined) return known;
  const socket = udpFor(source).on('error', () => {});
  sockets.set(source, socket);
  socket.on('message', (message) => {
    const [id, ...answer] = String(message).split(' ');
    tell(Number(id), answer.join(' '));
  });
  await new Promise((resolve) => socket.bind(0, source, resolve));
  return socket;
}

async function send(id) {
  const { source, destination, protocol, port, tcp } = asked.get(id);
  if (protocol === 'UDP') {
    (await socketOf(source)).send(String(id), port, destination, () => {});
    return;
  }
  const socket = connect({ host: destination, port, localAddress: source, noDelay: true });
  tcp.push(socket);
  socket.on('connect', () => socket.write(String(id)));
  socket.on('data', (data) => tell(id, String(data)));
  socket.on('error', ({ code }) => tell(id, `!${code}`));
}

function end() {
  for (const { tcp } of asked.values()) for (const socket of tcp) socket.resetAndDestroy();
  for (const socket of sockets.values()) socket.close();
  asked = new Map();
  sockets = new Map();
}

const COMMANDS = {
  async ask(asks) {
    for (const [id, source, destination, protocol, port] of asks) {
      asked.set(id, { source, destination, protocol, port, tcp: [], isAnswered: false });
    }
    for (const [id] of asks) await send(id);
  },
  async again() {
    for (const [id, { isAnswered }] of asked) if (!isAnswered) await send(id);
  },
  async say(id) {
    const ask = asked.get(id);
    ask.isAnswered = false;
    if (ask.protocol === 'UDP') await send(id);
    else ask.tcp.at(-1).write(String(id));
  },
  end,
};

console.log('ready');
for await (const line of createInterface({ input: process.stdin })) {
  for (const [verb, value] of Object.entries(JSON.parse(line))) await COMMANDS[verb](value);
  console.log('sent');
}
process.exit();
