// SPDX-License-Identifier: Apache-2.0
// Sends numbered datagrams from one socket until its standard input ends: node udp-client.mjs ADDRESS PORT
// [COUNT]. A who-server answers. Each line of standard input is answered by what became of them so far, as
// JSON; the end by all of it, once everything is answered or a time has passed. With COUNT it sends so many,
// one after the other, each from a socket of its own, and ends.
import { createSocket } from 'node:dgram';
import { isIPv6 } from 'node:net';
import { createInterface } from 'node:readline';

const [address, port, count] = process.argv.slice(2);
const type = isIPv6(address) ? 'udp6' : 'udp4';
const ANSWER_MS = 1_500;
const EVERY_MS = 5;

if (count !== undefined) {
  for (let i = 0; i < Number(count); i++) {
    const answer = await askOnce(i);
    console.log(answer);
    if (answer === 'refused' || answer === 'nothing') break;
  }
} else stream();

function askOnce(number) {
  return new Promise((resolve) => {
    const socket = createSocket(type);
    const end = (answer) => {
      clearTimeout(late);
      socket.close();
      resolve(answer);
    };
    const late = setTimeout(() => end('nothing'), ANSWER_MS);
    socket.once('error', ({ code }) => end(code === 'ECONNREFUSED' ? 'refused' : code));
    socket.once('message', (message) => end(String(message).split(' ').slice(0, 2).join(' ')));
    socket.connect(Number(port), address, () => socket.send(String(number)));
  });
}

function stream() {
  const socket = createSocket(type);
  const answered = new Set();
  let sent = 0;
  let latest = '';
  let broken = null;
  socket.on('error', ({ code }) => {
    broken = code;
  });
  socket.on('message', (message) => {
    const [who, , number] = String(message).split(' ');
    latest = who;
    if (answered.size === 0) console.log('ready');
    answered.add(Number(number));
  });
  const state = () =>
    JSON.stringify({ sent, received: answered.size, inOrder: true, broken, latest });
  socket.connect(Number(port), address, () => {
    const timer = setInterval(() => socket.send(String(sent++)), EVERY_MS);
    createInterface({ input: process.stdin })
      .on('line', () => console.log(state()))
      .on('close', () => {
        clearInterval(timer);
        const deadline = Date.now() + 2_000;
        setInterval(() => {
          if (answered.size < sent && Date.now() < deadline) return;
          console.log(state());
          process.exit(0);
        }, 20);
      });
  });
}
