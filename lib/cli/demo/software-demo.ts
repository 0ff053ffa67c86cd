// SPDX-License-Identifier: Apache-2.0
import { ServiceProxy } from '../../proxy/service-proxy.js';
import type { MemoryHost } from './memory-host.js';
import { MemoryNetwork } from './memory-network.js';
import {
  CLIENT,
  ECHO_PODS,
  ECHO_ROUTES,
  POD_PORTS,
  PREFIX_LENGTH,
  type Seat,
  type Target,
  WEB_PODS,
} from './shop.js';
import { runWindow } from './window.js';
import { type Answers, count, noAnswers, type Setting, type World } from './world.js';

// No more than may wait for one neighbour (`heldPerNeighbour`): these hosts ask once.
const CONCURRENT = 16;
const REQUEST_TIMEOUT_MS = 5_000;
const PINGS = 3;

/**
 * The same pods, in this process, behind memory interfaces of the software engine.
 * @param reason - why it is not DPDK
 */
export async function openSoftwareWorld(setting: Setting, reason: string): Promise<World> {
  const { cleanup, signal, say } = setting;
  const proxy = await ServiceProxy.open({ engine: 'software' });
  cleanup.defer('proxy', () => proxy.close());
  const why = `software engine: ${reason}; pods are in this process`;
  say(why);

  const seats: readonly Seat[] = [CLIENT, ...WEB_PODS, ...ECHO_PODS];
  await proxy.apply({
    interfaces: seats.map(({ name, gateway }) => ({
      kind: 'memory',
      name,
      addresses: [`${gateway}/${PREFIX_LENGTH}`],
    })),
    routes: ECHO_ROUTES,
  });
  const network = new MemoryNetwork({
    send: (name, frames) => proxy.interfaces.send(name, frames),
    receive: (name) => proxy.interfaces.receive(name),
  });
  cleanup.defer('network', () => network.stop());
  attachPods(network);
  const client = network.attach(CLIENT, '02:00:0a:01:00:02');
  say(`${WEB_PODS.length + ECHO_PODS.length} pods answer behind memory interfaces`);

  const requests = (number: number, one: (answers: Answers) => Promise<void>): Promise<Answers> =>
    runRequests(number, one, signal, network);
  return {
    proxy,
    why,
    http: (target, number) => requests(number, (answers) => askHttp(client, target, answers)),
    udp: (targets, number) =>
      Promise.all(
        targets.map((target) => requests(number, (answers) => askUdp(client, target, answers))),
      ),
    ping: (seat) =>
      requests(PINGS, async (answers) => {
        await client.requestEcho(seat.gateway);
        count(answers, 'gateway');
      }),
    inventory: () => `${seats.length} memory interfaces`,
  };
}

function attachPods(network: MemoryNetwork): void {
  for (const [index, seat] of WEB_PODS.entries()) {
    const host = network.attach(seat, `02:00:0a:01:0${index + 1}:02`);
    host.serveTcp(POD_PORTS.http, (request) => answerHttp(seat, request));
    host.serveUdp(POD_PORTS.dns, () => new TextEncoder().encode(seat.name));
  }
  for (const seat of ECHO_PODS)
    network.attach(seat, seat.mac).serveUdp(POD_PORTS.echo, (question) => question);
}

function answerHttp(seat: Seat, request: string): string | null {
  if (!request.includes('\r\n\r\n')) return null;
  const body = `${seat.name}\n`;
  return (
    'HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Type: text/plain\r\n' +
    `Content-Length: ${body.length}\r\n\r\n${body}`
  );
}

async function askHttp(client: MemoryHost, target: Target, answers: Answers): Promise<void> {
  const { address, port } = target;
  const request = `GET / HTTP/1.1\r\nHost: ${address}\r\nConnection: close\r\n\r\n`;
  const answer = await client.requestTcp(address, port, request);
  const [, body] = /^HTTP\/1\.1 200 [\s\S]*?\r\n\r\n([\s\S]*)$/.exec(answer) ?? [];
  if (body === undefined) throw new Error(`not an answer: ${answer.slice(0, 40)}`);
  count(answers, body.trim());
}

async function askUdp(client: MemoryHost, target: Target, answers: Answers): Promise<void> {
  const question = `request of ${target.service}`;
  const answer = await client.requestUdp(target.address, target.port, question);
  const echo = ECHO_PODS.find(({ name }) => name === target.service);
  count(answers, answer === question && echo !== undefined ? echo.name : answer);
}

async function runRequests(
  number: number,
  one: (answers: Answers) => Promise<void>,
  signal: AbortSignal,
  network: MemoryNetwork,
): Promise<Answers> {
  const answers = noAnswers(number);
  const faultsBefore = network.faults;
  await runWindow(number, CONCURRENT, async () => {
    try {
      await inTime(one(answers), signal);
    } catch (error) {
      signal.throwIfAborted();
      answers.remark = (error as Error).message;
    }
  });
  const faults = network.faults - faultsBefore;
  if (faults > 0) answers.remark = `${faults} frames made no sense to the host that got them`;
  return answers;
}

async function inTime(work: Promise<void>, signal: AbortSignal): Promise<void> {
  signal.throwIfAborted();
  let stop = (): void => undefined;
  const ended = new Promise<never>((_, reject) => {
    const onAbort = (): void => reject(signal.reason);
    const timer = setTimeout(
      () => reject(new Error(`no answer within ${REQUEST_TIMEOUT_MS / 1000} s`)),
      REQUEST_TIMEOUT_MS,
    );
    signal.addEventListener('abort', onAbort, { once: true });
    stop = () => {
      clearTimeout(timer);
      signal.removeEventListener('abort', onAbort);
    };
  });
  try {
    await Promise.race([work, ended]);
  } finally {
    stop();
  }
}
