// SPDX-License-Identifier: Apache-2.0
import test from 'ava';
import { Compiler } from '../../lib/compile/compile.js';
import { checkModel } from '../../lib/model/check.js';
import type { Backend, Model, NodeSpec, Service } from '../../lib/model/model.js';
import { type FrontendText, ProgramState } from '../support/program-state.js';

const LIMITS = { backends: 1_000, routes: 1_000 };
const UP = { kind: 'memory' as const, name: 'up', addresses: ['192.168.0.2/24'] };

function compiled(model: Model): ProgramState {
  const slots = new Map((model.interfaces ?? []).map(({ name }, slot) => [name, { slot }]));
  const state = new ProgramState();
  state.apply(new Compiler(LIMITS).plan(checkModel(model), slots).delta);
  return state;
}

function frontends(model: Model): Record<string, FrontendText> {
  return compiled(model).describe().frontends;
}

/** One endpoint here and one elsewhere, and a destination of every kind. */
function service(number: number, policies: Partial<Service>): Service {
  return {
    name: `svc${number}`,
    addresses: [`10.96.0.${number}`],
    loadBalancer: { addresses: [`203.0.113.${number}`] },
    ports: [
      {
        protocol: 'TCP',
        port: 80,
        nodePort: 30_000 + number,
        backends: [
          { address: `10.180.0.${number}`, port: 80, node: 'here' },
          { address: `10.180.1.${number}`, port: 80, node: 'there' },
        ],
      },
    ],
    ...policies,
  };
}

const SERVICES = [
  service(1, {}),
  service(2, { externalTrafficPolicy: 'Local' }),
  service(3, { internalTrafficPolicy: 'Local' }),
];
const DETECTOR: NodeSpec = { name: 'here', podNetworks: ['10.180.0.0/24'] };
const NO_DETECTOR: NodeSpec = { name: 'here' };

/** Endpoints (`both`, or `epL`: the local one) and whether the source is masqueraded (`M`). */
type Matrix = Record<string, [svc1: string, eTPLocal: string, iTPLocal: string]>;

const BASE: Matrix = {
  'pod cluster': ['both -', 'both -', 'epL -'],
  'pod nodePort': ['both M', 'both -', 'both M'],
  'pod loadBalancer': ['both M', 'both -', 'both M'],
  'node cluster': ['both M', 'both M', 'epL M'],
  'node nodePort': ['both M', 'both M', 'both M'],
  'node loadBalancer': ['both M', 'both M', 'both M'],
  'outside cluster': ['both M', 'both M', 'epL M'],
  'outside nodePort': ['both M', 'epL -', 'both M'],
  'outside loadBalancer': ['both M', 'epL -', 'both M'],
};
const NO_PODS: Matrix = {
  ...BASE,
  'pod nodePort': ['both M', 'epL -', 'both M'],
  'pod loadBalancer': ['both M', 'epL -', 'both M'],
  'pod cluster': ['both -', 'both -', 'epL -'],
  'node cluster': ['both -', 'both -', 'epL -'],
  'outside cluster': ['both -', 'both -', 'epL -'],
};
const ALL: Matrix = { ...BASE, 'pod cluster': ['both M', 'both M', 'epL M'] };
const ALL_AND_NO_PODS: Matrix = {
  ...NO_PODS,
  'pod cluster': ['both M', 'both M', 'epL M'],
  'node cluster': ['both M', 'both M', 'epL M'],
  'outside cluster': ['both M', 'both M', 'epL M'],
};

const MATRICES: [name: string, node: NodeSpec, scope: 'pod' | 'outside', matrix: Matrix][] = [
  ['local detector by network', DETECTOR, 'outside', BASE],
  ['local detector by interface', NO_DETECTOR, 'pod', BASE],
  ['no local detector', NO_DETECTOR, 'outside', NO_PODS],
  ['masqueradeAll', { ...DETECTOR, masqueradeAll: true }, 'outside', ALL],
  ['both', { ...NO_DETECTOR, masqueradeAll: true }, 'outside', ALL_AND_NO_PODS],
];

for (const [name, node, scope, matrix] of MATRICES) {
  test(`masquerade: ${name}`, (t) => {
    const pods = { kind: 'memory' as const, name: 'pods', scope };
    const program = frontends({ services: SERVICES, interfaces: [UP, pods], node });
    for (const [row, cells] of Object.entries(matrix)) {
      const [from, to] = row.split(' ') as ['pod' | 'node' | 'outside', string];
      for (const [index, cell] of cells.entries()) {
        const number = index + 1;
        const destination = {
          cluster: `10.96.0.${number} 80/6`,
          nodePort: `192.168.0.2 ${30_000 + number}/6`,
          loadBalancer: `203.0.113.${number} 80/6`,
        }[to]!;
        const { pools, masquerade } = program[destination]!;
        const local = `10.180.0.${number} 80 weight 1`;
        const both = [local, `10.180.1.${number} 80 weight 1`];
        const [endpoints, mark] = cell.split(' ');
        t.deepEqual(pools[from], endpoints === 'both' ? both : [local], `${row} ${number}`);
        t.is(masquerade.includes(from), mark === 'M', `${row} ${number}`);
      }
    }
  });
}

test('a local detector of one family says nothing about the other', (t) => {
  const dual: Service = {
    name: 'dual',
    addresses: ['10.96.0.1', 'fd00:96::1'],
    ports: [{ protocol: 'TCP', port: 80, backends: [] }],
  };
  const program = frontends({ services: [dual], node: DETECTOR });
  t.deepEqual(program['10.96.0.1 80/6']?.masquerade, ['node', 'outside']);
  t.deepEqual(program['fd00:96::1 80/6']?.masquerade, []);
});

const NODE_PORT_ADDRESSES: [name: string, node: NodeSpec, served: string[]][] = [
  ['all of them', {}, ['10.0.0.1', '192.168.0.2', '192.168.9.9', 'fd00:1::1', 'fd00:2::9']],
  [
    'the word all',
    { nodePortAddresses: ['all', '10.0.0.0/8'] },
    ['10.0.0.1', '192.168.0.2', '192.168.9.9', 'fd00:1::1', 'fd00:2::9'],
  ],
  ['primary', { nodePortAddresses: ['primary'] }, ['192.168.9.9', 'fd00:2::9']],
  [
    'networks; a family without one is served whole',
    { nodePortAddresses: ['192.168.0.0/16'] },
    ['192.168.0.2', '192.168.9.9', 'fd00:1::1', 'fd00:2::9'],
  ],
  [
    'networks of both families',
    { nodePortAddresses: ['10.0.0.0/8', 'fd00:2::/64'] },
    ['10.0.0.1', 'fd00:2::9'],
  ],
  [
    'primary and a network',
    { nodePortAddresses: ['primary', '10.0.0.0/8'] },
    ['10.0.0.1', '192.168.9.9', 'fd00:2::9'],
  ],
  ['a network that holds none', { nodePortAddresses: ['172.16.0.0/12', '::1/128'] }, []],
  [
    'networks of everything',
    { nodePortAddresses: ['0.0.0.0/0', '::/0'] },
    ['10.0.0.1', '192.168.0.2', '192.168.9.9', 'fd00:1::1', 'fd00:2::9'],
  ],
];

const INTERFACES = [
  { kind: 'memory' as const, name: 'up', addresses: ['10.0.0.1/24', 'fd00:1::1/64'] },
  { kind: 'memory' as const, name: 'down', addresses: ['192.168.0.2/24'] },
];
const NODE_ADDRESSES = ['192.168.9.9', 'fd00:2::9'];

function nodePortService(over: Partial<Service> = {}): Service {
  const ports = [{ protocol: 'UDP' as const, port: 53, nodePort: 30_053, backends: [] }];
  return { name: 'dns', addresses: ['10.96.0.53', 'fd00:96::53'], ports, ...over };
}

function nodePortAddresses(model: Model): string[] {
  return Object.entries(frontends({ interfaces: INTERFACES, ...model }))
    .filter(([, { kind }]) => kind === 'nodePort')
    .map(([key]) => key.split(' ')[0]!);
}

for (const [name, node, served] of NODE_PORT_ADDRESSES) {
  test(`node ports are served on ${name}`, (t) => {
    const given = { addresses: NODE_ADDRESSES, ...node };
    t.deepEqual(nodePortAddresses({ services: [nodePortService()], node: given }), served);
  });
}

test('node ports are served in the families of the service alone', (t) => {
  const services = [nodePortService({ addresses: ['10.96.0.53'] })];
  t.deepEqual(nodePortAddresses({ services }), ['10.0.0.1', '192.168.0.2']);
  const alone = [nodePortService({ addresses: [] })];
  t.deepEqual(nodePortAddresses({ services: alone }), ['10.0.0.1', '192.168.0.2', 'fd00:1::1']);
});

test('no node port is served on a cluster or load balancer address, nor over an external one', (t) => {
  const holder = {
    name: 'holder',
    ports: [{ protocol: 'UDP' as const, port: 30_053, backends: [] }],
  };
  const cluster = { ...holder, addresses: ['192.168.0.2'] };
  t.deepEqual(
    nodePortAddresses({ services: [nodePortService({ addresses: ['10.96.0.53'] }), cluster] }),
    ['10.0.0.1'],
  );
  const balanced = {
    ...holder,
    addresses: ['10.96.0.1'],
    loadBalancer: { addresses: ['10.0.0.1'] },
  };
  t.deepEqual(
    nodePortAddresses({ services: [nodePortService({ addresses: ['10.96.0.53'] }), balanced] }),
    ['192.168.0.2'],
  );
  const external = { ...holder, addresses: ['10.96.0.1'], externalIPs: ['10.0.0.1'] };
  const program = frontends({
    interfaces: INTERFACES,
    services: [nodePortService({ addresses: ['10.96.0.53'] }), external],
  });
  t.is(program['10.0.0.1 30053/17']?.kind, 'external');
  t.is(program['192.168.0.2 30053/17']?.kind, 'nodePort');
});

test('an address that a service begins to use takes its node ports away, and gives them back', (t) => {
  const slots = new Map(INTERFACES.map(({ name }, slot) => [name, { slot }]));
  const compiler = new Compiler(LIMITS);
  const state = new ProgramState();
  const go = (model: Model) => {
    const plan = compiler.plan(checkModel(model), slots);
    state.apply(plan.delta);
    plan.accept();
    return plan;
  };
  const dns = nodePortService({ addresses: ['10.96.0.53'] });
  const web: Service = {
    name: 'web',
    addresses: [],
    loadBalancer: { addresses: ['192.168.0.2'] },
    ports: [{ protocol: 'TCP', port: 80, backends: [] }],
  };
  go({ interfaces: INTERFACES, services: [dns] });
  t.truthy(state.describe().frontends['192.168.0.2 30053/17']);
  go({ services: [dns, web] });
  t.falsy(state.describe().frontends['192.168.0.2 30053/17']);
  const back = go({ services: [dns] });
  t.truthy(state.describe().frontends['192.168.0.2 30053/17']);
  t.is(back.delta.frontends.slot.length, 1, 'nothing else is put again');
});

const RANGES: [name: string, ranges: string[], own: string, program: Record<string, string[]>][] = [
  ['open', [], '192.168.0.2/24', { '203.0.113.9': [], 'fd00:9::9': [] }],
  [
    'of each family; none of a family: open',
    ['198.51.100.0/24'],
    '192.168.0.2/24',
    { '203.0.113.9': ['198.51.100.0/24'], 'fd00:9::9': [] },
  ],
  [
    'both families',
    ['198.51.100.0/24', '2001:db8::/32', '203.0.113.0/25'],
    '192.168.0.2/24',
    { '203.0.113.9': ['198.51.100.0/24', '203.0.113.0/25'], 'fd00:9::9': ['2001:db8::/32'] },
  ],
  [
    'this node is allowed: so is the address itself',
    ['192.168.0.0/24', '2001:db8::/32'],
    '192.168.0.2/24',
    {
      '203.0.113.9': ['192.168.0.0/24', '203.0.113.9/32'],
      'fd00:9::9': ['2001:db8::/32'],
    },
  ],
  [
    'IPv6 node',
    ['fd00:1::/64'],
    'fd00:1::2/64',
    { '203.0.113.9': [], 'fd00:9::9': ['fd00:1::/64', 'fd00:9::9/128'] },
  ],
];

for (const [name, sourceRanges, own, expected] of RANGES) {
  test(`source ranges: ${name}`, (t) => {
    const services: Service[] = [
      {
        name: 'web',
        addresses: ['10.96.0.1', 'fd00:96::1'],
        externalIPs: ['192.0.2.1', '203.0.113.9'],
        loadBalancer: { addresses: Object.keys(expected), sourceRanges },
        ports: [{ protocol: 'TCP', port: 80, nodePort: 30_080, backends: [] }],
      },
    ];
    const interfaces = [{ kind: 'memory' as const, name: 'up', addresses: [own] }];
    for (const [key, { ranges }] of Object.entries(frontends({ services, interfaces }))) {
      t.deepEqual(ranges, expected[key.split(' ')[0]!] ?? [], key);
    }
  });
}

const here = (low: number, over: Partial<Backend> = {}): Backend => {
  return { address: `10.1.0.${low}`, port: 80, node: 'here', ...over };
};
const there = (low: number, over: Partial<Backend> = {}): Backend => {
  return here(low, { ...over, node: 'there' });
};

const LOCAL: [name: string, backends: Backend[], pool: string[]][] = [
  ['nobody anywhere is rejected', [], []],
  ['somebody elsewhere is a silent drop', [there(1)], ['silent']],
  ['nobody ready anywhere is rejected', [there(1, { ready: false })], []],
  [
    'drained here, somebody elsewhere',
    [here(1, { weight: 0 }), there(2)],
    ['silent', '10.1.0.1 80 weight 0'],
  ],
  ['drained here, nobody elsewhere', [here(1, { weight: 0 })], ['10.1.0.1 80 weight 0']],
  ['flushed here', [here(1, { flush: true }), there(2)], ['silent', '10.1.0.1 80 weight 0']],
  ['somebody here', [here(1), there(2)], ['10.1.0.1 80 weight 1']],
];

for (const [name, backends, pool] of LOCAL) {
  test(`policy Local: ${name}`, (t) => {
    const services: Service[] = [
      {
        name: 'web',
        addresses: ['10.96.0.1'],
        internalTrafficPolicy: 'Local',
        ports: [{ protocol: 'TCP', port: 80, backends }],
      },
    ];
    const program = frontends({ services, node: { name: 'here' } });
    t.deepEqual(program['10.96.0.1 80/6']?.pools, { pod: pool, node: pool, outside: pool });
  });
}

test('every backend that may serve is in the table, chosen or not', (t) => {
  const backends = [
    here(1),
    there(2, { hints: { nodes: ['there'] } }),
    here(3, { ready: false, serving: true, terminating: true }),
    here(4, { ready: false, serving: true }),
    here(5, { ready: false }),
    here(6, { ready: false, flush: true }),
    here(7, { ready: true, serving: false }),
    here(8, { weight: 0 }),
  ];
  const services: Service[] = [
    { name: 'web', addresses: ['10.96.0.1'], ports: [{ protocol: 'TCP', port: 80, backends }] },
  ];
  t.deepEqual(compiled({ services }).describe().backends, [
    ...['10.1.0.1 80', '10.1.0.2 80', '10.1.0.3 80', '10.1.0.4 80'],
    ...['10.1.0.6 80 flushed', '10.1.0.7 80', '10.1.0.8 80'],
  ]);
});

test('backends are told apart by state', (t) => {
  const compiler = new Compiler(LIMITS);
  const backends = [
    here(1),
    here(2, { weight: 0 }),
    here(3, { flush: true }),
    here(4, { ready: false, serving: true, terminating: true }),
  ];
  const services: Service[] = [
    { name: 'web', addresses: ['10.96.0.1'], ports: [{ protocol: 'TCP', port: 80, backends }] },
  ];
  compiler.plan(checkModel({ services }), new Map()).accept();
  t.deepEqual(
    [...compiler.view.ports()][0]?.backends.map(({ state }) => state),
    ['active', 'draining', 'flushed', 'standby'],
  );
});

test('protocols, ICMP of each family, affinity', (t) => {
  const protocols = ['TCP', 'UDP', 'SCTP'] as const;
  const services: Service[] = [
    {
      name: 'all',
      addresses: ['10.96.0.1', 'fd00:96::1'],
      affinity: { timeoutSeconds: 60 },
      ports: [
        ...protocols.map((protocol) => ({
          name: protocol.toLowerCase(),
          protocol,
          port: 7,
          backends: [],
        })),
        {
          name: 'icmp',
          protocol: 'ICMP',
          backends: [{ address: '10.1.0.1' }, { address: 'fd00:1::1' }],
        },
      ],
    },
  ];
  const program = frontends({ services });
  t.deepEqual(Object.keys(program), [
    ...['10.96.0.1 0/1', '10.96.0.1 7/132', '10.96.0.1 7/17', '10.96.0.1 7/6'],
    ...['fd00:96::1 0/58', 'fd00:96::1 7/132', 'fd00:96::1 7/17', 'fd00:96::1 7/6'],
  ]);
  t.true(Object.values(program).every(({ affinity }) => affinity === 60));
  t.deepEqual(program['fd00:96::1 0/58']?.pools.outside, ['fd00:1::1 0 weight 1']);
});

test('addresses of the node, scopes and networks', (t) => {
  const { addresses, scopes, podNetworks, serviceNetworks } = compiled({
    interfaces: [
      UP,
      { kind: 'memory', name: 'pod', scope: 'pod' },
      { kind: 'memory', name: 'host', scope: 'host' },
    ],
    node: {
      addresses: ['192.168.0.2', '192.168.9.9', 'fd00:2::9'],
      podNetworks: ['10.1.0.0/16', 'fd00:1::/48'],
      serviceNetworks: ['10.96.0.0/16'],
    },
  }).describe();
  t.deepEqual(addresses, [
    '192.168.0.2/24 on 0',
    '192.168.9.9/32 on 65535',
    'fd00:2::9/128 on 65535',
  ]);
  t.deepEqual(scopes, ['1 1', '2 2']);
  t.deepEqual(podNetworks, ['10.1.0.0/16', 'fd00:1::/48']);
  t.deepEqual(serviceNetworks, ['10.96.0.0/16']);
});

test('a change of the node plans anew what depends on it, and nothing else', (t) => {
  const compiler = new Compiler(LIMITS);
  const plan = (model: Model) => {
    const made = compiler.plan(checkModel(model), new Map([['up', { slot: 0 }]]));
    made.accept();
    return made.delta;
  };
  plan({ services: SERVICES, interfaces: [UP], node: DETECTOR });
  const moved = plan({ node: { ...DETECTOR, name: 'there' } });
  // Only the pools for policy Local; frontends, backends and the other pools stay.
  t.is(moved.frontends.slot.length + moved.backends.slot.length, 0);
  t.is(moved.pools.slot.length, 2);
  t.deepEqual([moved.addresses, moved.podNetworks], [null, null]);
  const renumbered = plan({ interfaces: [{ ...UP, addresses: ['192.168.0.3/24'] }] });
  t.is(renumbered.frontends.slot.length, 3, 'the node ports');
  t.is(renumbered.removedFrontends.length, 3);
  t.is(renumbered.pools.slot.length, 0);
});
