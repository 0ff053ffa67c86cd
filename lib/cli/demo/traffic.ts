// SPDX-License-Identifier: Apache-2.0
import type { Children } from './children.js';
import { scriptCommand } from './scripts.js';
import { ECHO_PODS, type Seat, type Target } from './shop.js';
import type { UdpTally } from './udp-client.js';
import { type Answers, count, noAnswers } from './world.js';

const HTTP_TIMEOUT_MS = 90_000;
const UDP_TIMEOUT_MS = 60_000;
const PINGS = 3;

/** Where requests start. */
export interface ClientShell {
  children: Children;
  /** Network namespace of the client. */
  namespace: string;
  signal: AbortSignal;
}

/** One `curl` for all requests; each is a connection of its own, since the server closes it. */
export async function curl(shell: ClientShell, target: Target, requests: number): Promise<Answers> {
  const answers = noAnswers(requests);
  const { stdout, stderr } = await inNamespace(
    shell,
    [
      ...['curl', '--silent', '--show-error', '--header', 'Connection: close'],
      ...['--noproxy', '*', '--fail-early', '--connect-timeout', '5', '--max-time', '10'],
      `http://${target.address}:${target.port}/?[1-${requests}]`,
    ],
    { timeoutMs: HTTP_TIMEOUT_MS, anyExitCode: true },
  );
  for (const line of stdout.split('\n')) if (line !== '') count(answers, line);
  answers.remark = stderr.trim().split('\n')[0] ?? '';
  return answers;
}

/** UDP requests to several services at a time. */
export async function askUdp(
  shell: ClientShell,
  targets: readonly Target[],
  requests: number,
): Promise<Answers[]> {
  const { stdout } = await inNamespace(
    shell,
    [
      ...scriptCommand('udp-client'),
      String(requests),
      ...targets.map(({ address, port }) => `${address}:${port}`),
    ],
    { timeoutMs: UDP_TIMEOUT_MS },
  );
  const tallies = JSON.parse(stdout) as UdpTally[];
  return tallies.map((tally, index) => readTally(tally, targets[index]!));
}

/** `ping` of the client's gateway, which is Sluice itself. */
export async function ping(shell: ClientShell, seat: Seat): Promise<Answers> {
  const answers = noAnswers(PINGS);
  const { stdout } = await inNamespace(
    shell,
    ['ping', '-n', '-c', String(PINGS), '-i', '0.2', '-W', '2', seat.gateway],
    { anyExitCode: true },
  );
  count(answers, 'gateway', Number(/(\d+) received/.exec(stdout)?.[1] ?? 0));
  return answers;
}

function readTally(tally: UdpTally, target: Target): Answers {
  const answers = noAnswers(tally.sent);
  const echo = ECHO_PODS.find(({ name }) => name === target.service);
  for (const [text, number] of Object.entries(tally.answers))
    count(answers, text === '=' && echo !== undefined ? echo.name : text, number);
  if (tally.repeated > 0) answers.remark = `${tally.repeated} of them were sent more than once`;
  return answers;
}

function inNamespace(
  { children, namespace, signal }: ClientShell,
  command: readonly string[],
  options: { timeoutMs?: number; anyExitCode?: boolean },
): ReturnType<Children['run']> {
  return children.run('ip', ['netns', 'exec', namespace, ...command], { ...options, signal });
}
