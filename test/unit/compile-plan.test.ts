// SPDX-License-Identifier: Apache-2.0
import test from 'ava';
import { Compiler, interfaceRequest } from '../../lib/compile/compile.js';
import { nextHopKey } from '../../lib/compile/next-hop-key.js';
import { emptyDelta } from '../../lib/compile/program.js';
import { SlotAllocator } from '../../lib/compile/slots.js';
import { formatAddress } from '../../lib/model/address.js';
import { checkModel } from '../../lib/model/check.js';
import type { Backend, Model, RouteSpec, Service } from '../../lib/model/model.js';
import { ProgramState } from '../support/program-state.js';

/** In front of an IPv4 address of 16 bytes. */
const MAPPED = [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff];
const NO_INTERFACES = new Map<string, { slot: number }>();

function service(name: string, low: number, ...hosts: (number | Backend)[]): Service {
  const backends = hosts.map((host) =>
    typeof host === 'number' ? { address: `10.1.0.${host}`, port: 8080 } : host,
  );
  const ports = [{ protocol: 'TCP' as const, port: 80, backends }];
  return { name, addresses: [`10.96.0.${low}`], ports };
}

function accept(compiler: Compiler, model: Model, slots = NO_INTERFACES) {
  const plan = compiler.plan(checkModel(model), slots);
  plan.accept();
  return plan;
}

test('an empty model makes the empty delta', (t) => {
  const plan = new Compiler({ backends: 1, routes: 100 }).plan(checkModel({}), NO_INTERFACES);
  t.deepEqual(plan.delta, emptyDelta());
  t.true(plan.empty);
});

test('a changed service costs that service', (t) => {
  const compiler = new Compiler({ backends: 100, routes: 100 });
  accept(compiler, { services: [service('a', 1, 1, 2), service('b', 2, 1), service('c', 3)] });
  const { delta, backends } = accept(compiler, {
    services: [service('a', 1, 1, 2), service('b', 2, 1, 3), service('c', 3)],
  });
  t.deepEqual([...delta.pools.slot], [1]);
  t.deepEqual([...delta.members.backend], [2, 3]);
  t.deepEqual([...delta.backends.slot], [3], 'a backend that stays is not put again');
  t.is(delta.frontends.slot.length, 0);
  t.deepEqual(
    backends.added.map(({ backend }) => backend.address),
    ['10.1.0.3'],
  );
  t.deepEqual([backends.removed, backends.changed], [[], []]);
});

test('another weight puts the pool again and keeps the slots', (t) => {
  const compiler = new Compiler({ backends: 100, routes: 100 });
  accept(compiler, { services: [service('a', 1, 1, 2)] });
  const drained = { address: '10.1.0.1', port: 8080, weight: 0 };
  const { delta, backends } = accept(compiler, { services: [service('a', 1, drained, 2)] });
  t.is(delta.backends.slot.length, 0);
  t.deepEqual([...delta.members.backend], [0, 1]);
  t.deepEqual([...delta.members.weight], [0, 1]);
  t.deepEqual([backends.added.length, backends.removed.length, backends.changed.length], [0, 0, 1]);
});

test('a plan that is dropped leaves no trace, and an old one cannot be accepted', (t) => {
  const compiler = new Compiler({ backends: 100, routes: 100 });
  const old = compiler.plan(checkModel({ services: [service('a', 1, 1)] }), NO_INTERFACES);
  t.deepEqual([...compiler.view.ports()], []);
  const plan = accept(compiler, { services: [service('b', 1, 2)] });
  t.deepEqual([...plan.delta.backends.slot], [0]);
  t.throws(() => old.accept(), { message: /another plan has been accepted/ });
  t.is(compiler.view.backend(0)?.backend.address, '10.1.0.2');
});

test('a slot that is used again tells its backends apart by allocatedAt', (t) => {
  const compiler = new Compiler({ backends: 100, routes: 100 });
  accept(compiler, { services: [service('a', 1, 1)] });
  const swap = accept(compiler, { services: [service('a', 1, 2)] });
  t.deepEqual([...swap.delta.backends.slot], [1], 'not within the plan that frees it');
  accept(compiler, { services: [service('a', 1, 2, 3)] });
  const third = compiler.view.backend(0)!.backend;
  t.is(third.address, '10.1.0.3');
  t.is(third.allocatedAt, 3);
  t.is(compiler.view.backend(1)?.backend.allocatedAt, 2);
});

test('a frontend may move from one service to another in one delta', (t) => {
  const compiler = new Compiler({ backends: 100, routes: 100 });
  const state = new ProgramState();
  state.apply(accept(compiler, { services: [service('a', 1, 1), service('b', 2, 2)] }).delta);
  state.apply(accept(compiler, { services: [service('a', 2, 1), service('b', 1, 2)] }).delta);
  const { frontends } = state.describe();
  t.deepEqual(frontends['10.96.0.1 80/6']?.pools.outside, ['10.1.0.2 8080 weight 1']);
  t.deepEqual(frontends['10.96.0.2 80/6']?.pools.outside, ['10.1.0.1 8080 weight 1']);
});

test('another port number keeps pool and backends, so that flows live on', (t) => {
  const compiler = new Compiler({ backends: 100, routes: 100 });
  accept(compiler, { services: [service('a', 1, 1)] });
  const moved = service('a', 1, 1);
  const ports = [{ ...moved.ports[0]!, port: 81 }];
  const { delta, backends } = accept(compiler, { services: [{ ...moved, ports }] });
  t.deepEqual([delta.pools.slot.length, delta.removedPools.length], [0, 0]);
  t.deepEqual([[...delta.removedFrontends], [...delta.frontends.port]], [[0], [81]]);
  t.deepEqual(backends, { added: [], removed: [], changed: [] });
  t.is([...compiler.view.ports()][0]?.port.port, 81);
});

test('sections that are left out stay', (t) => {
  const compiler = new Compiler({ backends: 100, routes: 100 });
  const slots = new Map([['eth0', { slot: 4 }]]);
  const interfaces = [{ kind: 'memory' as const, name: 'eth0', addresses: ['10.0.0.1/24'] }];
  accept(compiler, { services: [service('a', 1, 1)], interfaces }, slots);
  const plan = accept(compiler, { routes: [{ prefix: 'default', via: '10.0.0.2' }] }, slots);
  t.is(plan.delta.addresses, null);
  t.deepEqual([...plan.delta.nextHops.interface], [4]);
  t.is(plan.delta.removedFrontends.length, 0);
});

test('more backends than there are slots', (t) => {
  const compiler = new Compiler({ backends: 2, routes: 100 });
  accept(compiler, { services: [service('a', 1, 1, 2)] });
  const plan = () =>
    compiler.plan(checkModel({ services: [service('a', 1, 1, 2, 3, 4)] }), NO_INTERFACES);
  const error = t.throws(plan, { code: 'ERR_CAPACITY' }) as Error & { path?: string };
  t.is(error.path, 'services');
  t.regex(error.message, /needs 4 backend slots .* there are 2; .* backends: 4 or more/);
});

test('an interface that has not been added', (t) => {
  const interfaces = [{ kind: 'memory' as const, name: 'eth0' }];
  const plan = () =>
    new Compiler({ backends: 1, routes: 100 }).plan(checkModel({ interfaces }), NO_INTERFACES);
  t.throws(plan, { code: 'ERR_INTERFACE_UNKNOWN', message: /^interfaces\[0\]\.name: / });
});

test('what an interface took with it is put again', (t) => {
  const compiler = new Compiler({ backends: 1, routes: 100 });
  const slots = new Map([
    ['eth0', { slot: 0 }],
    ['eth1', { slot: 1 }],
  ]);
  const interfaces = [
    { kind: 'memory' as const, name: 'eth0', addresses: ['10.0.0.1/24'] },
    { kind: 'memory' as const, name: 'eth1', addresses: ['10.0.1.1/24'] },
  ];
  const routes = [{ prefix: 'default', via: '10.0.1.9' }];
  accept(compiler, { interfaces, routes }, slots);
  t.true(compiler.plan(checkModel({}), slots).empty);
  compiler.forgetInterface(1);
  const { delta } = compiler.plan(checkModel({}), slots);
  t.deepEqual([...delta.routes.length], [24, 0]);
  t.deepEqual([...delta.nextHops.interface], [1, 1]);
  t.is(delta.addresses?.length.length, 2);
});

const ROUTES: [name: string, routes: RouteSpec[], rows: string[]][] = [
  ['connected networks alone', [], []],
  [
    'a next hop is looked up among connected networks',
    [{ prefix: '10.8.0.0/16', via: '10.0.1.9' }],
    ['10.8.0.0/16 via 10.0.1.9 interface 1 mac 00:00:00:00:00:00'],
  ],
  [
    'the longest link wins, dev routes included, wherever they stand',
    [
      { prefix: '10.8.0.0/16', via: '10.0.0.130', mac: '02:00:00:00:00:07' },
      { prefix: '10.0.0.128/25', dev: 'b' },
    ],
    [
      '10.0.0.128/25 via :: interface 1 mac 00:00:00:00:00:00',
      '10.8.0.0/16 via 10.0.0.130 interface 1 mac 02:00:00:00:00:07',
    ],
  ],
  [
    'routes with a next hop are no links',
    [
      { prefix: '10.9.0.0/16', via: '10.0.0.9' },
      { prefix: '10.8.0.0/16', via: '10.9.0.1', dev: 'c' },
    ],
    [
      '10.8.0.0/16 via 10.9.0.1 interface 2 mac 00:00:00:00:00:00',
      '10.9.0.0/16 via 10.0.0.9 interface 0 mac 00:00:00:00:00:00',
    ],
  ],
];

const THREE = [
  { kind: 'memory' as const, name: 'a', addresses: ['10.0.0.1/24'] },
  { kind: 'memory' as const, name: 'b', addresses: ['10.0.1.1/24'] },
  { kind: 'memory' as const, name: 'c', addresses: ['10.0.2.1/24'] },
];
const THREE_SLOTS = new Map(THREE.map(({ name }, slot) => [name, { slot }]));
const A = { via: '10.0.0.9' };
const B = { via: '10.0.1.9' };

/** A compiler of which three interfaces and routes have been accepted, and what an engine then has. */
function routed(routes: RouteSpec[]) {
  const compiler = new Compiler({ backends: 1, routes: 100 });
  const state = new ProgramState();
  const change = (model: Model) => {
    const plan = accept(compiler, model, THREE_SLOTS);
    state.apply(plan.delta);
    return plan.delta;
  };
  const first = change({ interfaces: THREE, routes });
  return { compiler, state, change, first };
}

test('routes of the same next hops share a group, in whatever order they stand', (t) => {
  const { first, state } = routed([
    { prefix: '10.8.0.0/16', nextHops: [A, B] },
    { prefix: '10.9.0.0/16', nextHops: [B, A] },
    { prefix: '10.10.0.0/16', nextHops: [A, { ...B, weight: 2 }] },
    { prefix: '10.11.0.0/16', ...A },
    { prefix: '10.12.0.0/16', nextHops: [A] },
  ]);
  const [, , , both, also, weighted, single, one] = first.routes.group;
  t.is(both, also);
  t.is(single, one);
  t.is(new Set([both, weighted, single]).size, 3);
  t.deepEqual(
    state.describe().routes.filter((row) => row.startsWith('10.10')),
    [
      '10.10.0.0/16 via 10.0.0.9 interface 0 mac 00:00:00:00:00:00',
      '10.10.0.0/16 via 10.0.1.9 interface 1 mac 00:00:00:00:00:00 weight 2',
    ],
  );
});

test('a next hop has the same key in every group, and on every node', (t) => {
  const { first } = routed([
    { prefix: '10.8.0.0/16', nextHops: [A, B] },
    { prefix: '10.9.0.0/16', nextHops: [{ ...B, weight: 9 }, A] },
  ]);
  const { gateway, key } = first.nextHops;
  const keys = new Map<string, Set<number>>();
  key.forEach((each, row) => {
    const address = formatAddress(gateway.subarray(row * 16, row * 16 + 16));
    keys.set(address, (keys.get(address) ?? new Set()).add(each));
  });
  t.is(keys.get('10.0.0.9')?.size, 1);
  t.is(keys.get('10.0.1.9')?.size, 1);
  // CRC32C of `a 10.0.0.9 00:00:00:00:00:00`.
  t.deepEqual([...keys.get('10.0.0.9')!], [nextHopKey('a 10.0.0.9 00:00:00:00:00:00')]);
  t.is(nextHopKey('123456789'), 0xe3069283);
});

test('other next hops are another group, and the other routes are left alone', (t) => {
  const other = { prefix: '10.9.0.0/16', nextHops: [A, B] };
  const { change, state } = routed([{ prefix: '10.8.0.0/16', nextHops: [A, B] }, other]);
  const apart = change({ routes: [{ prefix: '10.8.0.0/16', ...B }, other] });
  t.deepEqual(
    [apart.groups.slot.length, apart.removedGroups.length, apart.routes.length.length],
    [1, 0, 1],
  );
  const back = change({ routes: [{ prefix: '10.8.0.0/16', nextHops: [B, A] }, other] });
  t.deepEqual([...back.removedGroups], [...apart.groups.slot]);
  t.deepEqual([back.groups.slot.length, back.routes.length.length], [0, 1]);
  const none = change({ routes: [] });
  t.deepEqual([none.removedRoutes.length.length, none.removedGroups.length], [2, 1]);
  t.is(state.describe().routes.length, 3);
});

test('a plan that is dropped leaves no trace in the slots of groups', (t) => {
  const { compiler, change } = routed([]);
  const routes = [{ prefix: '10.8.0.0/16', nextHops: [A, B] }];
  const dropped = compiler.plan(checkModel({ routes }), THREE_SLOTS);
  t.deepEqual(change({ routes }).groups.slot, dropped.delta.groups.slot);
});

test('a group without the next hops of an interface that went is put again, whole', (t) => {
  const { compiler, change } = routed([
    { prefix: '10.8.0.0/16', nextHops: [A, B] },
    { prefix: '10.9.0.0/16', ...A },
    { prefix: '10.10.0.0/16', ...B },
  ]);
  compiler.forgetInterface(1);
  t.is(compiler.view.route(Uint8Array.of(...MAPPED, 10, 8, 0, 1))?.hops.length, 1);
  t.is(compiler.view.route(Uint8Array.of(...MAPPED, 10, 10, 0, 1)), undefined);
  const { delta } = compiler.plan(checkModel({}), THREE_SLOTS);
  // The connected network, both routes over it, and the group that is left of the first one.
  t.is(delta.routes.length.length, 3);
  t.is(delta.groups.slot.length, 3);
  t.is(delta.removedGroups.length, 1);
  t.is(delta.removedRoutes.length.length, 0);
  t.notThrows(() => change({ routes: [] }));
});

for (const [name, routes, rows] of ROUTES) {
  test(`routes: ${name}`, (t) => {
    const interfaces = [
      { kind: 'memory' as const, name: 'a', addresses: ['10.0.0.1/24', '10.0.0.2/24'] },
      { kind: 'memory' as const, name: 'b', addresses: ['10.0.1.1/24'] },
      { kind: 'memory' as const, name: 'c', addresses: ['10.0.2.1/32'] },
    ];
    const slots = new Map(interfaces.map((row, slot) => [row.name, { slot }]));
    const state = new ProgramState();
    const plan = new Compiler({ backends: 1, routes: 100 }).plan(
      checkModel({ interfaces, routes }),
      slots,
    );
    state.apply(plan.delta);
    const connected = [
      '10.0.0.0/24 via :: interface 0 mac 00:00:00:00:00:00',
      '10.0.1.0/24 via :: interface 1 mac 00:00:00:00:00:00',
    ];
    t.deepEqual(state.describe().routes, [...connected, ...rows].sort());
    t.deepEqual(state.describe().addresses, [
      '10.0.0.1/24 on 0',
      '10.0.0.2/24 on 0',
      '10.0.1.1/24 on 1',
      '10.0.2.1/32 on 2',
    ]);
  });
}

test('slots come back in the order of their release, after the draft that freed them', (t) => {
  const allocator = new SlotAllocator();
  const first = allocator.draft();
  t.deepEqual([first.allocate(), first.allocate(), first.allocate()], [0, 1, 2]);
  first.accept();
  const second = allocator.draft();
  second.free(2);
  second.free(0);
  t.is(second.allocate(), 3);
  second.accept();
  const dropped = allocator.draft();
  t.is(dropped.allocate(), 2);
  const third = allocator.draft();
  t.deepEqual([third.allocate(), third.allocate(), third.allocate()], [2, 0, 4]);
});

test('an interface is asked for as it was checked', (t) => {
  const { interfaces } = checkModel({
    interfaces: [{ kind: 'tap', name: 'web-1', netns: 'web-1', mac: '02:00:00:00:00:01' }],
  });
  t.deepEqual(interfaceRequest(interfaces![0]!, 3), {
    slot: 3,
    kind: 'tap',
    name: 'web-1',
    mac: Uint8Array.from([2, 0, 0, 0, 0, 1]),
    mtu: 1500,
    worker: null,
    queues: 1,
    softwareRss: false,
    unfinishedChecksums: false,
    parameters: { device: 'web-1', netns: 'web-1' },
  });
});
