// SPDX-License-Identifier: Apache-2.0
// Sends one line over TCP and prints what comes back: node line-ask.mjs ADDRESS PORT LINE
import { connect } from 'node:net';

const [address, port, line] = process.argv.slice(2);
const socket = connect(Number(port), address, () => socket.write(`${line}\n`));
socket.setTimeout(5_000, () => socket.destroy(new Error('nobody answers')));
socket.on('data', (data) => {
  process.stdout.write(data);
  socket.destroy();
});
socket.on('error', (error) => {
  console.log(error.message);
  process.exitCode = 1;
});
