// SPDX-License-Identifier: Apache-2.0
import test from 'ava';
import { Programmer } from '../../lib/agent/programmer.js';
import { SluiceError } from '../../lib/errors.js';
import type { ModelChange } from '../../lib/model/changes.js';
import type { Service } from '../../lib/model/model.js';
import type { ApplyReport } from '../../lib/proxy/service-proxy.js';
import { openProxy, service } from '../support/proxy.js';

/** A proxy that keeps services by name, and does not like some of them. */
class Picky {
  readonly kept = new Map<string, Service>();
  readonly bad = new Set<string>();
  updates = 0;
  closed = false;
  broken = false;

  async update(change: ModelChange): Promise<ApplyReport> {
    this.updates++;
    if (this.closed) throw new SluiceError('ERR_CLOSED', 'closed');
    if (this.broken) throw new SluiceError('ERR_ENGINE', 'no memory');
    const { put = [], removed = [] } = change.services ?? {};
    const worst = put.find(({ name }) => this.bad.has(name));
    if (worst !== undefined) throw new SluiceError('ERR_MODEL', `${worst.name} is bad`);
    for (const key of removed) this.kept.delete(key);
    for (const service of put) this.kept.set(`${service.namespace}/${service.name}`, service);
    const counts = { services: this.kept.size, backends: 0 };
    return { generation: this.updates, changed: true, ...counts, skipped: {}, warnings: [] };
  }
}

const services = (...names: string[]): Service[] =>
  names.map((name) => ({ name, namespace: 'shop', addresses: [], ports: [] }));
const numbered = (count: number) => services(...Array.from({ length: count }, (_, i) => `s${i}`));

test('a change that is good is one update', async (t) => {
  const proxy = new Picky();
  const { report, refused } = await new Programmer(proxy).program({
    services: { put: numbered(100) },
  });
  t.is(proxy.updates, 1);
  t.is(report!.services, 100);
  t.deepEqual(refused, []);
});

test('what is refused is set aside, told once, and the rest is made', async (t) => {
  const proxy = new Picky();
  const programmer = new Programmer(proxy);
  await programmer.program({ services: { put: services('old', 's3') } });
  proxy.bad.add('s3').add('s70');
  const change = { services: { put: numbered(100), removed: ['shop/old'] } };
  const { refused } = await programmer.program(change);
  t.deepEqual(refused.map(({ section, key }) => `${section} ${key}`).sort(), [
    'services shop/s3',
    'services shop/s70',
  ]);
  t.is(refused.find(({ key }) => key === 'shop/s3')!.reason, 's3 is bad');
  t.is(proxy.kept.size, 99, 'what s3 was is still there, old is not, s70 never was');
  t.is(programmer.aside, 2);
  t.true(proxy.updates < 50, `${proxy.updates} updates`);

  t.deepEqual((await programmer.program(change)).refused, [], 'known already');
  proxy.bad.delete('s70');
  t.deepEqual((await programmer.retry()).refused, []);
  t.is(programmer.aside, 1);
  t.true(proxy.kept.has('shop/s70'));
});

test('a member that changes or goes is not set aside any more', async (t) => {
  const proxy = new Picky();
  const programmer = new Programmer(proxy);
  proxy.bad.add('a').add('b');
  await programmer.program({ services: { put: services('a', 'b') } });
  t.is(programmer.aside, 2);
  proxy.bad.clear();
  await programmer.program({ services: { put: services('a') } });
  await programmer.program({ services: { removed: ['shop/b'] } });
  t.is(programmer.aside, 0);
  t.deepEqual([...proxy.kept.keys()], ['shop/a']);
});

test('a proxy that is closed is nobody’s fault', async (t) => {
  const proxy = new Picky();
  proxy.closed = true;
  const programmer = new Programmer(proxy);
  await t.throwsAsync(programmer.program({ services: { put: services('a') } }), {
    code: 'ERR_CLOSED',
  });
  t.is(programmer.aside, 0);
});

test('what is set aside is tried again when there may be room, a few refusals at a time', async (t) => {
  const proxy = new Picky();
  const programmer = new Programmer(proxy);
  for (let index = 0; index < 40; index += 1) proxy.bad.add(`s${index}`);
  await programmer.program({ services: { put: numbered(40) } });
  t.is(programmer.aside, 40);

  proxy.updates = 0;
  t.deepEqual(await programmer.retrySome(), { report: null, refused: [] }, 'known already');
  t.true(proxy.updates < 20, `${proxy.updates} updates`);
  proxy.bad.delete('s39');
  await programmer.retrySome();
  t.is(programmer.aside, 40, 'others are before it');
  const { report } = await programmer.retrySome();
  t.is(report?.services, 1, 'who has waited longest is first');
  t.is(programmer.aside, 39);

  proxy.bad.clear();
  t.is((await programmer.retrySome()).report?.services, 40);
  t.is(programmer.aside, 0);
  proxy.bad.add('s1');
  await programmer.program({ services: { put: services('s1') } });
  proxy.closed = true;
  await t.throwsAsync(programmer.retrySome(), { code: 'ERR_CLOSED' });
  t.is(programmer.aside, 1, 'it is not lost');
});

test('what is set aside stays so while the proxy fails', async (t) => {
  const proxy = new Picky();
  const programmer = new Programmer(proxy);
  proxy.bad.add('a');
  await programmer.program({ services: { put: services('a') } });
  proxy.broken = true;
  await t.throwsAsync(programmer.retry(), { code: 'ERR_ENGINE' });
  proxy.broken = false;
  proxy.bad.clear();
  t.deepEqual((await programmer.retry()).refused, []);
  t.true(proxy.kept.has('shop/a'));
});

test('what passes between two services passes, though a third is refused', async (t) => {
  await using proxy = await openProxy();
  await proxy.update({ services: { put: [service('a', 1, []), service('b', 2, [])] } });
  let updates = 0;
  const programmer = new Programmer({
    update: (change) => {
      updates++;
      return proxy.update(change);
    },
  });
  const put = [
    service('a', 2, ['10.1.0.2']),
    ...Array.from({ length: 20 }, (_, at) => service(`ok-${at}`, 20 + at, [])),
    service('bad', 3, ['127.0.0.1']),
    service('b', 1, ['10.1.0.3']),
  ];
  const { refused, report } = await programmer.program({ services: { put } });
  t.deepEqual(
    refused.map(({ key }) => key),
    ['default/bad'],
  );
  t.is(report?.services, 22);
  t.is(proxy.services.find(({ name }) => name === 'a')?.ports[0]?.backends.length, 1);
  t.true(updates <= 5, `${updates} updates`);
});

test('a mistake of our own that one member brings to light does not hold up the rest', async (t) => {
  const proxy = new Picky();
  const programmer = new Programmer(proxy);
  const update = proxy.update.bind(proxy);
  proxy.update = (change) => {
    if (change.services?.put?.some(({ name }) => name === 's7')) throw new TypeError('no such key');
    return update(change);
  };
  const { refused } = await programmer.program({ services: { put: numbered(20) } });
  t.deepEqual(refused, [{ section: 'services', key: 'shop/s7', reason: 'no such key' }]);
  t.is(proxy.kept.size, 19);
});

test('a mistake that befalls everybody is nobody’s fault', async (t) => {
  const proxy = new Picky();
  const programmer = new Programmer(proxy);
  const update = proxy.update.bind(proxy);
  proxy.update = (change) => {
    if ((change.services?.put?.length ?? 0) > 0) throw new TypeError('no such key');
    return update(change);
  };
  const change = { services: { put: numbered(5) } };
  await t.throwsAsync(programmer.program(change), { instanceOf: TypeError });
  t.is(programmer.aside, 0);
});
