// SPDX-License-Identifier: Apache-2.0
import test from 'ava';
import { abandonedNames } from '../../lib/cli/demo/abandoned.js';
import {
  answeredCheck,
  brokenOff,
  cleanUpCheck,
  countsCheck,
  fatesCheck,
  serviceOutcomes,
  spreadCheck,
} from '../../lib/cli/demo/checks.js';
import { crop, formatMoment } from '../../lib/cli/demo/live-table.js';
import { fatesOutcome, formatJson, formatReport, holds } from '../../lib/cli/demo/outcome.js';
import { podAt, targetOf } from '../../lib/cli/demo/shop.js';
import { echoCpu, parseCpuList } from '../../lib/cli/demo/testpmd.js';
import { runWindow } from '../../lib/cli/demo/window.js';
import { type Answers, addAnswers, count, noAnswers } from '../../lib/cli/demo/world.js';
import type { Fates, Stats } from '../../lib/observe/stats.js';
import type { ServiceView } from '../../lib/observe/views.js';

const PODS = ['web-1', 'web-2', 'web-3'];

function answersOf(sent: number, byPod: Record<string, number>): Answers {
  const answers = noAnswers(sent);
  for (const [pod, answered] of Object.entries(byPod)) count(answers, pod, answered);
  return answers;
}

function webView(connections: readonly number[]): ServiceView[] {
  const backends = connections.map((each, index) => ({
    address: `10.1.${index + 1}.2`,
    port: 8080,
    weight: 1,
    state: 'active' as const,
    connections: each,
  }));
  const total = connections.reduce((sum, each) => sum + each, 0);
  return [
    {
      namespace: 'default',
      name: 'web',
      addresses: ['10.96.0.10'],
      externalIPs: [],
      loadBalancer: { addresses: [], sourceRanges: [] },
      internalTrafficPolicy: 'Cluster',
      externalTrafficPolicy: 'Cluster',
      affinitySeconds: 0,
      ports: [
        { name: 'http', protocol: 'TCP', port: 80, nodePort: 0, connections: total, backends },
      ],
    },
  ];
}

const NOTHING = { used: 0, limit: 1 };

const FATES: Fates = {
  rx: 110,
  forwarded: 100,
  answered: 7,
  host: 0,
  held: 0,
  tx: 107,
  dropped: 3,
  drops: { arp_absorbed: 3 },
};

test('answered: all of them, by the right pods, and at least one', (t) => {
  t.true(answeredCheck('x', answersOf(3, { 'web-1': 1, 'web-2': 2 }), PODS).ok);
  t.false(answeredCheck('x', answersOf(4, { 'web-1': 1, 'web-2': 2 }), PODS).ok);
  t.false(answeredCheck('x', answersOf(0, {}), PODS).ok);
  const strange = answeredCheck('x', answersOf(2, { 'web-1': 1, other: 1 }), PODS);
  t.false(strange.ok);
  t.regex(strange.detail, /2 of 2 .*unexpected: other/);
});

test('spread: every backend between 23 % and 43 %', (t) => {
  const spread = (a: number, b: number, c: number): boolean =>
    spreadCheck('x', answersOf(600, { 'web-1': a, 'web-2': b, 'web-3': c }), PODS).ok;
  t.true(spread(200, 200, 200));
  t.true(spread(138, 204, 258));
  t.false(spread(137, 205, 258));
  t.false(spread(140, 201, 259));
  t.false(spread(300, 300, 0));
  t.false(spread(0, 0, 0));
});

test('counts: pod by pod, the answers are the connections of the engine', (t) => {
  const answers = answersOf(6, { 'web-1': 1, 'web-2': 2, 'web-3': 3 });
  t.true(countsCheck('x', answers, webView([1, 2, 3]), 'web').ok);
  t.false(countsCheck('x', answers, webView([2, 1, 3]), 'web').ok);
  t.false(countsCheck('x', answers, webView([1, 2, 3]), 'other').ok);
});

test('fates: received packets are sent or dropped, none waits', (t) => {
  t.true(fatesCheck(FATES).ok);
  t.false(fatesCheck({ ...FATES, rx: 111 }).ok);
  t.false(fatesCheck({ ...FATES, held: 1, forwarded: 99 }).ok);
  t.false(fatesCheck({ ...FATES, rx: 0, forwarded: 0, answered: 0, dropped: 0 }).ok);
  const { rx, tx, drops } = fatesOutcome(FATES);
  t.is(rx, tx + Object.values(drops).reduce((sum, each) => sum + each, 0));
});

test('the outcome holds if every check does', (t) => {
  const outcome = {
    engine: 'software' as const,
    why: 'because',
    services: [],
    fates: fatesOutcome(FATES),
  };
  const good = cleanUpCheck([], '4 namespaces');
  t.true(holds({ ...outcome, checks: [good] }));
  t.false(holds({ ...outcome, checks: [good, cleanUpCheck(['a tap'], '')] }));
  t.false(holds({ ...outcome, checks: [brokenOff(new Error('no')), good] }));
  t.false(holds({ ...outcome, checks: [] }));
});

test('the JSON is one line of the agreed shape', (t) => {
  const answers = answersOf(6, { 'web-1': 1, 'web-2': 2, 'web-3': 3 });
  const services = serviceOutcomes(webView([1, 2, 3]), [
    { target: targetOf(webView([]), 'web'), answers },
  ]);
  const outcome = {
    engine: 'dpdk' as const,
    why: 'because',
    checks: [brokenOff('gone')],
    services,
    fates: fatesOutcome(FATES),
  };
  const text = formatJson(outcome);
  t.false(text.includes('\n'));
  t.deepEqual(JSON.parse(text), {
    engine: 'dpdk',
    why: 'because',
    checks: [{ name: 'run to the end', ok: false, detail: 'gone' }],
    services: [
      {
        name: 'web',
        address: '10.96.0.10',
        port: 80,
        protocol: 'TCP',
        requests: 6,
        backends: [
          { address: '10.1.1.2', port: 8080, requests: 1 },
          { address: '10.1.2.2', port: 8080, requests: 2 },
          { address: '10.1.3.2', port: 8080, requests: 3 },
        ],
      },
    ],
    fates: { rx: 110, tx: 107, drops: { arp_absorbed: 3 } },
  });
  const report = formatReport(outcome);
  t.regex(report, /10\.1\.3\.2:8080 +3 +50\.0 %/);
  t.regex(report, /run to the end +FAILED +gone/);
  t.regex(report, /Not every check holds/);
});

test('answers add up', (t) => {
  const total = answersOf(2, { 'web-1': 2 });
  addAnswers(total, answersOf(3, { 'web-1': 1, 'web-2': 1 }));
  t.deepEqual(
    [total.sent, total.answered, Object.fromEntries(total.byPod)],
    [5, 4, { 'web-1': 3, 'web-2': 1 }],
  );
});

test('the live table shows counts, shares and rates, and fits the screen', (t) => {
  const stats = (rxPackets: number): Stats => ({
    generation: 1,
    fates: FATES,
    workers: [],
    interfaces: [
      { name: 'client', up: true, rxPackets, rxBytes: 0, txPackets: rxPackets * 2, txBytes: 0 },
    ],
    flows: { count: 5, capacity: 100, created: 6, expired: 1, evicted: 0, cleared: 0 },
    occupancy: {
      flows: { used: 5, limit: 100 },
      flows6: NOTHING,
      affinities: NOTHING,
      neighbours: NOTHING,
      routes: NOTHING,
      frontends: NOTHING,
      backends: NOTHING,
      pools: NOTHING,
    },
  });
  const services = webView([1, 2, 1]);
  const before = { atMs: 1_000, services, stats: stats(10) };
  const text = formatMoment('Title', { atMs: 1_500, services, stats: stats(30) }, before);
  t.regex(text, /10\.1\.2\.2:8080 +web-2 +2 +50\.0 %/);
  t.regex(text, /client +up +30 +40 +60 +80/);
  t.regex(text, /5 of 100/);
  t.regex(text, /3 arp_absorbed/);
  const cropped = crop(text, 20, 5).split('\n');
  t.is(cropped.length, 4);
  t.true(cropped.every((line) => line.length < 20));
});

test('pods and services are found by what is known of them', (t) => {
  t.is(podAt('10.1.2.2'), 'web-2');
  t.is(podAt('10.2.2.2'), 'echo-vhost');
  t.is(podAt('10.9.9.9'), '10.9.9.9');
  t.throws(() => targetOf([], 'web'), { message: /no service web/ });
});

test('the echo processes keep off the CPU of the worker', (t) => {
  t.deepEqual(parseCpuList('0-2,5'), [0, 1, 2, 5]);
  t.deepEqual([echoCpu([0, 1], 0), echoCpu([0, 1], 1)], [0, 0]);
  t.deepEqual([echoCpu([0, 1, 2, 3], 0), echoCpu([0, 1, 2, 3], 1)], [0, 1]);
  t.is(echoCpu([3], 1), 3);
});

test('only what belongs to a dead demo is abandoned', (t) => {
  const names = ['sluice-demo-1-web-1', 'sluice-demo-22-web-1', 'sluice-demo-x', 'other-22-a'];
  t.deepEqual(
    abandonedNames(names, (pid) => pid === '1'),
    ['sluice-demo-22-web-1'],
  );
});

test('a window runs every task once, and no more than its width at a time', async (t) => {
  const done: number[] = [];
  let now = 0;
  let most = 0;
  await runWindow(20, 3, async (index) => {
    most = Math.max(most, ++now);
    await new Promise((resolve) => setImmediate(resolve));
    now--;
    done.push(index);
  });
  t.deepEqual(
    done.toSorted((a, b) => a - b),
    Array.from({ length: 20 }, (_, index) => index),
  );
  t.is(most, 3);
});
