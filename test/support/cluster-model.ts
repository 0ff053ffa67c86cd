// SPDX-License-Identifier: Apache-2.0

import type { Changes } from '../../lib/model/changes.js';
import { checkModel } from '../../lib/model/check.js';
import type { Model } from '../../lib/model/model.js';
import type { ClusterChange, ServiceHealth } from '../../lib/sources/kubernetes/cluster-state.js';

type Sections = Required<Pick<Model, 'services' | 'namespaces' | 'pods' | 'policies'>>;

const NAMES = ['services', 'namespaces', 'pods', 'policies'] as const;

/** What all changes add up to, as their owner would have it; each step is a model that is right. */
export class ClusterModel {
  readonly health = new Map<string, ServiceHealth>();
  readonly warnings: string[] = [];
  readonly refused: string[] = [];
  noLocalEndpoints: ClusterChange['noLocalEndpoints'];
  /** All changes have been made: nobody knows what there was of one that was not. */
  #isSure = true;
  readonly #sections = {
    services: new Map<string, object>(),
    namespaces: new Map<string, object>(),
    pods: new Map<string, object>(),
    policies: new Map<string, object>(),
  };

  /** @param made - `false`: it is told alone */
  apply(change: ClusterChange, made = true): this {
    this.warnings.push(
      ...change.warnings.map(({ kind, name, message }) => `${kind} ${name}: ${message}`),
    );
    this.refused.push(...change.refused.map(({ name, path }) => `${name} ${path}`));
    if (!made) this.#isSure = false;
    if (!made) return this;
    for (const name of NAMES) {
      const { put = [], removed = [] } = (change.model[name] ?? {}) as Changes<Keyed>;
      const section = this.#sections[name];
      for (const key of removed) {
        if (!section.delete(key) && this.#isSure)
          throw new Error(`${name}: ${key} is not there to be removed`);
      }
      const keys = put.map(keyOf);
      if (new Set([...keys, ...removed]).size < keys.length + removed.length) {
        throw new Error(`${name}: a key is there twice`);
      }
      for (const each of put) section.set(keyOf(each), each);
    }
    for (const [key, health] of change.health) {
      if (health === null) this.health.delete(key);
      else this.health.set(key, health);
    }
    this.noLocalEndpoints = change.noLocalEndpoints;
    checkModel(this.sections());
    return this;
  }

  /** By namespace and name, policies of the tier `network` first. */
  sections(): Sections {
    const rows = NAMES.map((name) => [
      name,
      [...this.#sections[name].values()].sort(byKey as never),
    ]);
    return Object.fromEntries(rows) as Sections;
  }
}

interface Keyed {
  namespace?: string;
  name: string;
  tier?: string;
}

function keyOf({ namespace, name }: Keyed): string {
  return namespace === undefined ? name : `${namespace}/${name}`;
}

function byKey(a: Keyed, b: Keyed): number {
  const text = ({ tier, namespace = '', name }: Keyed) =>
    `${Number(tier !== undefined && tier !== 'network')} ${namespace} ${name}`;
  return text(a) < text(b) ? -1 : 1;
}
