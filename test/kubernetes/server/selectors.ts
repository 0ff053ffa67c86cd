// SPDX-License-Identifier: Apache-2.0
import type { KubeObject, Tree } from './objects.js';
import type { Resource } from './resources.js';
import { badRequest } from './status.js';

export type Predicate = (object: KubeObject) => boolean;

type Requirement = (labels: Readonly<Record<string, string>>) => boolean;

const KEY = `([A-Za-z0-9](?:[A-Za-z0-9._/-]*[A-Za-z0-9])?)`;
const FORMS: readonly [RegExp, (key: string, operator: string, value: string) => Requirement][] = [
  [new RegExp(`^!\\s*${KEY}()()$`), (key) => (labels) => labels[key] === undefined],
  [new RegExp(`^${KEY}()()$`), (key) => (labels) => labels[key] !== undefined],
  [
    new RegExp(`^${KEY}\\s*(==|=|!=)\\s*([A-Za-z0-9._-]*)$`),
    (key, operator, value) => (labels) => (labels[key] === value) !== (operator === '!='),
  ],
  [
    new RegExp(`^${KEY}\\s+(in|notin)\\s*\\(([^()]*)\\)$`),
    (key, operator, value) => {
      const values = new Set(value.split(',').map((item) => item.trim()));
      // What is not there is in no set.
      return (labels) =>
        (labels[key] !== undefined && values.has(labels[key])) === (operator === 'in');
    },
  ],
  [
    new RegExp(`^${KEY}\\s*([<>])\\s*(-?[0-9]+)$`),
    (key, operator, value) => (labels) => {
      const number = /^-?\d+$/.test(labels[key] ?? '') ? Number(labels[key]) : Number.NaN;
      return operator === '<' ? number < Number(value) : number > Number(value);
    },
  ],
];

/** @throws ApiError 400. */
export function labelSelector(text: string): Predicate {
  const requirements = text
    .split(/,(?![^(]*\))/)
    .map((part) => part.trim())
    .filter((part) => part !== '')
    .map((part): Requirement => {
      for (const [form, make] of FORMS) {
        const [match, key = '', operator = '', value = ''] = form.exec(part) ?? [];
        if (match !== undefined) return make(key, operator, value);
      }
      throw badRequest(
        `unable to parse requirement: found '${part}', expected: identifier, operator or ','`,
      );
    });
  return ({ metadata }) => requirements.every((holds) => holds(metadata.labels ?? {}));
}

/** @throws ApiError 400, for a field that objects of the kind cannot be selected by, too. */
export function fieldSelector(text: string, resource: Resource): Predicate {
  const tests = text
    .split(',')
    .filter((part) => part.trim() !== '')
    .map((part): Predicate => {
      const [match, field = '', operator = '', value = ''] =
        /^([^=!]+?)\s*(==|=|!=)(.*)$/.exec(part.trim()) ?? [];
      if (match === undefined) {
        throw badRequest(`invalid field selector: ${JSON.stringify(part)}; can't understand it`);
      }
      const known =
        field === 'metadata.name' ||
        (field === 'metadata.namespace' && resource.namespaced) ||
        resource.selectable.includes(field);
      if (!known) throw badRequest(`field label not supported: ${field}`);
      const path = field.split('.');
      return (object) => (String(at(object, path)) === value) !== (operator === '!=');
    });
  return (object) => tests.every((holds) => holds(object));
}

const at = (object: Tree, path: readonly string[]): Tree =>
  path.reduce((value, name) => value?.[name], object) ?? '';
