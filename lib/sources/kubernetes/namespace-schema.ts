// SPDX-License-Identifier: Apache-2.0
import { z } from 'zod';
import { isObjectName } from '../../model/check-name.js';
import { expected, metadata } from './schema.js';

/** Shorter than those of other objects. */
const name = metadata.shape.name.refine(
  (text) => isObjectName(text, 63),
  expected('a name of at most 63 characters'),
);

/** A core/v1 Namespace. */
export const namespaceSchema = z.object({ metadata: metadata.extend({ name }) });
