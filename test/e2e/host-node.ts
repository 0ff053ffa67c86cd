// SPDX-License-Identifier: Apache-2.0
// A Sluice process on a node: node --import=tsx test/e2e/host-node.ts OPTIONS-AS-JSON SERVICES-AS-JSON
// Prints `ready`; each line on its standard input is a model in JSON to apply, answered by `done`; ends when
// its standard input does.
import { createInterface } from 'node:readline';
import { ServiceProxy } from '../../lib/index.js';

const [options = '{}', services = '[]'] = process.argv.slice(2);
const proxy = await ServiceProxy.open({ engine: 'dpdk', ...JSON.parse(options) });
await proxy.apply({ services: JSON.parse(services) });
console.log('ready');
for await (const line of createInterface({ input: process.stdin })) {
  if (line === 'stats') console.log(JSON.stringify(proxy.stats()));
  else {
    await proxy.apply(JSON.parse(line));
    console.log('done');
  }
}
await proxy.close();
process.exit(0);
