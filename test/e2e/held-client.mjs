// SPDX-License-Identifier: Apache-2.0
// HTTP over connections that stay open. A line of standard input is an order: `open COUNT ADDRESS` opens
// connections and asks by each, `ask COUNT` asks once more by the first ones. A line of standard output is
// the outcome: for each connection its own port and the answer, or what went wrong.
import { once } from 'node:events';
import { connect } from 'node:net';
import { createInterface } from 'node:readline';

const ANSWER_MS = 20_000;
const AT_A_TIME = 50;
const held = [];

for await (const line of createInterface({ input: process.stdin })) {
  const [order, count, address] = line.split(' ');
  const first = order === 'open' ? held.length : 0;
  if (order === 'open') {
    for (let i = 0; i < Number(count); i += AT_A_TIME) {
      const some = Math.min(AT_A_TIME, Number(count) - i);
      held.push(...(await Promise.all(Array.from({ length: some }, () => open(address)))));
    }
  }
  const answers = await Promise.all(held.slice(first, first + Number(count)).map(ask));
  console.log(JSON.stringify(answers));
}

async function open(address) {
  const socket = connect({ host: address, port: 80, noDelay: true });
  const state = { socket, port: 0, error: null };
  socket.on('error', ({ message }) => {
    state.error ??= message;
  });
  socket.on('close', () => {
    state.error ??= 'closed';
  });
  await Promise.race([once(socket, 'connect'), late()]).catch(({ message }) => {
    state.error ??= message;
  });
  state.port = socket.localPort ?? 0;
  return state;
}

async function ask(state) {
  if (state.error !== null) return [state.port, `error: ${state.error}`];
  const { socket } = state;
  let text = '';
  const answered = new Promise((resolve, reject) => {
    const take = (chunk) => {
      text += chunk;
      const [head, body] = text.split('\r\n\r\n');
      const length = /content-length: (\d+)/i.exec(head)?.[1];
      if (body === undefined || body.length < Number(length)) return;
      socket.off('data', take);
      resolve(body);
    };
    socket.on('data', take);
    socket.once('close', () => reject(new Error(state.error)));
  });
  socket.write('GET / HTTP/1.1\r\nHost: web\r\n\r\n');
  try {
    return [state.port, await Promise.race([answered, late()])];
  } catch ({ message }) {
    return [state.port, `error: ${message}`];
  }
}

function late() {
  return new Promise((_, reject) => {
    setTimeout(() => reject(new Error('no answer')), ANSWER_MS).unref();
  });
}
