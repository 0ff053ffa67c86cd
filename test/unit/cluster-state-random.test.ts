// SPDX-License-Identifier: Apache-2.0
import test from 'ava';
import fc from 'fast-check';
import { type ClusterChange, ClusterState } from '../../lib/sources/kubernetes/cluster-state.js';
import {
  readClusterNetworkPolicy,
  readEndpointSlice,
  readNamespace,
  readNetworkPolicy,
  readPod,
  readService,
} from '../../lib/sources/kubernetes/objects.js';
import { translate } from '../../lib/sources/kubernetes/translate.js';
import { translatePolicy } from '../../lib/sources/kubernetes/translate-policy.js';
import { ClusterModel } from '../support/cluster-model.js';
import { type Named, OBJECTS } from '../support/cluster-random.js';

type Kind = keyof typeof OBJECTS;
type Step =
  | { do: 'put'; kind: Kind; object: Named }
  | { do: 'remove'; kind: Kind; which: number }
  | { do: 'relist'; kind: Kind; kept: boolean[] }
  | { do: 'take'; limit: number; made: boolean };

const KINDS = Object.keys(OBJECTS) as Kind[];
const kind = fc.constantFrom(...KINDS, 'Service' as const, 'EndpointSlice' as const);
const put = fc.oneof(
  ...[...KINDS, ...(['Service', 'Service', 'EndpointSlice', 'Pod'] as const)].map((each) =>
    OBJECTS[each].map((object): Step => ({ do: 'put', kind: each, object })),
  ),
);
const step: fc.Arbitrary<Step> = fc.oneof(
  { arbitrary: put, weight: 8 },
  {
    arbitrary: fc.record({ do: fc.constant('remove' as const), kind, which: fc.nat(50) }),
    weight: 2,
  },
  {
    arbitrary: fc.record({
      do: fc.constant('relist' as const),
      kind,
      kept: fc.array(fc.boolean(), { minLength: 1, maxLength: 4 }),
    }),
    weight: 1,
  },
  {
    arbitrary: fc.record({
      do: fc.constant('take' as const),
      limit: fc.constantFrom(1, 1, 2, 100),
      made: fc.boolean(),
    }),
    weight: 4,
  },
);

/** What an API server has. */
class Objects {
  readonly #kinds = new Map<Kind, Map<string, Named>>();
  #version = 0;

  of<T>(kind: Kind, read: (object: unknown) => T): T[] {
    return [...this.#all(kind).values()].map(read);
  }

  put(kind: Kind, object: Named): Named {
    const { name, namespace } = object.metadata;
    const metadata = { ...object.metadata, uid: 'u', resourceVersion: `${++this.#version}` };
    const versioned = { ...object, metadata };
    this.#all(kind).set(`${namespace}/${name}`, versioned);
    return versioned;
  }

  remove(kind: Kind, which: number): Named | null {
    const keys = [...this.#all(kind).keys()];
    const key = keys[which % keys.length];
    const object = this.#all(kind).get(key ?? '') ?? null;
    this.#all(kind).delete(key ?? '');
    return object;
  }

  keep(kind: Kind, kept: readonly boolean[]): Named[] {
    [...this.#all(kind).keys()].forEach((key, index) => {
      if (!kept[index % kept.length]) this.#all(kind).delete(key);
    });
    return [...this.#all(kind).values()];
  }

  #all(kind: Kind): Map<string, Named> {
    const all = this.#kinds.get(kind) ?? new Map<string, Named>();
    this.#kinds.set(kind, all);
    return all;
  }
}

function wholeOf(objects: Objects) {
  const { services } = translate({
    services: objects.of('Service', readService),
    endpointSlices: objects.of('EndpointSlice', readEndpointSlice),
  });
  const { warnings, ...policy } = translatePolicy({
    pods: objects.of('Pod', readPod),
    namespaces: objects.of('Namespace', readNamespace),
    networkPolicies: objects.of('NetworkPolicy', readNetworkPolicy),
    clusterNetworkPolicies: objects.of('ClusterNetworkPolicy', readClusterNetworkPolicy),
  });
  return { services, ...policy };
}

/** All that a state has to give, step by step. */
function drain(state: ClusterState, model: ClusterModel, limit: number): ClusterModel {
  let change: ClusterChange;
  do {
    change = state.take(limit);
    model.apply(change);
  } while (change.more);
  return model;
}

test('whatever comes in whatever order adds up to the whole translation', (t) => {
  const property = fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
    const state = new ClusterState({ nodeName: 'here' });
    const objects = new Objects();
    const model = new ClusterModel();
    for (const each of steps) {
      if (each.do === 'put') state.put(each.kind, objects.put(each.kind, each.object));
      else if (each.do === 'remove') {
        const object = objects.remove(each.kind, each.which);
        if (object !== null) state.remove(each.kind, object);
      } else if (each.do === 'relist') {
        state.beginList(each.kind);
        for (const object of objects.keep(each.kind, each.kept)) state.put(each.kind, object);
        state.endList(each.kind);
      } else {
        const change = state.take(each.limit);
        model.apply(change, each.made);
        if (!each.made) state.putBack(change);
      }
    }
    drain(state, model, 2);
    t.false(state.dirty);
    t.deepEqual(state.pending, { services: 0, endpoints: 0 });
    t.deepEqual(model.sections(), wholeOf(objects));

    const fresh = new ClusterState({ nodeName: 'here' });
    for (const kind of KINDS) {
      for (const object of objects.of(kind, (each) => each)) fresh.put(kind, object);
    }
    const at = drain(fresh, new ClusterModel(), 100);
    t.deepEqual(sorted(model.health), sorted(at.health));
    t.deepEqual(model.noLocalEndpoints, at.noLocalEndpoints);
    const untold = at.warnings.filter((warning) => !model.warnings.includes(warning));
    t.deepEqual(untold, []);
  });
  t.notThrows(() => fc.assert(property, { numRuns: 1_500 }));
});

const sorted = (map: ReadonlyMap<string, unknown>) => [...map].sort(([a], [b]) => (a < b ? -1 : 1));
