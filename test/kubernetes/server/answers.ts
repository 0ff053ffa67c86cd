// SPDX-License-Identifier: Apache-2.0
import { randomUUID } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { gzipSync } from 'node:zlib';
import { type Fault, Outlet } from './faults.js';
import { ApiError } from './status.js';

const FLOW_SCHEMA = randomUUID();
const PRIORITY_LEVEL = randomUUID();
const COMPRESSED_FROM = 128 * 1024;

const REASONS: Readonly<Record<number, readonly [reason: string, message: string]>> = {
  401: ['Unauthorized', 'Unauthorized'],
  410: ['Expired', 'The resourceVersion for the provided watch is too old.'],
  429: ['TooManyRequests', 'too many requests, please try again later'],
  503: ['ServiceUnavailable', 'the server is currently unable to handle the request'],
};

/** The code and the headers that every answer has. */
export function head(response: ServerResponse, code: number, type: string): void {
  response.statusCode = code;
  response.setHeader('Audit-Id', randomUUID());
  response.setHeader('Cache-Control', 'no-cache, private');
  response.setHeader('Content-Type', type);
  if (code === 401) return;
  response.setHeader('X-Kubernetes-Pf-Flowschema-Uid', FLOW_SCHEMA);
  response.setHeader('X-Kubernetes-Pf-Prioritylevel-Uid', PRIORITY_LEVEL);
}

export function send(
  request: IncomingMessage,
  response: ServerResponse,
  code: number,
  type: string,
  content: string | Buffer,
  fault: Fault,
): void {
  head(response, code, type);
  let body = Buffer.from(content as string);
  const takesGzip = /\bgzip\b/.test(String(request.headers['accept-encoding'] ?? ''));
  if (takesGzip && body.length >= COMPRESSED_FROM) {
    response.setHeader('Content-Encoding', 'gzip');
    response.setHeader('Vary', 'Accept-Encoding');
    body = gzipSync(body, { level: 1 });
  }
  // Go's: what fits its buffer has a length, what does not is chunked.
  if (body.length < 2048) response.setHeader('Content-Length', body.length);
  const outlet = new Outlet(response, fault);
  outlet.write(body);
  outlet.end();
}

/** Tells an error, as a Status. */
export function fail(response: ServerResponse, error: unknown, fault: Fault): void {
  if (response.headersSent || response.destroyed) {
    response.destroy();
    return;
  }
  const told =
    error instanceof ApiError
      ? error
      : new ApiError(500, 'InternalError', `Internal error occurred: ${String(error)}`);
  const isPlain = told.reason === '';
  const type = isPlain ? 'text/plain; charset=utf-8' : 'application/json';
  if (isPlain || told.code === 403) response.setHeader('X-Content-Type-Options', 'nosniff');
  head(response, told.code, type);
  const retry = told.details?.retryAfterSeconds;
  if (retry) response.setHeader('Retry-After', retry);
  const body = isPlain ? `${told.message}\n` : `${JSON.stringify(told.status())}\n`;
  response.setHeader('Content-Length', Buffer.byteLength(body));
  const outlet = new Outlet(response, fault);
  outlet.write(body);
  outlet.end();
}

/** What a fault wants instead of an answer. */
export function misanswer(response: ServerResponse, fault: Fault): void {
  const code = fault.status ?? 200;
  head(response, code, 'application/json');
  if (fault.retryAfterSeconds !== undefined) {
    response.setHeader('Retry-After', fault.retryAfterSeconds);
  }
  const [reason, message] = REASONS[code] ?? ['InternalError', 'asked for by a test'];
  const details =
    fault.retryAfterSeconds === undefined
      ? undefined
      : { retryAfterSeconds: fault.retryAfterSeconds };
  const outlet = new Outlet(response, fault);
  outlet.write(
    fault.body ?? `${JSON.stringify(new ApiError(code, reason, message, details).status())}\n`,
  );
  outlet.end();
}
