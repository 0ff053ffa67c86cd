// SPDX-License-Identifier: Apache-2.0
//
// Sluice inside a program of your own: `node --import=tsx examples/embed.ts`. Here it runs on the
// software engine between two in-process interfaces; leave `engine` out to run on DPDK where it can.
import { fileURLToPath } from 'node:url';
import { ServiceProxy } from '../lib/index.js'; // in your program: from 'sluice'

await using proxy = await ServiceProxy.open({
  engine: 'software',
  interfaces: ['memory:clients,address=10.0.0.1/24', 'memory:pods,address=10.1.0.1/24'],
});
proxy.on('backend', ({ service, address, state }) => console.log(service, address, state));
await proxy.apply({ manifests: fileURLToPath(new URL('shop', import.meta.url)) });
console.log(proxy.engine.kind, proxy.why);
console.log(proxy.services.map(({ name, addresses }) => `${name} ${addresses}`));
console.log(proxy.stats().fates);
