// SPDX-License-Identifier: Apache-2.0
// A second Sluice process, as the peer of an interface: node --import=tsx test/e2e/peer.ts OPTIONS-AS-JSON
// Prints `ready`, then a line for each interface event; ends when its standard input does. It answers ICMP
// echo like every Sluice.
import { ServiceProxy } from '../../lib/index.js';

const proxy = await ServiceProxy.open({ engine: 'dpdk', ...JSON.parse(process.argv[2] ?? '{}') });
proxy.on('interface', (event) => console.log(JSON.stringify(event)));
console.log('ready');
process.stdin.resume();
process.stdin.once('end', async () => {
  await proxy.close();
  process.exit(0);
});
