// SPDX-License-Identifier: Apache-2.0
import { z } from 'zod';
import { LABEL_OPERATORS } from '../../model/policy.js';
import { expected, labels, listOf, objectOf, oneOf, text } from './schema.js';

const KEY = 'the key of a label';

const expression = objectOf(
  {
    key: text(KEY).min(1, expected(KEY)),
    operator: oneOf(LABEL_OPERATORS),
    values: listOf(text('a text (quote numbers and booleans)'), 'values'),
  },
  'an expression',
).superRefine(({ operator, values }, context) => {
  const needed = operator === 'In' || operator === 'NotIn';
  if (needed === values.length > 0) return;
  const rule = needed ? 'at least one value' : 'no values';
  const message = `expected ${rule} (${operator}), found ${values.length}`;
  context.addIssue({ code: 'custom', message, path: ['values'] });
});

/** A meta/v1 LabelSelector. */
export const labelSelector = z
  .object(
    { matchLabels: labels, matchExpressions: listOf(expression, 'expressions') },
    expected('an object with matchLabels or matchExpressions'),
  )
  .transform(({ matchLabels, matchExpressions }) => ({
    ...(Object.keys(matchLabels).length > 0 && { matchLabels }),
    ...(matchExpressions.length > 0 && {
      matchExpressions: matchExpressions.map(({ key, operator, values }) => ({
        key,
        operator,
        ...(values.length > 0 && { values }),
      })),
    }),
  }));
