// SPDX-License-Identifier: Apache-2.0
import type { IncomingMessage } from 'node:http';
import { pipeline, type Readable } from 'node:stream';
import { createGunzip } from 'node:zlib';
import { messageOf } from './status.js';

/** Parameters of a request; undefined ones are left out. */
export type Query = Readonly<Record<string, string | undefined>>;

export function searchOf(query: Query): string {
  const pairs = Object.entries(query).flatMap(([key, value]) =>
    value === undefined ? [] : [`${key}=${encodeURIComponent(value)}`],
  );
  return pairs.length === 0 ? '' : `?${pairs.join('&')}`;
}

export async function readText(response: IncomingMessage, longest: number): Promise<string> {
  const isGzip = response.headers['content-encoding'] === 'gzip';
  // The error, if there is one, comes out of the iteration.
  const source: Readable = isGzip ? pipeline(response, createGunzip(), () => {}) : response;
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of source) {
    length += (chunk as Buffer).length;
    if (length > longest) throw new Error(`an answer of more than ${longest} bytes`);
    chunks.push(chunk as Buffer);
  }
  return Buffer.concat(chunks).toString('utf8');
}

export function parseJson(body: string): unknown {
  try {
    return JSON.parse(body);
  } catch {
    throw new Error('the answer is not JSON');
  }
}

/** Node's messages; of several addresses that failed, the first one's. */
export function reasonOf(error: unknown): string {
  const first = error instanceof AggregateError ? error.errors[0] : error;
  if ((first as NodeJS.ErrnoException).code === 'ECONNRESET') return 'the connection was cut';
  return messageOf(first);
}
