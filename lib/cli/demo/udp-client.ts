// SPDX-License-Identifier: Apache-2.0
// What sends UDP requests inside the client's namespace, each from a source port of its own.
// Arguments: COUNT ADDRESS:PORT... Prints one JSON line: an array of UdpTally, one for each target.
import { createSocket } from 'node:dgram';
import { runWindow } from './window.js';

/** What came back from one target. */
export interface UdpTally {
  sent: number;
  answered: number;
  /** Requests that were sent more than once. */
  repeated: number;
  /** Answers by their text; `=` is the request sent back. */
  answers: Record<string, number>;
}

const CONCURRENT = 32;
const TRIES = 3;
const TIMEOUT_MS = 1_000;

const [count = '0', ...targets] = process.argv.slice(2);
const tallies = await Promise.all(targets.map(async (target) => ask(target, Number(count))));
process.stdout.write(`${JSON.stringify(tallies)}\n`);

async function ask(target: string, requests: number): Promise<UdpTally> {
  const [address = '', port] = target.split(':');
  const tally: UdpTally = { sent: 0, answered: 0, repeated: 0, answers: {} };
  await runWindow(requests, CONCURRENT, async (index) => {
    tally.sent++;
    const question = `request ${index}`;
    const { answer, tries } = await request(address, Number(port), question);
    if (tries > 1) tally.repeated++;
    if (answer === null) return;
    tally.answered++;
    const text = answer === question ? '=' : answer;
    tally.answers[text] = (tally.answers[text] ?? 0) + 1;
  });
  return tally;
}

function request(
  address: string,
  port: number,
  question: string,
): Promise<{ answer: string | null; tries: number }> {
  return new Promise((resolve) => {
    const socket = createSocket('udp4');
    let tries = 0;
    let timer: NodeJS.Timeout;
    const finish = (answer: string | null): void => {
      clearTimeout(timer);
      socket.close();
      resolve({ answer, tries });
    };
    const attempt = (): void => {
      if (tries === TRIES) {
        finish(null);
        return;
      }
      tries++;
      timer = setTimeout(attempt, TIMEOUT_MS);
      socket.send(question);
    };
    socket.on('error', () => finish(null));
    socket.once('message', (message) => finish(message.toString()));
    // Connected: only the service's own address and port are listened to.
    socket.connect(port, address, attempt);
  });
}
