// SPDX-License-Identifier: Apache-2.0
// Port 80 of both families: takes a request's body, and answers how many bytes it had.
import { createServer } from 'node:http';

createServer((request, response) => {
  let bytes = 0;
  request.on('data', (chunk) => {
    bytes += chunk.length;
  });
  request.on('end', () => response.end(String(bytes)));
}).listen(80, '::', () => console.log('ready'));
