// SPDX-License-Identifier: Apache-2.0

/** JSON of an API object, or of a part of one. What may be in it is checked where it is read. */
// biome-ignore lint/suspicious/noExplicitAny: the objects of an API have any shape
export type Tree = any;

export interface Metadata {
  name: string;
  namespace?: string;
  uid: string;
  resourceVersion: string;
  creationTimestamp: string;
  generateName?: string;
  generation?: number;
  deletionTimestamp?: string;
  deletionGracePeriodSeconds?: number;
  labels?: Record<string, string>;
  annotations?: Record<string, string>;
  finalizers?: string[];
  managedFields?: Tree[];
  ownerReferences?: Tree[];
}

/** An object as it is stored: without `apiVersion` and `kind`, which the resource knows. */
export interface KubeObject {
  metadata: Metadata;
  spec?: Tree;
  status?: Tree;
  [field: string]: Tree;
}

export const isRecord = (value: unknown): value is Record<string, Tree> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** Kubernetes' times have whole seconds. */
export const timestamp = (ms = Date.now()): string =>
  new Date(ms).toISOString().replace(/\.\d+Z$/, 'Z');

export function sameJson(a: unknown, b: unknown): boolean {
  if (a === b) return true;
  if (Array.isArray(a)) {
    return (
      Array.isArray(b) &&
      a.length === b.length &&
      a.every((item, index) => sameJson(item, b[index]))
    );
  }
  if (!isRecord(a) || !isRecord(b)) return false;
  const keys = Object.keys(a).filter((key) => a[key] !== undefined);
  const others = Object.keys(b).filter((key) => b[key] !== undefined);
  return keys.length === others.length && keys.every((key) => sameJson(a[key], b[key]));
}

/** Of JSON: several times as fast as `structuredClone`. */
export function clone<T>(value: T): T {
  if (Array.isArray(value)) return value.map(clone) as T;
  if (!isRecord(value)) return value;
  const copy: Record<string, Tree> = {};
  for (const name in value) copy[name] = clone((value as Record<string, Tree>)[name]);
  return copy as T;
}
