// SPDX-License-Identifier: Apache-2.0
import test from 'ava';
import { Network } from '../../lib/testing/index.js';
import { clusterPolicy, networkPolicy, node, service, workload } from '../support/network.js';

const HTTP = [{ name: 'http', containerPort: 8080 }];
const OPEN = [{ port: 80, targetPort: 'http' }];

/** `web` on n1 speaks to `cart` on n1 and n2. */
const SHOP = [
  node('n1'),
  node('n2'),
  workload('shop/web', { pod: { nodeName: 'n1' } }),
  workload('shop/cart', { kind: 'DaemonSet', ports: HTTP }),
  service('shop/cart', OPEN),
];

const from = (app: string) => ({ from: [{ podSelector: { matchLabels: { app } } }] });
const to = (app: string) => ({ to: [{ podSelector: { matchLabels: { app } } }] });
const WEB_TO_CART = { from: 'shop/web', to: 'cart.shop:80' };

test('the rule that lets through is named, of both directions, on the node that asked', async (t) => {
  const net = Network.from([
    ...SHOP,
    networkPolicy('shop/web', { app: 'web', egress: [to('mail'), to('cart')] }),
    networkPolicy('shop/cart', { app: 'cart', ingress: [from('web')] }),
  ]);
  const { verdict, backends, text } = await net.probe(WEB_TO_CART);
  t.is(verdict, 'allowed');
  t.deepEqual(
    backends.map(({ pod, egress, ingress }) => [pod, egress, ingress]),
    ['n1', 'n2'].map((name) => [
      `shop/cart-${name}`,
      {
        direction: 'egress',
        node: 'n1',
        allowed: true,
        policies: ['NetworkPolicy shop/web'],
        rule: 1,
        name: null,
      },
      {
        direction: 'ingress',
        node: name,
        allowed: true,
        policies: ['NetworkPolicy shop/cart'],
        rule: 0,
        name: null,
      },
    ]),
  );
  t.is(text[2], '    egress passes at n1: rule egress[1] of NetworkPolicy shop/web accepts it');
});

test('egress is judged where the sender is, ingress where the receiver is', async (t) => {
  const denied = async (policy: object) => {
    const { verdict, reason, backends } = await Network.from([...SHOP, policy]).probe(WEB_TO_CART);
    t.is(verdict, 'denied');
    return [reason, ...backends.map(({ legs }) => legs.map((leg) => leg.node).join())];
  };
  const egress = await denied(networkPolicy('shop/web', { app: 'web', egress: [] }));
  t.deepEqual(egress, ['policy_denied_egress', 'n1', 'n1']);
  const ingress = await denied(networkPolicy('shop/cart', { app: 'cart', ingress: [] }));
  t.deepEqual(ingress, ['policy_denied_ingress', 'n1', 'n1,n2']);
});

test('an assertion that fails says what is, and which rule let it through', async (t) => {
  const net = Network.from([
    ...SHOP,
    networkPolicy('shop/default-deny', { ingress: [] }),
    networkPolicy('shop/anybody', { app: 'cart', ingress: [{ from: [{ podSelector: {} }] }] }),
  ]);
  const error = await t.throwsAsync(net.expectDenied(WEB_TO_CART), { name: 'AssertionError' });
  t.deepEqual(error.message.replace(/[0-9.]+:8080/, 'ADDRESS').split('\n'), [
    'shop/web -> cart.shop:80 (TCP): expected denied, but it is allowed',
    '  shop/cart-n1 (ADDRESS on n1) and 1 more: allowed',
    '    egress passes at n1: no policy has a rule for it',
    '    ingress passes at n1: rule ingress[0] of NetworkPolicy shop/anybody accepts it',
  ]);
  t.like(error, { actual: ['allowed'], expected: ['denied'] });
});

test('an assertion that fails for a denial says which policies isolate the pod', async (t) => {
  const net = Network.from([
    ...SHOP,
    networkPolicy('shop/default-deny', { ingress: [] }),
    networkPolicy('shop/cart', { app: 'cart', ingress: [from('checkout')] }),
  ]);
  const error = await t.throwsAsync(net.expectAllowed(WEB_TO_CART), { name: 'AssertionError' });
  t.deepEqual(error.message.replace(/[0-9.]+:8080/, 'ADDRESS').split('\n'), [
    'shop/web -> cart.shop:80 (TCP): expected allowed, but it is denied (policy_denied_ingress)',
    '  shop/cart-n1 (ADDRESS on n1) and 1 more: denied',
    '    egress passes at n1: no policy has a rule for it',
    '    ingress denied at n1: shop/cart-n1 is isolated by NetworkPolicy shop/cart and ' +
      'NetworkPolicy shop/default-deny, no ingress rule of which accepts it',
  ]);
});

test('denied means by policy: no backend is no denial', async (t) => {
  const net = Network.from([...SHOP, service('shop/empty', [{ port: 80 }])]);
  const error = await t.throwsAsync(net.expectDenied({ from: 'shop/web', to: 'empty.shop:80' }), {
    name: 'AssertionError',
  });
  t.regex(
    error.message,
    /expected denied, but it is rejected \(no_backend\)\n {2}there is no backend/,
  );
});

test('where nothing is said, no policy is named', async (t) => {
  const error = await t.throwsAsync(Network.from(SHOP).expectDenied(WEB_TO_CART), {
    name: 'AssertionError',
  });
  t.regex(error.message, /allowed\n {4}no policy has a rule for it$/);
});

test('rules of a ClusterNetworkPolicy are named by number and name', async (t) => {
  const subject = { namespaces: {} };
  const peer = [{ namespaces: { matchLabels: { 'kubernetes.io/metadata.name': 'shop' } } }];
  const ingress = [
    { name: 'udp-only', action: 'Deny', from: peer, protocols: [{ udp: {} }] },
    { name: 'no-shop', action: 'Deny', from: peer },
  ];
  const net = Network.from([
    ...SHOP,
    networkPolicy('shop/cart', { app: 'cart', ingress: [from('web')] }),
    clusterPolicy('closed', { tier: 'Admin', priority: 5, subject, ingress }),
  ]);
  const { verdict, ingress: judged } = await net.probe(WEB_TO_CART);
  t.is(verdict, 'denied');
  t.like(judged, { policies: ['ClusterNetworkPolicy closed'], rule: 1, name: 'no-shop' });
  await net.expectDenied({
    ...WEB_TO_CART,
    rule: 'rule ingress[1] (no-shop) of ClusterNetworkPolicy closed',
  });
  const error = await t.throwsAsync(net.expectDenied({ ...WEB_TO_CART, rule: 'udp-only' }), {
    name: 'AssertionError',
  });
  t.regex(
    error.message,
    /expected denied by udp-only, but what decided was: .*rule ingress\[1\] \(no-shop\)/,
  );
});

test('a network policy sees the source as it is then: behind a masquerade a node', async (t) => {
  const net = Network.from([
    node('n1'),
    node('n2'),
    workload('shop/web', { ports: HTTP, pod: { nodeName: 'n2' } }),
    service('shop/web', OPEN, { type: 'NodePort', externalTrafficPolicy: 'Cluster' }),
    service('shop/direct', OPEN, {
      type: 'NodePort',
      externalTrafficPolicy: 'Local',
      selector: { app: 'web' },
    }),
    networkPolicy('shop/clients', {
      app: 'web',
      ingress: [{ from: [{ ipBlock: { cidr: '203.0.113.0/24' } }] }],
    }),
  ]);
  const portOf = (name: string) =>
    net.services.find((each) => each.name === name)!.ports[0]!.nodePort;
  const probe = (name: string, at: string) =>
    net.probe({ from: '203.0.113.9', to: `node/${at}:${portOf(name)}` });
  // By way of the other node its address is the source, which is none of the clients'.
  const masqueraded = await probe('web', 'n1');
  t.like(masqueraded, { verdict: 'denied', reason: 'policy_denied_ingress' });
  t.like(masqueraded.backends[0], { masquerade: true, source: net.nodes[0]!.addresses[0] });
  // On the pod's own node it is masqueraded only behind the policy.
  t.like(await probe('web', 'n2'), { verdict: 'allowed' });
  const direct = await probe('direct', 'n2');
  t.like(direct, { verdict: 'allowed' });
  t.like(direct.backends[0], { masquerade: false, source: '203.0.113.9' });
});

test("a pod's own node reaches it, and others do not", async (t) => {
  const net = Network.from([...SHOP, networkPolicy('shop/closed', { ingress: [], egress: [] })]);
  await t.notThrowsAsync(net.expectAllowed({ from: 'node/n1', to: 'shop/cart-n1:8080' }));
  await t.notThrowsAsync(net.expectDenied({ from: 'node/n1', to: 'shop/cart-n2:8080' }));
  await t.notThrowsAsync(net.expectAllowed({ from: 'shop/web', to: 'shop/web:8080' }));
  // By way of the service it finds itself, or the other one.
  const own = await net.probe({ from: 'shop/cart-n1', to: 'cart.shop:80' });
  t.like(own, { verdict: 'mixed', reason: null });
  t.deepEqual(
    own.backends.map(({ verdict }) => verdict),
    ['allowed', 'denied'],
  );
});

test('namespaces that are derived have their label', async (t) => {
  const net = Network.from([
    ...SHOP,
    workload('jobs/report'),
    networkPolicy('shop/cart', {
      app: 'cart',
      ingress: [
        {
          from: [{ namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': 'jobs' } } }],
        },
      ],
    }),
  ]);
  await t.notThrowsAsync(net.expectAllowed({ from: 'jobs/report', to: 'cart.shop:80' }));
  await t.notThrowsAsync(net.expectDenied(WEB_TO_CART));
});

test('policies on addresses outside, denied ones included', async (t) => {
  const net = Network.from([
    ...SHOP,
    networkPolicy('shop/bank', {
      app: 'web',
      egress: [{ to: [{ ipBlock: { cidr: '198.51.100.0/24' } }], ports: [{ port: 443 }] }],
    }),
  ]);
  const rule = 'shop/bank';
  const table = [
    { from: 'shop/web', to: '198.51.100.9:443', expect: 'allowed', rule },
    { from: 'shop/web', to: '198.51.100.9:80', expect: 'denied', rule },
    { from: 'shop/web', to: '192.0.2.200:443', expect: 'denied', rule },
  ] as const;
  await t.notThrowsAsync(net.expectTable(table));
});

test('policies of a wrong form are refused with file and field', (t) => {
  const wrong = networkPolicy('shop/x', { ingress: [{ ports: [{ port: 0 }] }] });
  t.throws(() => Network.from([...SHOP, wrong]), {
    code: 'ERR_MANIFEST',
    message: /^objects\[5\]#1: spec\.ingress\[0\]\.ports\[0\]\.port: /,
  });
});
