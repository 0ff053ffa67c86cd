// SPDX-License-Identifier: Apache-2.0
//
// Tests of the boutique's policies, in AVA: `npx ava examples/boutique/boutique.test.ts`. Any other runner does as well.
import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import test from 'ava';
import { Network, parseTable } from '../../lib/testing/index.js'; // in your program: from 'sluice/testing'

const pathOf = (name: string) => fileURLToPath(new URL(name, import.meta.url));
const boutique = (...more: string[]) =>
  Network.load([pathOf('manifests'), ...more.map(pathOf)], { nodes: 3 });

test('who may speak to whom', async (t) => {
  const net = await boutique();
  const table = parseTable(await readFile(pathOf('expected.yaml'), 'utf8'), 'expected.yaml');
  await t.notThrowsAsync(net.expectTable(table));
});

test('the pages ask for carts, whichever pod has them', async (t) => {
  const net = await boutique();
  await net.expectAllowed({ from: 'shop/web', to: 'cart.shop:80', backends: ['shop/cart'] });
  const { backends } = await net.probe({ from: 'shop/web', to: 'cart.shop:80' });
  t.is(backends.length, 3);
});

test('nobody but who needs them sees the orders', async (t) => {
  const net = await boutique();
  const matrix = await net.matrix({ to: ['orders-db.data:5432'] });
  const readers = matrix.results.filter(({ verdict }) => verdict === 'allowed');
  t.deepEqual(
    readers.map(({ from }) => from),
    ['orders/checkout', 'orders/reports', 'orders/shipping'],
  );
});

test('one dash too many, and the test names the rule that lets payments see the orders', async (t) => {
  const net = await boutique('mistakes/orders-db.yaml');
  const error = await t.throwsAsync(
    net.expectDenied({ from: 'orders/payments', to: 'orders-db.data:5432' }),
    { name: 'AssertionError' },
  );
  t.regex(error.message, /expected denied, but it is allowed/);
  t.regex(
    error.message,
    /rule ingress\[0\] of NetworkPolicy data\/orders-db-for-mailer accepts it/,
  );
});
