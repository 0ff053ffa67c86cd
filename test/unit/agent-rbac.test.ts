// SPDX-License-Identifier: Apache-2.0
import { readFileSync } from 'node:fs';
import test from 'ava';
import { parseAllDocuments } from 'yaml';
import { watchedResources } from '../../lib/sources/apiserver/resources.js';

interface Rule {
  apiGroups: string[];
  resources: string[];
  verbs: string[];
}

const FILE = new URL('../../deploy/kubernetes/rbac.yaml', import.meta.url);
const documents = parseAllDocuments(readFileSync(FILE, 'utf8')).map((each) => each.toJS());
const { rules } = documents.find(({ kind }) => kind === 'ClusterRole') as { rules: Rule[] };

const granted = rules
  .flatMap(({ apiGroups, resources, verbs }) =>
    apiGroups.flatMap((group) =>
      resources.map((resource) => `${group}/${resource} ${[...verbs].sort()}`),
    ),
  )
  .sort();

/** `/apis/GROUP/VERSION/RESOURCE`, or `/api/v1/RESOURCE`. */
function resourceOf(path: string): string {
  const [, , group, , resource] = path.split('/');
  return path.startsWith('/api/') ? `/${path.split('/')[3]}` : `${group}/${resource}`;
}

test('the role of the agent is what it watches, and Events, and nothing else', (t) => {
  const watched = watchedResources({ nodeName: 'here' }).map(
    ({ path }) => `${resourceOf(path)} list,watch`,
  );
  t.deepEqual(granted, [...watched, 'events.k8s.io/events create,patch'].sort());
});

test('the role is bound to the service account that is there', (t) => {
  const named = (kind: string) => documents.find((each) => each.kind === kind);
  const { name, namespace } = named('ServiceAccount').metadata;
  t.deepEqual(named('ClusterRoleBinding').subjects, [{ kind: 'ServiceAccount', name, namespace }]);
  t.is(named('ClusterRoleBinding').roleRef.name, named('ClusterRole').metadata.name);
});
