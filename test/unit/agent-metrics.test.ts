// SPDX-License-Identifier: Apache-2.0
import { readFileSync } from 'node:fs';
import test from 'ava';
import { AgentMetrics } from '../../lib/agent/metrics.js';
import type { SyncOutcome } from '../../lib/agent/metrics-kubeproxy.js';
import type { SourceState } from '../../lib/agent/metrics-sources.js';
import { DROP_REASONS } from '../../lib/engine/reasons.js';
import { parseExposition, type ScrapedMetric, sampleValue } from '../support/exposition.js';
import { openProxy, query, service } from '../support/proxy.js';

const NOW = Date.UTC(2026, 10, 28);
const START = NOW - 3_600_000;

function rig(): { metrics: AgentMetrics; clock: { now: number } } {
  const clock = { now: NOW };
  return {
    metrics: new AgentMetrics({ version: '1.2.3', startMs: START, now: () => clock.now }),
    clock,
  };
}

const scraped = async (metrics: AgentMetrics) => parseExposition(await metrics.scrape());

const outcome = (more: Partial<SyncOutcome> = {}): SyncOutcome => ({
  seconds: 0.003,
  full: false,
  services: 0,
  endpoints: 0,
  triggers: [],
  ...more,
});

/** Name, type and labels as the reference page of Kubernetes 1.34 has them. */
const KUBE_PROXY: readonly (readonly [name: string, type: string, labels: readonly string[]])[] = [
  ['network_programming_duration_seconds', 'histogram', ['ip_family']],
  ['proxy_healthz_total', 'counter', ['code']],
  ['proxy_livez_total', 'counter', ['code']],
  ['sync_full_proxy_rules_duration_seconds', 'histogram', ['ip_family']],
  ['sync_partial_proxy_rules_duration_seconds', 'histogram', ['ip_family']],
  ['sync_proxy_rules_duration_seconds', 'histogram', ['ip_family']],
  ['sync_proxy_rules_endpoint_changes_pending', 'gauge', []],
  ['sync_proxy_rules_endpoint_changes_total', 'counter', []],
  ['sync_proxy_rules_last_queued_timestamp_seconds', 'gauge', ['ip_family']],
  ['sync_proxy_rules_last_timestamp_seconds', 'gauge', ['ip_family']],
  ['sync_proxy_rules_nftables_sync_failures_total', 'counter', ['ip_family']],
  ['sync_proxy_rules_no_local_endpoints_total', 'gauge', ['ip_family', 'traffic_policy']],
  ['sync_proxy_rules_service_changes_pending', 'gauge', []],
  ['sync_proxy_rules_service_changes_total', 'counter', []],
];

const SOURCE: SourceState = {
  watches: [
    { kind: 'Service', synced: true, lastContactMs: 1_500, lists: 2, watches: 3, errors: 1 },
    { kind: 'Pod', synced: false, lastContactMs: 0, lists: 1, watches: 0, errors: 0 },
  ],
  counts: { Service: { objects: 10, refused: 2 }, Pod: { objects: 0, refused: 0 } },
  pending: { services: 3, endpoints: 4 },
  aside: 2,
};

test("names, types and labels are kube-proxy's, and all series are there from the beginning", async (t) => {
  const { metrics } = rig();
  metrics.connect({ source: () => SOURCE });
  const all = await scraped(metrics);
  const found = [...all.values()]
    .filter(({ name }) => name.startsWith('kubeproxy_'))
    .map(({ name, type, samples }) => [
      name.slice('kubeproxy_'.length),
      type,
      [...new Set(samples.flatMap(({ labels }) => Object.keys(labels)))]
        .filter((label) => label !== 'le')
        .sort(),
    ])
    .sort(([one], [other]) => (String(one) < String(other) ? -1 : 1));
  t.deepEqual(found as unknown, KUBE_PROXY as unknown);
  for (const ip_family of ['IPv4', 'IPv6']) {
    const of = (name: string, more = {}) =>
      sampleValue(all, `kubeproxy_${name}`, { ip_family, ...more });
    t.is(of('sync_proxy_rules_duration_seconds_count'), 0);
    t.is(of('sync_proxy_rules_nftables_sync_failures_total'), 0);
    t.is(of('sync_proxy_rules_no_local_endpoints_total', { traffic_policy: 'external' }), 0);
  }
});

test("buckets are kube-proxy's", async (t) => {
  const { metrics } = rig();
  const all = await scraped(metrics);
  const bounds = (name: string): number[] =>
    all
      .get(`kubeproxy_${name}`)!
      .samples.filter(({ labels }) => labels['ip_family'] === 'IPv4' && 'le' in labels)
      .map(({ labels }) => Number(labels['le']!.replace('+Inf', 'Infinity')));
  const sync = [
    0.001, 0.002, 0.004, 0.008, 0.016, 0.032, 0.064, 0.128, 0.256, 0.512, 1.024, 2.048, 4.096,
    8.192, 16.384,
  ];
  for (const name of ['sync', 'sync_full', 'sync_partial'])
    t.deepEqual(bounds(`${name === 'sync' ? 'sync' : name}_proxy_rules_duration_seconds`), [
      ...sync,
      Number.POSITIVE_INFINITY,
    ]);
  const programming = bounds('network_programming_duration_seconds');
  t.is(programming.length, 2 + 59 + 12 + 7 + 1);
  t.deepEqual(programming.slice(0, 5), [0.25, 0.5, 1, 2, 3]);
  t.deepEqual(programming.slice(59, 64), [58, 59, 60, 65, 70]);
  t.deepEqual(programming.slice(-9), [115, 120, 150, 180, 210, 240, 270, 300, Infinity]);
});

test('a sync is observed for both families, as what it was', async (t) => {
  const { metrics, clock } = rig();
  metrics.queued();
  clock.now += 500;
  metrics.synced(
    outcome({
      full: true,
      seconds: 1.5,
      services: 7,
      endpoints: 9,
      noLocalEndpoints: {
        IPv4: { internal: 1, external: 2 },
        IPv6: { internal: 3, external: 4 },
      },
    }),
    { services: 7, backends: 70 },
  );
  metrics.synced(outcome({ endpoints: 1 }));
  metrics.failed({ seconds: 0.5, full: false });
  const all = await scraped(metrics);
  for (const [ip_family, internal, external] of [
    ['IPv4', 1, 2],
    ['IPv6', 3, 4],
  ] as const) {
    const of = (name: string, more = {}) =>
      sampleValue(all, `kubeproxy_${name}`, { ip_family, ...more });
    t.is(of('sync_proxy_rules_duration_seconds_count'), 3);
    t.is(of('sync_proxy_rules_duration_seconds_sum'), 2.003);
    t.is(of('sync_proxy_rules_duration_seconds_bucket', { le: '0.004' }), 1);
    t.is(of('sync_full_proxy_rules_duration_seconds_count'), 1);
    t.is(of('sync_partial_proxy_rules_duration_seconds_count'), 2);
    t.is(of('sync_proxy_rules_last_queued_timestamp_seconds'), NOW / 1_000);
    t.is(of('sync_proxy_rules_last_timestamp_seconds'), NOW / 1_000 + 0.5);
    t.is(of('sync_proxy_rules_nftables_sync_failures_total'), 1);
    t.is(of('sync_proxy_rules_no_local_endpoints_total', { traffic_policy: 'internal' }), internal);
    t.is(of('sync_proxy_rules_no_local_endpoints_total', { traffic_policy: 'external' }), external);
  }
  t.is(sampleValue(all, 'kubeproxy_sync_proxy_rules_service_changes_total'), 7);
  t.is(sampleValue(all, 'kubeproxy_sync_proxy_rules_endpoint_changes_total'), 10);
  t.is(sampleValue(all, 'sluice_services'), 7);
  t.is(sampleValue(all, 'sluice_backends'), 70);
  t.is(sampleValue(all, 'sluice_build_info', { version: '1.2.3' }), 1);
});

test('programming latency: from the trigger on, without what was there before the process', async (t) => {
  const { metrics } = rig();
  metrics.synced(outcome({ triggers: [START - 1, START, NOW - 400, NOW + 5_000] }));
  const all = await scraped(metrics);
  for (const ip_family of ['IPv4', 'IPv6']) {
    const of = (name: string, more = {}) =>
      sampleValue(all, `kubeproxy_network_programming_duration_seconds_${name}`, {
        ip_family,
        ...more,
      });
    t.is(of('count'), 3);
    t.is(of('sum'), 3_600.4, 'a clock that is ahead counts as no time');
    t.is(of('bucket', { le: '0.25' }), 1);
    t.is(of('bucket', { le: '0.5' }), 2);
    t.is(of('bucket', { le: '300' }), 2);
  }
});

test('answers and requests are counted by code', async (t) => {
  const { metrics } = rig();
  metrics.answered('healthz', 200);
  metrics.answered('healthz', 503);
  metrics.answered('healthz', 503);
  metrics.answered('livez', 200);
  const request = { method: 'GET', host: '10.96.0.1:443', seconds: 0.2 };
  metrics.requested({ ...request, status: 200 });
  metrics.requested({ ...request, status: null });
  const all = await scraped(metrics);
  const answers = (path: string, code: string) =>
    sampleValue(all, `kubeproxy_proxy_${path}_total`, { code });
  t.deepEqual(
    [
      answers('healthz', '200'),
      answers('healthz', '503'),
      answers('livez', '200'),
      answers('livez', '503'),
    ],
    [1, 2, 1, 0],
  );
  const { host, method } = request;
  t.is(sampleValue(all, 'rest_client_requests_total', { code: '200', host, method }), 1);
  t.is(sampleValue(all, 'rest_client_requests_total', { code: '<error>', host, method }), 1);
  t.is(sampleValue(all, 'rest_client_request_duration_seconds_count', { host, verb: 'GET' }), 2);
});

test('what comes from the API server is read when it is asked for', async (t) => {
  const { metrics } = rig();
  let state: SourceState = SOURCE;
  metrics.connect({ source: () => state });
  let all = await scraped(metrics);
  const of = (name: string, kind: string) => sampleValue(all, `sluice_source_${name}`, { kind });
  t.is(sampleValue(all, 'kubeproxy_sync_proxy_rules_service_changes_pending'), 3);
  t.is(sampleValue(all, 'kubeproxy_sync_proxy_rules_endpoint_changes_pending'), 4);
  t.deepEqual(
    ['synced', 'lists_total', 'watches_total', 'errors_total', 'objects', 'refused_objects'].map(
      (name) => [of(name, 'Service'), of(name, 'Pod')],
    ),
    [
      [1, 0],
      [2, 1],
      [3, 0],
      [1, 0],
      [10, 0],
      [2, 0],
    ],
  );
  t.is(of('last_contact_timestamp_seconds', 'Service'), 1.5);
  t.is(sampleValue(all, 'sluice_source_unprogrammed_members'), 2);
  t.is(of('last_contact_timestamp_seconds', 'Pod'), null, 'never');
  state = { ...SOURCE, watches: [SOURCE.watches[0]!], pending: { services: 0, endpoints: 0 } };
  all = await scraped(metrics);
  t.is(of('lists_total', 'Service'), 2, 'read, and not added');
  t.is(of('lists_total', 'Pod'), null, 'what has gone is not shown any more');
  t.is(sampleValue(all, 'kubeproxy_sync_proxy_rules_service_changes_pending'), 0);
});

test('the data plane: counters of a real proxy', async (t) => {
  const proxy = await openProxy();
  const { metrics } = rig();
  metrics.connect({ dataplane: () => ({ engine: proxy.engine.kind, stats: proxy.stats() }) });
  await proxy.apply({ services: [service('dns', 10, ['10.1.0.7'])] });
  proxy.interfaces.send('up', [query(10, 1_001), query(10, 1_002), query(99, 1_003)]);
  proxy.step(1);
  const all = await scraped(metrics);
  const of = (name: string, labels = {}) => sampleValue(all, `sluice_dataplane_${name}`, labels);
  const stats = proxy.stats();
  t.is(of('info', { engine: 'software' }), 1);
  t.is(of('generation'), stats.generation);
  t.is(of('interface_packets_total', { interface: 'up', direction: 'rx' }), 3);
  t.is(of('interface_packets_total', { interface: 'pods', direction: 'tx' }), 2);
  const sent = stats.interfaces.find(({ name }) => name === 'pods')!.txBytes;
  t.true(sent > 0);
  t.is(of('interface_bytes_total', { interface: 'pods', direction: 'tx' }), sent);
  t.is(of('interface_up', { interface: 'up' }), 1);
  t.is(of('received_packets_total'), 3);
  t.is(of('packets_total', { fate: 'forwarded' }), 2);
  t.is(of('packets_total', { fate: 'dropped' }), 1);
  const reasons = all.get('sluice_dataplane_dropped_packets_total')!.samples;
  t.is(reasons.length, DROP_REASONS.length);
  t.is(
    reasons.reduce((sum, { value }) => sum + value, 0),
    1,
  );
  t.is(of('flows'), 2);
  t.is(of('flows_created_total'), 2);
  t.is(of('table_used', { table: 'flows' }), 2);
  t.is(of('table_limit', { table: 'flows' }), 4_096);
  t.is(of('worker_table_used', { worker: '0', table: 'fragment_packets' }), 0);
  t.is(of('worker_received_packets_total', { worker: '0' }), 3);
  t.true(
    of('worker_polls_total', { worker: '0' })! >= of('worker_busy_polls_total', { worker: '0' })!,
  );
  t.true(of('worker_busy_polls_total', { worker: '0' })! >= 1);

  await proxy.close();
  const after = await scraped(metrics);
  t.is(sampleValue(after, 'sluice_dataplane_flows'), null, 'a closed proxy counts nothing');
  t.is(sampleValue(after, 'sluice_build_info', { version: '1.2.3' }), 1);
});

test('series do not grow with services and backends', async (t) => {
  const proxy = await openProxy();
  const { metrics } = rig();
  metrics.connect({ dataplane: () => ({ engine: 'software', stats: proxy.stats() }) });
  const series = async () =>
    [...(await scraped(metrics)).values()]
      .filter(({ name }) => /^(sluice|kubeproxy)_/.test(name))
      .reduce((sum, { samples }) => sum + samples.length, 0);
  const before = await series();
  await proxy.apply({
    services: Array.from({ length: 20 }, (_, at) => service(`s${at}`, at + 1, ['10.1.0.7'])),
  });
  proxy.interfaces.send('up', [query(3, 1_001)]);
  proxy.step(1);
  t.is(await series(), before);
  await proxy.close();
});

test('a scrape is of one moment, whatever goes on meanwhile', async (t) => {
  const proxy = await openProxy();
  const { metrics } = rig();
  metrics.connect({
    dataplane: () => ({ engine: 'software', stats: proxy.stats() }),
    source: () => SOURCE,
  });
  await proxy.apply({ services: [service('dns', 10, ['10.1.0.7'])] });
  let steps = 0;
  const traffic = async (): Promise<void> => {
    for (let more = 0; more < 20; more++) {
      steps++;
      proxy.interfaces.send('up', [query(10, 1_000 + (steps % 1_000)), query(99, 1)]);
      proxy.step(steps);
      metrics.synced(outcome({ triggers: [NOW - 10] }));
      await null;
    }
  };
  for (let round = 0; round < 20; round++) {
    let left = 2;
    const one = (): Promise<ReadonlyMap<string, ScrapedMetric>> =>
      scraped(metrics).finally(() => left--);
    const scrapes = [one()];
    const going = traffic();
    await null;
    scrapes.push(one());
    await null;
    t.is(left, 2, 'packets come while both scrapes are under way');
    await going;
    for (const all of await Promise.all(scrapes)) {
      const fates = all
        .get('sluice_dataplane_packets_total')!
        .samples.reduce((sum, { value }) => sum + value, 0);
      const held = sampleValue(all, 'sluice_dataplane_held_packets')!;
      t.is(fates + held, sampleValue(all, 'sluice_dataplane_received_packets_total')!);
      const dropped = all
        .get('sluice_dataplane_dropped_packets_total')!
        .samples.reduce((sum, { value }) => sum + value, 0);
      t.is(dropped, sampleValue(all, 'sluice_dataplane_packets_total', { fate: 'dropped' })!);
    }
  }
  await proxy.close();
});

test('two of them share nothing', async (t) => {
  const [one, other] = [rig().metrics, rig().metrics];
  one.failed({ seconds: 1, full: true });
  const failures = (all: Awaited<ReturnType<typeof scraped>>) =>
    sampleValue(all, 'kubeproxy_sync_proxy_rules_nftables_sync_failures_total', {
      ip_family: 'IPv4',
    });
  t.is(failures(await scraped(one)), 1);
  t.is(failures(await scraped(other)), 0);
});

test('names follow the conventions: base units, counters and nothing else end in _total', async (t) => {
  const { metrics } = rig();
  for (const { name, type } of (await scraped(metrics)).values()) {
    if (!name.startsWith('sluice_')) continue;
    t.is(name.endsWith('_total'), type === 'counter', name);
    t.notRegex(name, /(_ms|milli|micro|_kb|_mb|percent)/);
  }
});

test('the reference has every metric, and no other', (t) => {
  const { metrics } = rig();
  const page = readFileSync(new URL('../../docs/reference/metrics.md', import.meta.url), 'utf8');
  const documented = page
    .split('\n')
    .map((line) => line.split('|').map((cell) => cell.trim()))
    .filter((cells) => cells.length === 6 && /^`[a-z_0-9]+`$/.test(cells[1]!))
    .map(([, name, type, labels, help]) => ({
      name: name!.replaceAll('`', ''),
      type,
      labels: labels!.replaceAll('`', ''),
      help,
    }));
  const registered = metrics.registry.getMetricsAsArray().map((metric) => {
    const { name, type, help, labelNames } = metric as unknown as {
      name: string;
      type: string;
      help: string;
      labelNames: string[];
    };
    return { name, type, labels: labelNames.join(', '), help };
  });
  const sorted = <T extends { name: string }>(list: T[]): T[] =>
    list.sort((one, other) => (one.name < other.name ? -1 : 1));
  t.deepEqual(sorted(documented) as unknown, sorted(registered) as unknown);
});
