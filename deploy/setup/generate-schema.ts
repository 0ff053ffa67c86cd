// SPDX-License-Identifier: Apache-2.0
// Writes the JSON Schema of the agent's configuration, which is made from what checks it. Unlike
// generate.js it needs the packages.
import { mkdirSync, writeFileSync } from 'node:fs';
import { configurationJsonSchema } from '../../lib/agent/configuration-schema.js';

const file = new URL('../../schemas/agent-configuration.schema.json', import.meta.url);
mkdirSync(new URL('.', file), { recursive: true });
writeFileSync(file, `${JSON.stringify(configurationJsonSchema(), null, 2)}\n`);
