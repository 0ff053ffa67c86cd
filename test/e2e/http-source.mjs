// SPDX-License-Identifier: Apache-2.0
// Port 80 of both families: answers as many bytes as the path says, `/1000`.
import { createServer } from 'node:http';

createServer((request, response) => {
  response.end(Buffer.alloc(Number(request.url.slice(1)), 'x'));
}).listen(80, '::', () => console.log('ready'));
