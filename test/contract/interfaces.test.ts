// SPDX-License-Identifier: Apache-2.0
import type { SluiceError } from '../../lib/errors.js';
import { macBytes } from '../support/packets.js';
import { memory, NET, udp } from './net.js';
import { contract } from './rig.js';

const REFUSED: readonly {
  title: string;
  code: SluiceError['code'];
  path: string;
  slot?: number;
  more: Parameters<typeof memory>[1];
}[] = [
  { title: 'a taken slot', code: 'ERR_INTERFACE_EXISTS', path: 'slot', slot: 1, more: {} },
  {
    title: 'a slot beyond the limit',
    code: 'ERR_INTERFACE_LIMIT',
    path: 'slot',
    slot: 8,
    more: {},
  },
];

for (const { title, code, path, slot, more } of REFUSED) {
  contract(`an interface is refused: ${title}`, async (rig) => {
    const error = await rig.t.throwsAsync<SluiceError>(
      rig.engine.addInterface(memory(slot ?? 3, more)),
    );
    rig.t.like(error, { code, path });
  });
}

contract('an interface without a MAC gets a local one', async (rig) => {
  const { t } = rig;
  const { mac, slot, worker, up } = await rig.engine.addInterface(memory(4, { mac: null }));
  t.is(mac.length, 6);
  t.is(mac[0] & 3, 2);
  t.deepEqual({ slot, worker, up }, { slot: 4, worker: 0, up: true });
});

contract('an interface reports the MAC that it was given', async (rig) => {
  const { mac } = await rig.engine.addInterface(memory(4, { mac: macBytes('02:00:00:00:09:09') }));
  rig.t.deepEqual(new Uint8Array(mac), macBytes('02:00:00:00:09:09'));
});

contract('an interface comes and goes while packets pass', async (rig) => {
  const { t } = rig;
  await rig.engine.addInterface(memory(2));
  await rig.commit({ routes: [{ to: '10.1.0.2/32', over: 2, mac: NET.pod.mac }] });
  t.is(rig.pass(0, 2, udp()).length, 1);
  await rig.engine.removeInterface(2);
  // The route went with it: the shorter prefix takes over.
  t.is(rig.pass(0, 1, udp()).length, 1);
  await rig.engine.addInterface(memory(2));
  t.is(rig.pass(0, 1, udp()).length, 1);
});

contract('the addresses of an interface go with it', async (rig) => {
  const { t } = rig;
  await rig.engine.removeInterface(1);
  rig.step();
  rig.pass(0, 0, udp());
  t.deepEqual(rig.drops(), { no_route: 1 });
  await rig.engine.addInterface(memory(1));
});

contract('an interface that is not there cannot be removed', async (rig) => {
  const error = await rig.t.throwsAsync<SluiceError>(rig.engine.removeInterface(5));
  rig.t.is(error?.code, 'ERR_INTERFACE_UNKNOWN');
});

contract('close is idempotent; counters stay, everything else says ERR_CLOSED', async (rig) => {
  const { t, engine } = rig;
  rig.pass(0, 1, udp());
  await engine.close();
  await engine.close();
  t.is(rig.counter('forwarded'), 1);
  const closed = { code: 'ERR_CLOSED' };
  t.like(
    t.throws<SluiceError>(() => engine.send(0, [])),
    closed,
  );
  t.like(
    t.throws<SluiceError>(() => engine.step(1)),
    closed,
  );
  t.like(await t.throwsAsync<SluiceError>(async () => rig.commit({})), closed);
  t.like(await t.throwsAsync<SluiceError>(async () => engine.addInterface(memory(3))), closed);
  t.like(await t.throwsAsync<SluiceError>(async () => engine.flows(1)), closed);
  t.like(await t.throwsAsync<SluiceError>(async () => engine.explain(0, udp())), closed);
});
