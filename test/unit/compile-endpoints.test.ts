// SPDX-License-Identifier: Apache-2.0
import test from 'ava';
import { canServe, chooseCluster, chooseLocal } from '../../lib/compile/endpoints.js';
import type { CheckedBackend } from '../../lib/model/checked.js';

// Endpoints as words: `a` ready, `a*` terminating and still serving, `a!` terminating and not
// serving, `a-` not ready; then `@NODE`, `z=ZONE,..` and `n=NODE,..` (hints), `w=WEIGHT`, `flush`.
// The node that decides is `here`, in zone `zone-a`, unless the row says something else.

/** What there is, what policy Cluster and what policy Local choose; `-` in front: none anywhere. */
type Row = [name: string, endpoints: string, cluster: string, local: string, here?: string];

const ROWS: Row[] = [
  ['no endpoints', '', '', '- '],
  ['ready ones, without hints', 'a b@there c@here', 'a b c', 'c'],
  ['an unknown node is not this one', 'a', 'a', ''],
  ['only endpoints elsewhere', 'a@there b@far', 'a b', ''],
  ['only local ones', 'a@here b@here', 'a b', 'a b'],
  ['unready ones are left out', 'a- b@here', 'b', 'b'],
  ['unready alone', 'a-@here b-', '', '- '],
  ['unready locally, ready elsewhere', 'a-@here b@there', 'b', ''],

  ['all hinted to this zone', 'a,z=zone-a b,z=zone-a', 'a b', ''],
  ['some hinted to this zone', 'a,z=zone-a b,z=zone-b', 'a', ''],
  ['several hints for one endpoint', 'a,z=zone-a+zone-b b,z=zone-b c,z=zone-c', 'a', ''],
  ['nobody hinted to this zone', 'a,z=zone-b b,z=zone-c', 'a b', ''],
  ['a hint missing on one', 'a,z=zone-a b', 'a b', ''],
  ['an empty list of hints on one', 'a,z=zone-a b,n=there', 'a b', ''],
  ['a hint missing on an unready one is no matter', 'a,z=zone-a b- c,z=zone-b', 'a', ''],
  ['a hint missing on a terminating one is no matter', 'a,z=zone-a b* c,z=zone-b', 'a', ''],
  ['only unready ones in this zone', 'a-,z=zone-a b,z=zone-b', 'b', ''],
  ['only terminating ones in this zone', 'a*,z=zone-a b,z=zone-b', 'b', ''],
  ['the zone of this node is not known', 'a,z=zone-a b,z=zone-b', 'a b', '', 'here/'],
  ['hints for zones do not concern policy Local', 'a@here,z=zone-b b,z=zone-a', 'b', 'a'],
  ['a local endpoint is not preferred by policy Cluster', 'a@here b@there', 'a b', 'a'],

  ['all hinted to this node', 'a,n=here b,n=here', 'a b', ''],
  ['some hinted to this node', 'a@here,n=here b@there,n=there', 'a', 'a'],
  ['nobody hinted to this node', 'a,n=there b,n=far', 'a b', ''],
  ['a node hint missing on one', 'a,n=here b', 'a b', ''],
  ['hints for nodes go before those for zones', 'a,n=here,z=zone-b b,n=there,z=zone-a', 'a', ''],
  ['no hint for this node, one for its zone', 'a,n=far,z=zone-a b,n=there,z=zone-b', 'a', ''],
  ['node hints incomplete, zone hints complete', 'a,n=here,z=zone-b b,z=zone-a', 'b', ''],
  ['several nodes hinted', 'a,n=here+there b,n=there', 'a', ''],
  ['the name of this node is not known', 'a@here,n=here b,n=there', 'a b', '', '/zone-a'],
  ['hints for nodes do not concern policy Local', 'a@here,n=there b@here,n=here', 'b', 'a b'],

  ['terminating ones get nothing while one is ready', 'a* b', 'b', ''],
  ['terminating ones are the last resort', 'a* b*@here c!', 'a b', 'b'],
  ['never those that do not serve', 'a! b!@here', '', '- '],
  ['the last resort is decided for policy Local by itself', 'a*@here b@there', 'b', 'a'],
  ['and for policy Cluster by itself', 'a@here b*@there', 'a', 'a'],
  ['local ready and local terminating', 'a*@here b@here', 'b', 'b'],
  ['terminating elsewhere only', 'a*@there', 'a', ''],
  ['terminating here and unready here', 'a*@here b-@here', 'a', 'a'],
  ['the last resort knows no hints', 'a*,z=zone-a b*,z=zone-b', 'a b', ''],

  ['a weight of 0 is chosen as well', 'a@here,w=0 b', 'a b', 'a'],
  ['drained everywhere: as if there were none', 'a@here,w=0 b,w=0', 'a b', '- a'],
  ['flushed everywhere: as if there were none', 'a@here,flush', 'a', '- a'],
];

function endpoint(text: string): CheckedBackend {
  const [head = '', ...rest] = text.split(',');
  const [, name = '', mark = '', node = null] = /^(\w)([*!-]?)(?:@(\w+))?$/.exec(head) ?? [];
  const values = (key: string) =>
    rest.filter((part) => part.startsWith(`${key}=`)).flatMap((part) => part.slice(2).split('+'));
  return {
    address: name,
    family: 4,
    port: 80,
    weight: Number(values('w')[0] ?? 1),
    flush: rest.includes('flush'),
    ready: mark === '',
    serving: mark === '' || mark === '*',
    terminating: mark === '*' || mark === '!',
    node,
    zoneHints: values('z'),
    nodeHints: values('n'),
    through: null,
  };
}

for (const [name, endpoints, cluster, local, where = 'here/zone-a'] of ROWS) {
  test(name, (t) => {
    const [node, zone] = where.split('/').map((part) => (part === '' ? null : part));
    const rows = endpoints === '' ? [] : endpoints.split(' ').map(endpoint);
    const here = { node: node!, zone: zone! };
    const names = (chosen: readonly CheckedBackend[]) =>
      chosen.map(({ address }) => address).join(' ');
    t.is(names(chooseCluster(rows, here)), cluster);
    t.is(`${canServe(rows) ? '' : '- '}${names(chooseLocal(rows, here))}`, local);
  });
}
