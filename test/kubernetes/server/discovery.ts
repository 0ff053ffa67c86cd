// SPDX-License-Identifier: Apache-2.0
import type { Tree } from './objects.js';
import type { Resource, Subresource } from './resources.js';

export const VERSION = {
  major: '1',
  minor: '36',
  emulationMajor: '1',
  emulationMinor: '36',
  minCompatibilityMajor: '1',
  minCompatibilityMinor: '35',
  gitVersion: 'v1.36.2',
  gitCommit: '',
  gitTreeState: 'archive',
  buildDate: '1970-01-01T00:00:00Z',
  goVersion: 'go1.26.11',
  compiler: 'gc',
  platform: 'linux/amd64',
};

const VERBS = ['create', 'delete', 'deletecollection', 'get', 'list', 'patch', 'update', 'watch'];

/** The text at a path that tells what is served, or undefined. */
export function discovery(path: string, resources: readonly Resource[]): Tree | undefined {
  const [root = '', ...rest] = path.split('/').filter((part) => part !== '');
  if (root === 'version' && rest.length === 0) return VERSION;
  if (root === 'openapi') return openApi(rest[0]);
  if (root === 'api') {
    if (rest.length === 0) {
      return { kind: 'APIVersions', versions: ['v1'], serverAddressByClientCIDRs: [] };
    }
    return rest.length === 1 && rest[0] === 'v1' ? resourceList('', 'v1', resources) : undefined;
  }
  if (root !== 'apis') return undefined;
  const [name, version] = rest;
  if (name === undefined) {
    const names = [...new Set(resources.map(({ group }) => group))].filter((group) => group !== '');
    return {
      kind: 'APIGroupList',
      apiVersion: 'v1',
      groups: names.map((group) => groupOf(group, resources)),
    };
  }
  if (!resources.some(({ group }) => group === name)) return undefined;
  if (version === undefined) {
    return { kind: 'APIGroup', apiVersion: 'v1', ...groupOf(name, resources) };
  }
  const isServed = resources.some((one) => one.group === name && one.version === version);
  return rest.length === 2 && isServed ? resourceList(name, version, resources) : undefined;
}

function groupOf(name: string, resources: readonly Resource[]): Tree {
  const versions = [
    ...new Set(resources.filter(({ group }) => group === name).map(({ version }) => version)),
  ].map((version) => ({ groupVersion: `${name}/${version}`, version }));
  return { name, versions, preferredVersion: versions[0] };
}

function resourceList(group: string, version: string, resources: readonly Resource[]): Tree {
  const served = resources.filter((one) => one.group === group && one.version === version);
  return {
    kind: 'APIResourceList',
    ...(group && { apiVersion: 'v1' }),
    groupVersion: group ? `${group}/${version}` : version,
    resources: served.flatMap((one) => [
      {
        name: one.plural,
        singularName: one.singular,
        namespaced: one.namespaced,
        kind: one.kind,
        verbs: VERBS,
        ...(one.shortNames.length > 0 && { shortNames: one.shortNames }),
        ...(['pods', 'services', 'deployments'].includes(one.plural) && { categories: ['all'] }),
      },
      ...one.subresources.map((subresource) => subresourceOf(one, subresource)),
    ]),
  };
}

function subresourceOf(resource: Resource, subresource: Subresource): Tree {
  const isScale = subresource === 'scale';
  return {
    name: `${resource.plural}/${subresource}`,
    singularName: '',
    namespaced: resource.namespaced,
    ...(isScale && { group: 'autoscaling', version: 'v1' }),
    kind: isScale ? 'Scale' : resource.kind,
    verbs: subresource === 'finalize' ? ['update'] : ['get', 'patch', 'update'],
  };
}

/** No schemas: clients that ask for them take what they know themselves. */
function openApi(version: string | undefined): Tree | undefined {
  const info = { title: 'Kubernetes', version: VERSION.gitVersion };
  if (version === 'v2') return { swagger: '2.0', info, paths: {}, definitions: {} };
  if (version === 'v3') return { paths: {} };
  return undefined;
}
