// SPDX-License-Identifier: Apache-2.0
import { SluiceError } from '../errors.js';
import type { CheckedLabelExpression, CheckedLabelSelector } from './checked-policy.js';
import { show } from './explain.js';
import { Fields, isPlainObject } from './fields.js';
import { LABEL_OPERATORS, type Labels } from './policy.js';

const SELECTOR_KEYS = ['matchLabels', 'matchExpressions'];
const EXPRESSION_KEYS = ['key', 'operator', 'values'];

/** The labels behind `key`, none where it is left out. */
export function checkLabels(fields: Fields, key: string): Labels {
  if (!fields.has(key)) return {};
  const labels = fields.value(key);
  if (!isPlainObject(labels)) return fields.expected(key, 'an object of labels');
  for (const [label, value] of Object.entries(labels)) {
    if (typeof value === 'string') continue;
    const message = `expected a text (quote numbers and booleans), found ${show(value)}`;
    throw new SluiceError(fields.code, message, {
      path: `${fields.pathOf(key)}[${JSON.stringify(label)}]`,
    });
  }
  return { ...(labels as Labels) };
}

/** The selector behind `key`. */
export function checkLabelSelector(parent: Fields, key: string): CheckedLabelSelector {
  const fields = new Fields(parent.value(key), parent.pathOf(key), parent.code, SELECTOR_KEYS);
  const labels = Object.entries(checkLabels(fields, 'matchLabels'));
  const exact = labels.map(([label, value]) => labelIs(label, value));
  if (!fields.has('matchExpressions')) return exact;
  const path = fields.pathOf('matchExpressions');
  const expressions = fields
    .list('matchExpressions', 'expressions')
    .map((value, index) => checkExpression(value, `${path}[${index}]`, fields));
  return [...exact, ...expressions];
}

/** The expression that one label says by itself. */
export function labelIs(key: string, value: string): CheckedLabelExpression {
  return { key, operator: 'In', values: [value] };
}

function checkExpression(value: unknown, path: string, { code }: Fields): CheckedLabelExpression {
  const fields = new Fields(value, path, code, EXPRESSION_KEYS);
  const key = fields.string('key', 'the key of a label');
  const operator = fields.oneOf('operator', LABEL_OPERATORS);
  const values = fields.has('values') ? fields.list('values', 'values') : [];
  values.forEach((item, index) => {
    if (typeof item === 'string') return;
    const message = `expected a text (quote numbers and booleans), found ${show(item)}`;
    throw new SluiceError(code, message, { path: `${path}.values[${index}]` });
  });
  const needed = operator === 'In' || operator === 'NotIn';
  if (needed && values.length === 0) fields.expected('values', `at least one value (${operator})`);
  if (!needed && values.length > 0) fields.expected('values', `none (${operator})`);
  return { key, operator, values: values as readonly string[] };
}
