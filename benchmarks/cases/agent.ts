// SPDX-License-Identifier: Apache-2.0
import { formatCount } from '../report/number.js';
import type { AgentRig, Change } from '../rig/agent-rig.js';
import type { Bench } from '../rig/bench.js';
import type { Case, Point, Round } from '../rig/case.js';
import { percentile } from '../rig/percentile.js';

type Kind = 'load' | 'change' | 'new' | 'churn' | 'outage';

interface AgentPoint extends Point {
  kind: Kind;
  services: number;
}

type Key =
  | 'start'
  | 'ready'
  | 'read'
  | 'program'
  | 'bareLists'
  | 'ofBareLists'
  | 'p50'
  | 'p99'
  | 'max'
  | 'own50'
  | 'own99'
  | 'work50'
  | 'work99'
  | 'bare50'
  | 'bare99'
  | 'ofBare50'
  | 'ofBare99'
  | 'back'
  | 'kubeProxyStart'
  | 'kubeProxy'
  | 'ofKubeProxy'
  | 'before'
  | 'resident'
  | 'peak'
  | 'huge'
  | 'kubeProxyMemory'
  | 'loop50'
  | 'loop99'
  | 'loopMax'
  | 'cpu'
  | 'mainThread'
  | 'rate';

const PODS_EACH = 10;
const CHANGES = 500;
const NEW_SERVICES = 100;

/**
 * kube-proxy 1.36.2 in nftables mode against a real API server, on a machine of the same kind (two CPUs of
 * an EPYC Zen 5), three endpoints a Service: medians. By number of Services: start in s, one change and a
 * new Service in ms, resident memory after start in MB.
 */
const KUBE_PROXY: Readonly<
  Record<number, { start: number; change: number; new: number; memory: number }>
> = {
  10: { start: 0.59, change: 27, new: 1_030, memory: 63 },
  1000: { start: 0.83, change: 155, new: 1_300, memory: 75 },
  10000: { start: 14.8, change: 3_730, new: 9_400, memory: 190 },
};

export const agent: Case<AgentPoint, Key> = {
  name: 'agent',
  title: 'The node agent: from the API server to the data plane',
  measures:
    'An API server with Services of 10 endpoints each, who writes to it, and the agent (DPDK, one worker) on two CPUs. Load: `sluice agent` from the start of its process until it is in step, and its memory; then an agent that tells more, from its first request until everything is in force, and the two parts of it; `bare` lists the same and parses the JSON. Change: the only endpoint of a Service becomes another one, 500 times, while 100 slices of others change a second; from just before the write until the first packet of a new flow goes to the new endpoint. `own` is what follows on the line of the watch, `work` what follows on the wait for the next sync (10 ms apart); `bare` is until a watch that only parses has the line, in turn, under the same churn. New: a Service, then its slice, 100 times, under the churn. Churn: the churn alone; CPU in shares of one. Loop: what timers of 1 ms were apart in the event loop, so that 1 is not late. Outage: from when a killed API server serves again, to the first packet after a change made then. kube-proxy (1.36.2, nftables, three endpoints a Service) was measured on another machine with another API server: not in this run.',
  figures: {
    start: { title: 'start', unit: 's' },
    kubeProxyStart: { title: 'kube-proxy, elsewhere', unit: 's' },
    ready: { title: 'lists to ready', unit: 's' },
    read: { title: 'read', unit: 's' },
    program: { title: 'program', unit: 's' },
    bareLists: { title: 'bare lists', unit: 's' },
    ofBareLists: { title: 'ready of bare lists', unit: '' },
    p50: { title: 'p50', unit: 'ms' },
    p99: { title: 'p99', unit: 'ms' },
    max: { title: 'max', unit: 'ms' },
    own50: { title: 'own p50', unit: 'ms' },
    own99: { title: 'own p99', unit: 'ms' },
    work50: { title: 'work p50', unit: 'ms' },
    work99: { title: 'work p99', unit: 'ms' },
    bare50: { title: 'bare p50', unit: 'ms' },
    bare99: { title: 'bare p99', unit: 'ms' },
    ofBare50: { title: 'p50 of bare', unit: '' },
    ofBare99: { title: 'p99 of bare', unit: '' },
    back: { title: 'first change', unit: 'ms' },
    kubeProxy: { title: 'kube-proxy, elsewhere', unit: 'ms' },
    ofKubeProxy: { title: 'of kube-proxy', unit: '' },
    before: { title: 'RSS before lists', unit: 'MB' },
    resident: { title: 'RSS', unit: 'MB' },
    peak: { title: 'RSS peak', unit: 'MB' },
    huge: { title: 'hugepages', unit: 'MB' },
    kubeProxyMemory: { title: 'kube-proxy, elsewhere', unit: 'MB' },
    loop50: { title: 'loop p50', unit: 'ms' },
    loop99: { title: 'loop p99', unit: 'ms' },
    loopMax: { title: 'loop max', unit: 'ms' },
    cpu: { title: 'CPU', unit: '' },
    mainThread: { title: 'CPU of the event loop', unit: '' },
    rate: { title: 'changes', unit: '/s' },
  },
  panels: [
    { title: 'Start', group: 'load', figures: ['start', 'kubeProxyStart'], scale: 'log' },
    {
      title: 'Resident memory after start',
      group: 'load',
      figures: ['resident', 'kubeProxyMemory'],
    },
    {
      title: 'One endpoint change, until the first packet',
      group: 'change',
      figures: ['p50', 'p99', 'bare50', 'kubeProxy'],
      scale: 'log',
    },
    {
      title: 'A new Service, until the first packet',
      group: 'new',
      figures: ['p50', 'p99', 'kubeProxy'],
      scale: 'log',
    },
    { title: 'Event loop under churn', group: 'churn', figures: ['loop50', 'loop99', 'loopMax'] },
  ],
  points: ({ quick }) =>
    (quick ? [10, 1_000] : [10, 1_000, 10_000]).flatMap((services) => [
      ...(['load', 'change', 'new', 'churn'] as const).map((kind) => pointOf(kind, services)),
      ...(services === 10_000 ? [pointOf('outage', services)] : []),
    ]),
  async round(point, bench) {
    const rig = await bench.agentRig(point.services, PODS_EACH);
    const round = await ROUNDS[point.kind](rig, point, bench);
    if (point.kind !== 'load') await rig.verify((what) => bench.fault(`${point.label}: ${what}`));
    for (const [name, command] of rig.commands) bench.commands.set(name, command);
    return round;
  },
};

type RoundOf = (rig: AgentRig, point: AgentPoint, bench: Bench) => Promise<Round<Key>>;

const ROUNDS: Readonly<Record<Kind, RoundOf>> = {
  load,
  change,
  new: newServices,
  churn,
  outage: async (rig) => ({ back: await rig.outage() }),
};

function pointOf(kind: Kind, services: number): AgentPoint {
  return { kind, services, group: kind, label: `${formatCount(services)} services` };
}

async function load(rig: AgentRig, { services, label }: AgentPoint, bench: Bench) {
  const { shipped, loading, bareLists } = await rig.startAgent((what) =>
    bench.fault(`${label}: ${what}`),
  );
  const { asked, synced, ready, loop } = loading;
  const { before, after } = shipped;
  const start = shipped.ms / 1_000;
  const peer = KUBE_PROXY[services]!;
  return {
    ...{ start, kubeProxyStart: peer.start, ofKubeProxy: start / peer.start },
    ...{ ready: (ready - asked) / 1_000, ofBareLists: (ready - asked) / bareLists },
    ...{ read: (synced - asked) / 1_000, program: (ready - synced) / 1_000 },
    bareLists: bareLists / 1_000,
    ...{ before: before.now, resident: after.now, peak: after.peak, huge: after.huge },
    kubeProxyMemory: peer.memory,
    ...{ loop50: loop.p50, loop99: loop.p99, loopMax: loop.max },
  };
}

async function change(rig: AgentRig, { services, label }: AgentPoint, bench: Bench) {
  const { agent, bare } = await rig.changes(bench.scale.quick ? CHANGES / 5 : CHANGES);
  const stale = agent.reduce((sum, each) => sum + each.stale, 0);
  if (stale > 0) bench.fault(`${label}: ${stale} packets went to an endpoint that had gone`);
  const times = timesOf(agent);
  const own = agent.map(({ line, packet }) => packet - line);
  const work = agent.map(({ taken, packet }) => packet - taken);
  const [bare50, bare99] = [0.5, 0.99].map((share) => percentile(timesOf(bare), share));
  const spread = spreadOf(times);
  const peer = KUBE_PROXY[services]!.change;
  return {
    ...spread,
    ...{ own50: percentile(own, 0.5), own99: percentile(own, 0.99) },
    ...{ work50: percentile(work, 0.5), work99: percentile(work, 0.99) },
    ...{ bare50: bare50!, bare99: bare99! },
    ...{ ofBare50: spread.p50 / bare50!, ofBare99: spread.p99 / bare99! },
    ...{ kubeProxy: peer, ofKubeProxy: spread.p50 / peer },
  };
}

async function newServices(rig: AgentRig, { services }: AgentPoint, { scale }: Bench) {
  const times = await rig.newServices(scale.quick ? NEW_SERVICES / 5 : NEW_SERVICES);
  const spread = spreadOf(times);
  const kubeProxy = KUBE_PROXY[services]!.new;
  return { ...spread, kubeProxy, ofKubeProxy: spread.p50 / kubeProxy };
}

async function churn(rig: AgentRig, _: AgentPoint, { scale }: Bench) {
  const seconds = scale.quick ? scale.seconds : 2 * scale.seconds;
  const { loop, cpu, mainThread, rate } = await rig.churn(seconds);
  return {
    ...{ loop50: loop.p50, loop99: loop.p99, loopMax: loop.max },
    ...{ cpu, mainThread, rate },
  };
}

function timesOf(changes: readonly Change[]): number[] {
  return changes.map(({ written, packet }) => packet - written);
}

function spreadOf(times: readonly number[]): Record<'p50' | 'p99' | 'max', number> {
  const [p50, p99, max] = [0.5, 0.99, 1].map((share) => percentile(times, share));
  return { p50: p50!, p99: p99!, max: max! };
}
