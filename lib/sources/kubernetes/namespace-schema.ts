// SPDX-License-Identifier: Apache-2.0
import { z } from 'zod';
import { metadata } from './schema.js';

/** A core/v1 Namespace. */
export const namespaceSchema = z.object({ metadata });
