// SPDX-License-Identifier: Apache-2.0
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import test from 'ava';
import { importViolations } from '../support/import-rules.js';

const root = fileURLToPath(new URL('../../', import.meta.url));

function filesUnder(folder: string, suffix: RegExp): string[] {
  return readdirSync(join(root, folder), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && suffix.test(entry.name))
    .map((entry) => join(entry.parentPath, entry.name).slice(root.length))
    .sort();
}

const violationsIn = (paths: readonly string[]): string[] =>
  paths.flatMap((path) => importViolations(path, readFileSync(join(root, path), 'utf8')));

test('native/ includes in one direction', (t) => {
  const files = filesUnder('native', /\.(h|cc)$/);
  t.true(files.length > 10, 'the files are found at all');
  t.deepEqual(violationsIn(files), []);
});

test('lib/ imports in one direction', (t) => {
  const files = filesUnder('lib', /\.ts$/);
  t.true(files.length > 10, 'the files are found at all');
  t.deepEqual(violationsIn(files), []);
});

const FORBIDDEN: readonly (readonly [path: string, line: string])[] = [
  ['native/base/checksum.h', '#include "packet/burst.h"'],
  ['native/packet/parse.cc', '#include "table/flow_table.h"'],
  ['native/table/maglev.cc', '#include "config/snapshot.h"'],
  ['native/config/decode.cc', '#include "stage/context.h"'],
  ['native/stage/nat.cc', '#include "engine/worker.h"'],
  ['native/stage/nat.cc', '#include <rte_mbuf.h>'],
  ['native/table/maglev.cc', '#include <rte_fib.h>'],
  ['native/engine/worker.cc', '#include <napi.h>'],
  ['native/engine/worker.cc', '  #  include "binding/addon.h"'],
  ['native/stage/nat.cc', '#include "testing/delta.h"'],
  ['native/tools/x.cc', ''],
  ['lib/errors.ts', "import { Model } from './model/model.js';"],
  ['lib/model/check.ts', "import { compile } from '../compile/compile.js';"],
  ['lib/compile/compile.ts', "import type { Engine } from '../engine/engine.js';"],
  ['lib/engine/engine.ts', "import type { Model } from '../model/model.js';"],
  ['lib/engine/engine.ts', "import { compile } from '../compile/compile.js';"],
  ['lib/engine/software/engine.ts', "import { load } from '../native/addon.js';"],
  ['lib/engine/software/engine.ts', "import pino from 'pino';"],
  ['lib/engine/software/engine.ts', "import type { Addon } from '../../../typings/addon.js';"],
  ['lib/proxy/proxy.ts', "const addon = await import('../../typings/addon.js');"],
  ['lib/sources/files/read.ts', "import { open } from '../../proxy/proxy.js';"],
  ['lib/sources/files/read.ts', "import type { KubeConfig } from '@kubernetes/client-node';"],
  ['lib/observe/stats.ts', "export * from '../proxy/proxy.js';"],
  ['lib/proxy/proxy.ts', "import { main } from '../cli/main.js';"],
  ['lib/index.ts', "import {\n  main,\n} from './cli/main.js';"],
  ['lib/proxy/proxy.ts', "import { Network } from '../testing/index.js';"],
  ['lib/testing/network.ts', "import { main } from '../cli/main.js';"],
  ['lib/testing/network.ts', "import { compile } from '../compile/compile.js';"],
  ['lib/proxy/proxy.ts', "import { SyncLoop } from '../agent/sync-loop.js';"],
  ['lib/agent/metrics.ts', "import { main } from '../cli/main.js';"],
  ['lib/agent/agent.ts', "import { openEngine } from '../engine/choose.js';"],
  ['lib/agent/agent.ts', "import { KubeConfig } from '@kubernetes/client-node';"],
  ['lib/observe/stats.ts', "import { Registry } from 'prom-client';"],
  ['lib/agent/agent.ts', "import { runAgent } from '../cli/agent/agent.js';"],
  ['lib/agent/agent.ts', "import { compile } from '../compile/compile.js';"],
  ['lib/proxy/proxy.ts', "import { runNodeAgent } from '../agent/agent.js';"],
  ['lib/gadgets/x.ts', ''],
];

test('the checker finds what is forbidden', (t) => {
  for (const [path, line] of FORBIDDEN) {
    t.is(importViolations(path, `// A file.\n${line}\n`).length, 1, `${path}: ${line}`);
  }
});

const ALLOWED: readonly (readonly [path: string, line: string])[] = [
  ['native/packet/parse.cc', '#include "base/endian.h"'],
  ['native/table/flow_table.h', '#include "packet/burst.h"'],
  ['native/table/routes.cc', '#include <rte_fib.h>'],
  ['native/stage/nat_test.cc', '#include <rte_mbuf.h>'],
  ['native/engine/worker.cc', '#include <rte_mbuf.h>\n#include "stage/pipeline.h"'],
  ['native/binding/addon.cc', '#include <napi.h>\n#include "engine/engine.h"'],
  ['lib/model/check.ts', "import { SluiceError } from '../errors.js';\nimport { z } from 'zod';"],
  ['lib/engine/native/addon.ts', "import type { Addon } from '../../../typings/addon.js';"],
  ['lib/sources/apiserver/x.ts', "const { KubeConfig } = await import('@kubernetes/client-node');"],
  ['lib/engine/native/addon.ts', "import bindings from 'bindings';"],
  ['lib/engine/open.ts', "const { open } = await import('./native/engine.js');"],
  ['lib/engine/engine.ts', "import type { ProgramDelta } from '../compile/program.js';"],
  ['lib/engine/engine.ts', "// import { x } from '../cli/main.js';"],
  ['lib/cli/main.ts', "import { ServiceProxy } from '../index.js';"],
  ['lib/cli/commands/check.ts', "import { Network } from '../../testing/index.js';"],
  ['lib/agent/metrics.ts', "import { Registry } from 'prom-client';"],
  ['lib/agent/agent.ts', "import { SerialQueue } from '../proxy/serial-queue.js';"],
  ['lib/sources/apiserver/connection.ts', "import { KubeConfig } from '@kubernetes/client-node';"],
  ['lib/cli/commands/agent.ts', "import { NodeAgent } from '../../agent/agent.js';"],
  ['lib/testing/node-proxies.ts', "import { ServiceProxy } from '../proxy/service-proxy.js';"],
];

test('the checker lets pass what is allowed', (t) => {
  for (const [path, line] of ALLOWED) {
    t.deepEqual(importViolations(path, `// A file.\n${line}\n`), [], `${path}: ${line}`);
  }
});
