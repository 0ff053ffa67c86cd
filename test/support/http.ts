// SPDX-License-Identifier: Apache-2.0
import { Agent, type IncomingHttpHeaders, request } from 'node:http';

export interface HttpReply {
  status: number;
  headers: IncomingHttpHeaders;
  body: string;
}

export interface HttpAsk {
  port: number;
  path?: string;
  /** 127.0.0.1 */
  host?: string;
  method?: string;
  body?: string;
  /** Keeps its connection for the next one. */
  agent?: Agent;
}

/** Asks a server on this machine; on a connection of its own, unless it is given one that is kept. */
export function ask({
  port,
  path = '/',
  host = '127.0.0.1',
  method = 'GET',
  body,
  agent,
}: HttpAsk): Promise<HttpReply> {
  return new Promise((resolve, reject) => {
    const sent = request(
      { host, port, path, method, agent: agent ?? new Agent({ keepAlive: false }) },
      (response) => {
        let text = '';
        response.setEncoding('utf8');
        response.on('data', (chunk: string) => {
          text += chunk;
        });
        response.on('end', () =>
          resolve({ status: response.statusCode ?? 0, headers: response.headers, body: text }),
        );
        response.on('error', reject);
      },
    );
    sent.on('error', reject);
    sent.end(body);
  });
}
