// SPDX-License-Identifier: Apache-2.0
import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';
import type { ExecutionContext } from 'ava';
import type { ExplainReport, Stats } from '../../lib/index.js';
import { requires } from '../support/requires.js';
import { type Answers, CLIENT, Roles, VIP } from './roles-net.js';

const HELD = 200;
const NEW = 600;
const LOOKS = 50;
const LOOK_AGAIN_MS = 100;
/** Of a third of NEW, five standard deviations of chance and two percent of Maglev's. */
const SHARE = { least: 133, most: 267 };

const needs = ['the native addon', 'root', '/dev/net/tun', 'ip', 'curl'] as const;
const real = requires(...needs);
const measured = requires(...needs, 'iperf3');

real('router, two balancers, nodes: connections outlive a balancer and a new node', async (t) => {
  t.timeout(300_000);
  const roles = new Roles(t);
  await roles.start(2);
  await answers(t, roles);

  const client = roles.holdConnections();
  const first = await client.open(HELD, VIP.local);
  t.deepEqual(podsOf(first), ['pod-1', 'pod-2']);
  t.deepEqual([...new Set([...first.values()].map(clientOf))], [CLIENT], 'clients are seen');
  const [one, two] = [await roles.flows('lb-1'), await roles.flows('lb-2')];
  const [byOne, byTwo] = [one, two].map((flows) => [...first.keys()].filter((p) => flows.has(p)));
  t.log(`${byOne!.length} connections by lb-1, ${byTwo!.length} by lb-2`);
  t.true(byOne!.length > 50 && byTwo!.length > 50);
  t.is(byOne!.length + byTwo!.length, HELD, 'each goes by one balancer');
  await repliesPassBy(t, roles);
  await explained(t, roles, byOne!.slice(0, 20), first);

  // The link of its memif goes down, and the router's ECMP moves what went by it.
  roles.agent('lb-1').kill('SIGKILL');
  t.deepEqual(await client.ask(HELD), first, 'every connection goes on, at the pod that it had');
  const moved = await roles.flows('lb-2');
  t.true(
    byOne!.every((port) => moved.has(port)),
    'the other balancer has taken them over',
  );

  await roles.startBalancer(1);
  t.true(await linkIsUp(roles, 'lb-1'));
  t.deepEqual(await client.ask(HELD), first, 'and back');

  roles.putManifests(3);
  for (const name of ['lb-1', 'lb-2', 'node-3']) await roles.agent(name).logged('reloaded');
  t.deepEqual(await client.ask(HELD), first, 'a third node moves no connection');
  const more = await client.open(NEW, VIP.local);
  t.deepEqual(podsOf(more), ['pod-1', 'pod-2', 'pod-3']);
  const third = [...more.values()].filter((answer) => answer.startsWith('pod-3')).length;
  t.log(`${third} of ${NEW} new connections at the third node`);
  t.true(third >= SHARE.least && third <= SHARE.most, `${third}`);
  t.deepEqual(await client.ask(HELD), first);
  await repliesPassBy(t, roles);
});

measured('iperf3 through a balancer: segments fit the tunnel, both ways', async (t) => {
  t.timeout(180_000);
  const roles = new Roles(t);
  await roles.start(2);
  await answers(t, roles);
  const server = roles.spawn('pod-1', 'iperf3', '-s', '--forceflush');
  await once(server.stdout!, 'data');
  for (const direction of [[], ['-R']]) {
    const words = ['iperf3', '-c', VIP.iperf, '-t', '3', '--connect-timeout', '10000', '--json'];
    const output = await text(roles.spawn('client', ...words, ...direction).stdout!);
    const { end } = JSON.parse(output) as { end: { sum_received: { bytes: number } } };
    t.true(end.sum_received.bytes > 1_000_000, `${direction.join()} ${end.sum_received.bytes}`);
    t.log(`${direction.join()} ${Math.round(end.sum_received.bytes / 3 / 125_000)} Mbit/s`);
  }
  for (const name of ['router', 'lb-1', 'lb-2', 'node-1']) {
    const { fates } = await roles.get<Stats>(name, 'stats');
    t.is(fates.drops.mtu_exceeded ?? 0, 0, name);
  }
  await repliesPassBy(t, roles);
});

/** Real programs through both services; with policy `Cluster` a node stands for the client. */
async function answers(t: ExecutionContext, roles: Roles): Promise<void> {
  const ask = async (address: string) => {
    const curl = roles.spawn('client', 'curl', '-sS', '--max-time', '20', `http://${address}/`);
    return text(curl.stdout!);
  };
  for (let i = 0; i < 4; i++) {
    t.regex(await ask(VIP.local), /^pod-[12] 198\.51\.100\.2$/);
    t.regex(await ask(VIP.cluster), /^pod-[12] 10\.(244|0)\./);
  }
}

/** Balancers see what clients send and nothing else, and all of it goes into tunnels to nodes. */
async function repliesPassBy(t: ExecutionContext, roles: Roles): Promise<void> {
  for (const name of ['lb-1', 'lb-2']) {
    const flows = [...(await roles.flows(name)).values()];
    t.true(flows.length > 0);
    t.deepEqual([...new Set(flows.map(({ replyPackets }) => replyPackets))], [0], name);
    const { forwarded, sent, back } = await settled(roles, name);
    t.true(sent > 0);
    t.is(forwarded, sent, `${name} sends to nodes alone`);
    t.is(back, 0);
  }
}

/**
 * What a balancer has sent on, and its tunnels: these count what did not fit into the peer's ring, too. A
 * look in the middle of a burst sees the half of it.
 */
async function settled(roles: Roles, name: string) {
  for (let looks = 1; ; looks++) {
    const { fates, interfaces } = await roles.get<Stats>(name, 'stats');
    const tunnels = interfaces.filter((each) => each.name.startsWith('to-node-'));
    const sent = tunnels.reduce((sum, { txPackets }) => sum + txPackets, 0);
    const back = tunnels.reduce((sum, { rxPackets }) => sum + rxPackets, 0);
    const forwarded = fates.forwarded + (fates.drops.tx_full ?? 0);
    if (forwarded === sent || looks === LOOKS) return { forwarded, sent, back };
    await sleep(LOOK_AGAIN_MS);
  }
}

/** `explain` names tunnel and node, and the balancer that has no such flow would choose alike. */
async function explained(
  t: ExecutionContext,
  roles: Roles,
  ports: readonly number[],
  heard: Answers,
): Promise<void> {
  for (const port of ports) {
    const node = podOf(heard.get(port)!).replace('pod', 'node');
    for (const name of ['lb-1', 'lb-2']) {
      const query = `from=${CLIENT}&to=${VIP.local}&port=80&protocol=TCP&fromPort=${port}&interface=up`;
      const report = await roles.get<ExplainReport>(name, `explain?${query}`);
      t.is(report.route?.interface, `to-${node}`, `${name}, port ${port}`);
      t.is(report.encap?.remote, `10.0.1${node.slice(-1)}.2`);
      t.like(report.backend, { address: report.encap?.remote, node });
      t.is(report.masquerade, false);
      t.is(report.flow === null, name === 'lb-2');
      t.true(report.text.join('\n').includes(`to-${node}`));
    }
  }
}

async function linkIsUp(roles: Roles, name: string): Promise<boolean> {
  const deadline = Date.now() + 10_000;
  while (Date.now() < deadline) {
    if ((await roles.interface('router', name))?.up === true) return true;
    await sleep(50);
  }
  return false;
}

function podOf(answer: string): string {
  return answer.split(' ')[0]!;
}

function clientOf(answer: string): string | undefined {
  return answer.split(' ')[1];
}

function podsOf(given: Answers): string[] {
  return [...new Set([...given.values()].map(podOf))].sort();
}
