// SPDX-License-Identifier: Apache-2.0
// Sends numbered lines over one TCP connection until its standard input ends, and looks at what comes
// back: node line-client.mjs ADDRESS PORT. Prints `ready`, then what became of them as JSON.
import { connect } from 'node:net';
import { createInterface } from 'node:readline';

const [address, port] = process.argv.slice(2);
const socket = connect(Number(port), address);
socket.setNoDelay(true);

let sent = 0;
let received = 0;
let inOrder = true;
let over = false;

const timer = setInterval(() => {
  if (!over) socket.write(`${sent++}\n`);
}, 2);

createInterface({ input: socket }).on('line', (line) => {
  if (line !== String(received)) inOrder = false;
  received++;
  if (received === 20) console.log('ready');
  if (over && received === sent) report(null);
});
socket.on('error', (error) => report(error.message));
socket.on('close', () => report('closed'));

process.stdin.resume();
process.stdin.on('end', () => {
  over = true;
  clearInterval(timer);
  setTimeout(() => report('timeout'), 20_000);
  if (received === sent) report(null);
});

function report(broken) {
  console.log(JSON.stringify({ sent, received, inOrder, broken }));
  process.exit(0);
}
