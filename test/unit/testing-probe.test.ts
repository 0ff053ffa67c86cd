// SPDX-License-Identifier: Apache-2.0
import test from 'ava';
import { Network, type ProbeResult, SluiceError } from '../../lib/testing/index.js';
import { service, workload } from '../support/network.js';

const HTTP = [{ name: 'http', containerPort: 8080 }];

function shop(nodes = 3): Network {
  return Network.from(
    [
      workload('shop/web', { replicas: 2, ports: HTTP }),
      workload('shop/cart', { replicas: 3, ports: HTTP }),
      workload('shop/dns', { ports: [{ containerPort: 53, protocol: 'UDP' }] }),
      service('shop/web', [{ name: 'http', port: 80, targetPort: 'http' }], {
        type: 'LoadBalancer',
      }),
      service('shop/cart', [{ name: 'http', port: 80, targetPort: 8080 }]),
      service('shop/carts', [{ name: 'http', port: 80, targetPort: 8080 }], {
        clusterIP: 'None',
        selector: { app: 'cart' },
      }),
      service('shop/nobodies', [{ port: 80 }], { clusterIP: 'None' }),
      service('shop/empty', [{ port: 80 }], { selector: { app: 'nobody' } }),
      service('shop/dns', [
        { name: 'udp', port: 53, protocol: 'UDP' },
        { name: 'tcp', port: 53 },
      ]),
      service('shop/local', [{ port: 80, targetPort: 8080 }], {
        type: 'NodePort',
        externalTrafficPolicy: 'Local',
        selector: { app: 'web' },
      }),
      service('shop/bank', [{ port: 443 }], { type: 'ExternalName', externalName: 'bank.example' }),
    ],
    { nodes },
  );
}

const pods = ({ backends }: ProbeResult) => backends.map((backend) => backend.pod);

test('a service: every backend, its share of the Maglev table, and the source that it sees', async (t) => {
  const net = shop();
  const result = await net.probe({ from: 'shop/web', to: 'cart.shop:80' });
  t.like(result, { verdict: 'allowed', reason: null, protocol: 'TCP' });
  t.deepEqual(pods(result), ['shop/cart-1', 'shop/cart-2', 'shop/cart-3']);
  t.is(
    result.backends.reduce((sum, { share }) => sum + share, 0),
    1,
  );
  for (const { share } of result.backends) t.true(Math.abs(share - 1 / 3) < 0.01, String(share));
  // The table of three has 1,021 places: shares are whole numbers of them.
  for (const { share } of result.backends) t.true(Number.isInteger(share * 1_021));
  const client = net.pods.find(({ name }) => name === 'web-1')!;
  for (const { source, masquerade } of result.backends) {
    t.is(source, client.addresses[0]);
    t.false(masquerade);
  }
  t.regex(result.text[1]!, /^ {2}33\.[0-9] % to shop\/cart-1 \([0-9.]+:8080 on node-1\): allowed$/);
});

test('what leaves for another node is asked there as well', async (t) => {
  const { backends } = await shop().probe({ from: 'shop/web', to: 'cart.shop:80' });
  const legs = backends.map(({ node, legs }) => [node, legs.map((leg) => leg.node)]);
  const [here] = legs[0]![1] as string[];
  for (const [node, way] of legs) t.deepEqual(way, node === here ? [here] : [here, node]);
});

test('a port by name, a namespace left out, a long name, the protocol of the port', async (t) => {
  const net = shop();
  for (const to of ['cart:http', 'cart', 'cart.shop.svc:80', 'cart.shop.svc.cluster.local:80']) {
    t.is((await net.probe({ from: 'shop/web', to })).verdict, 'allowed', to);
  }
  t.like(await net.probe({ from: 'shop/web', to: 'dns:53' }), { protocol: 'UDP' });
  t.like(await net.probe({ from: 'shop/web', to: 'dns:53', protocol: 'TCP' }), { protocol: 'TCP' });
  t.like(await net.probe({ from: 'shop/web', to: 'dns:53/TCP' }), { protocol: 'TCP' });
});

test('hairpin: a pod that is its own backend is masqueraded', async (t) => {
  const net = shop();
  const { backends } = await net.probe({ from: 'shop/cart-2', to: 'cart.shop:80' });
  t.deepEqual(
    backends.map(({ masquerade }) => masquerade),
    [false, true, false],
  );
  t.is(backends[1]!.source, net.nodes[1]!.addresses[0]);
});

test('headless: the addresses that a resolver gives, each as often; the port as it is asked for', async (t) => {
  const net = shop();
  const byName = await net.probe({ from: 'shop/web', to: 'carts.shop:http' });
  t.deepEqual(pods(byName), ['shop/cart-1', 'shop/cart-2', 'shop/cart-3']);
  t.deepEqual(
    byName.backends.map(({ port, share }) => [port, share]),
    [
      [8080, 1 / 3],
      [8080, 1 / 3],
      [8080, 1 / 3],
    ],
  );
  const { backends } = await net.probe({ from: 'shop/web', to: 'carts.shop:80' });
  t.deepEqual(
    backends.map(({ port }) => port),
    [80, 80, 80],
  );
});

test('pods, nodes and addresses', async (t) => {
  const net = shop();
  const direct = await net.probe({ from: 'shop/web', to: 'shop/cart-2:8080' });
  t.like(direct, { verdict: 'allowed' });
  t.like(direct.backends[0], { pod: 'shop/cart-2', node: 'node-2', share: 1 });
  t.like(await net.probe({ from: 'shop/web', to: 'shop/cart:http' }), { verdict: 'allowed' });
  t.like(await net.probe({ from: 'node/node-1', to: 'cart.shop:80' }), { verdict: 'allowed' });
  const away = await net.probe({ from: 'shop/web', to: '203.0.113.9:443' });
  t.like(away.backends[0], { pod: null, node: null, address: '203.0.113.9', port: 443 });
  t.like(await net.probe({ from: 'shop/web', to: 'shop/cart' }), {
    protocol: 'ICMP',
    verdict: 'allowed',
  });
  const [address] = net.pods[0]!.addresses;
  t.deepEqual(
    (await net.probe({ from: address!, to: 'cart.shop:80' })).backends,
    (await net.probe({ from: 'shop/cart-1', to: 'cart.shop:80' })).backends,
  );
});

test('from outside: load balancer, node port, masquerade, local endpoints', async (t) => {
  const net = shop();
  const balanced = await net.probe({ from: '203.0.113.9', to: 'web.shop:80' });
  t.like(balanced, { verdict: 'allowed' });
  t.deepEqual(pods(balanced), ['shop/web-1', 'shop/web-2']);
  for (const { source, masquerade } of balanced.backends) {
    t.true(masquerade);
    t.is(source, net.nodes[0]!.addresses[0]);
  }
  const { nodePort } = net.services.find(({ name }) => name === 'local')!.ports[0]!;
  const seen = net.nodes.map(({ name }) =>
    net.probe({ from: '203.0.113.9', to: `node/${name}:${nodePort}` }),
  );
  const local = await Promise.all(seen);
  const withPods = net.nodes.map(
    ({ name }) => net.pods.filter((each) => each.workload === 'web' && each.node === name).length,
  );
  t.deepEqual(
    local.map(({ verdict }) => verdict),
    withPods.map((n) => (n > 0 ? 'allowed' : 'dropped')),
  );
  for (const { verdict, backends, reason } of local) {
    if (verdict === 'allowed') t.like(backends[0], { source: '203.0.113.9', share: 1 });
    else t.is(reason, 'no_local_backend');
  }
});

test('what is not reachable says why', async (t) => {
  const net = shop();
  const probe = (to: string) => net.probe({ from: 'shop/web', to });
  t.like(await probe('empty.shop:80'), { verdict: 'rejected', reason: 'no_backend', backends: [] });
  t.like(await probe('cart.shop:81'), { verdict: 'rejected', reason: 'service_port_unknown' });
  const nowhere = await probe('nobodies.shop:80');
  t.like(nowhere, { verdict: 'no-route', reason: null, backends: [] });
  t.is(nowhere.text[1], '  there is no backend that it could go to');
});

const MISTAKES: readonly (readonly [input: object, error: RegExp])[] = [
  [
    { from: 'shop/webb', to: 'cart.shop:80' },
    /^from: there is no pod or workload "shop\/webb"; did you mean shop\/web\?$/,
  ],
  [{ from: 'web', to: 'cart.shop:80' }, /^from: expected NAMESPACE\/POD, /],
  [
    { from: 'node/node-9', to: 'cart.shop:80' },
    /^from: there is no node "node-9"; did you mean node-1\?$/,
  ],
  [
    { from: 'shop/web', to: 'carrt.shop:80' },
    /^to: there is no service carrt\.shop; did you mean cart\.shop\?$/,
  ],
  [{ from: '203.0.113.9', to: 'cart:80' }, /^to: expected SERVICE\.NAMESPACE:PORT, /],
  [
    { from: 'shop/web', to: 'cart:https' },
    /^to: cart\.shop has no port "https": its ports are http$/,
  ],
  [
    { from: 'shop/web', to: 'dns.shop' },
    /^to: expected a port behind the service's name \(udp, tcp\), found none$/,
  ],
  [
    { from: 'shop/web', to: 'shop/cart:0' },
    /^to: expected a port number from 1 to 65,535, found 0$/,
  ],
  [
    { from: 'shop/web', to: 'cart:80', protocol: 'ICMP' },
    /^to: expected no port \(echo has none\)$/,
  ],
  [{ from: 'shop/web', to: 'bank.shop:443' }, /^to: bank\.shop is an ExternalName: /],
  [
    { from: 'shop/web', to: '[fd00::1]:80' },
    /^to: the sender and the destination have no family in common /,
  ],
  [
    { from: 'shop/web', to: 'dns:53/TCP', protocol: 'UDP' },
    /^to: expected UDP, as was asked for, or no protocol, found/,
  ],
  [{ from: 'shop/web', to: 'cart:80', port: 80 }, /^port: unknown key "port"/],
  [{ to: 'cart:80' }, /^from: expected NAMESPACE\/POD, .*, found nothing$/],
];

for (const [input, error] of MISTAKES) {
  test(`refused: ${JSON.stringify(input)}`, async (t) => {
    const thrown = await t.throwsAsync(shop(1).probe(input as never), { instanceOf: SluiceError });
    t.is(thrown.code, 'ERR_OPTIONS');
    t.regex(thrown.message, error);
  });
}

test('the matrix: workloads by service ports, as text a table of expectations', async (t) => {
  const net = shop();
  const matrix = await net.matrix({
    from: ['shop/web', 'shop/cart'],
    to: ['cart.shop:80', 'empty.shop:80'],
  });
  t.is(
    String(matrix),
    [
      'FROM       cart.shop:80  empty.shop:80',
      'shop/web   +             rejected',
      'shop/cart  +             rejected',
    ].join('\n'),
  );
  t.is(matrix.get('shop/web', 'cart.shop:80')?.verdict, 'allowed');
  t.is(matrix.get('shop/web', 'nobody'), undefined);
  await t.notThrowsAsync(net.expectTable(String(matrix)));
  const other = String(matrix).replace('+', '-');
  const differences = matrix.compare(other).filter(({ difference }) => difference !== null);
  t.deepEqual(
    differences.map(({ result }) => result.from),
    ['shop/web'],
  );
  t.throws(() => matrix.compare('FROM  web.shop:80\nshop/web  +'), {
    code: 'ERR_OPTIONS',
    message: 'table: shop/web -> web.shop:80 was not asked',
  });
  const whole = await net.matrix();
  t.deepEqual(whole.sources, ['shop/cart', 'shop/dns', 'shop/web']);
  t.true(whole.destinations.includes('dns.shop:53/UDP'));
  const byPod = await net.matrix({ by: 'pods', ports: [8080] });
  t.is(byPod.sources.length, 6);
  t.deepEqual(byPod.destinations[0], 'shop/cart-1:8080');
  await t.throwsAsync(net.matrix({ to: [], ports: [80] }), { message: /leave to or ports out/ });
});

test('a closed network is closed', async (t) => {
  const net = shop(1);
  await net.probe({ from: 'shop/web', to: 'cart:80' });
  await net.close();
  await t.throwsAsync(net.probe({ from: 'shop/web', to: 'cart:80' }), { code: 'ERR_CLOSED' });
});

test('100 pods by 20 services on 24 nodes within seconds', async (t) => {
  const names = Array.from({ length: 20 }, (_, index) => `app/s${index + 10}`);
  const net = Network.from(
    names.flatMap((name) => [workload(name, { replicas: 5 }), service(name, [{ port: 80 }])]),
    { nodes: 24 },
  );
  const start = performance.now();
  const matrix = await net.matrix({ by: 'pods' });
  const seconds = (performance.now() - start) / 1_000;
  t.is(matrix.results.length, 2_000);
  t.true(
    matrix.results.every(({ verdict, backends }) => verdict === 'allowed' && backends.length === 5),
  );
  t.log(`${seconds.toFixed(1)} s`);
  t.true(seconds < 60, `${seconds} s`);
});
