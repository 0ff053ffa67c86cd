// SPDX-License-Identifier: Apache-2.0
// What runs inside a web pod: HTTP and UDP servers that answer with the pod's name.
// Arguments: NAME HTTP-PORT UDP-PORT. Ends when its standard input does.
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { createServer } from 'node:http';

const [name = '', httpPort, udpPort] = process.argv.slice(2);

const http = createServer((_request, response) => {
  response.setHeader('connection', 'close');
  response.end(`${name}\n`);
});
const udp = createSocket('udp4');
udp.on('message', (_message, from) => udp.send(name, from.port, from.address));
// An answer that cannot be delivered is the asker's loss.
udp.on('error', () => undefined);

http.listen(Number(httpPort), '0.0.0.0');
udp.bind(Number(udpPort), '0.0.0.0');
await Promise.all([once(http, 'listening'), once(udp, 'listening')]);
process.stdout.write('ready\n');

process.stdin.resume();
process.stdin.on('end', () => process.exit(0));
