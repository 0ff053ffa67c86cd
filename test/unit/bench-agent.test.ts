// SPDX-License-Identifier: Apache-2.0
import test from 'ava';
import {
  benchService,
  firstObjects,
  NODE_NAME,
  podAddress,
  populatedService,
  serviceObject,
  sliceObject,
} from '../../benchmarks/rig/cluster-objects.js';
import { percentile } from '../../benchmarks/rig/percentile.js';
import { ClusterState } from '../../lib/sources/kubernetes/cluster-state.js';

const EACH = 10;

test('what the generator makes is what the agent serves, endpoint by endpoint', (t) => {
  const made = [populatedService(0, EACH), populatedService(9_999, EACH), probe()];
  const state = new ClusterState({ nodeName: NODE_NAME });
  for (const object of firstObjects())
    state.put(object.kind === 'Node' ? 'Node' : 'Namespace', stored(object));
  for (const service of made) {
    state.put('EndpointSlice', stored(sliceObject(service)));
    state.put('Service', stored(serviceObject(service)));
  }
  const { model, refused, warnings } = state.take();
  t.deepEqual([refused, warnings], [[], []]);
  const served = new Map(model.services!.put!.map((service) => [service.name, service]));
  t.is(served.size, made.length);
  for (const { name, address, protocol, pods } of made) {
    const { addresses, ports } = served.get(name)!;
    t.deepEqual(addresses, [address]);
    t.is(ports[0]!.protocol, protocol);
    const backends = ports[0]!.backends.map((backend) => backend.address);
    t.deepEqual(backends.toSorted(), pods.map(podAddress).toSorted());
  }
});

test('no two Services have an address or a slice in common, and no two pods an address', (t) => {
  const services = [
    ...Array.from({ length: 10_000 }, (_, index) => populatedService(index, EACH)),
    ...Array.from({ length: 1_500 }, (_, index) => benchService(`new-${index}`, index, [])),
  ];
  t.is(new Set(services.map(({ address }) => address)).size, services.length);
  t.is(new Set(services.map((each) => sliceObject(each).metadata.name)).size, services.length);
  const pods = Array.from({ length: 240_000 }, (_, pod) => podAddress(pod));
  t.is(new Set(pods).size, pods.length);
  t.is(podAddress(240_000), pods[0]!, 'then they begin anew');
});

test('objects are about as long as those of a real cluster', (t) => {
  const service = populatedService(1, EACH);
  const [endpoint] = sliceObject(service).endpoints;
  t.deepEqual(Object.keys(endpoint).toSorted(), [
    ...['addresses', 'conditions', 'nodeName', 'targetRef', 'zone'],
  ]);
  t.regex(endpoint.targetRef.uid, /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/);
  t.regex(endpoint.targetRef.name, /^service-00001-[a-z0-9]{10}-[a-z0-9]{5}$/);
});

test('a percentile is one of the values', (t) => {
  const values = Array.from({ length: 500 }, (_, at) => 500 - at);
  t.deepEqual(
    [0.5, 0.99, 1].map((share) => percentile(values, share)),
    [250, 495, 500],
  );
  t.is(percentile([7], 0.99), 7);
  t.throws(() => percentile([], 0.5), { instanceOf: RangeError });
});

function probe() {
  return benchService('probe', 0, [123]);
}

/** With what the server gives. */
function stored(object: ReturnType<typeof sliceObject>): object {
  const { name } = object.metadata;
  return { ...object, metadata: { ...object.metadata, uid: `uid-${name}`, resourceVersion: '1' } };
}
