// SPDX-License-Identifier: Apache-2.0
import { request } from 'node:http';
import { SluiceError } from '../../errors.js';
import { checkControlPath, errorFromBody, messageOf } from './protocol.js';

const TIMEOUT_MS = 30_000;

/**
 * Asks the agent at a control socket.
 *
 * @param path - the control socket
 * @param resource - e.g. `/v1/services`
 * @returns the parsed answer
 * @throws SluiceError `ERR_AGENT` if none answers; else the error that the agent gave
 */
export async function callAgent(
  path: string,
  method: 'GET' | 'POST' | 'DELETE',
  resource: string,
  body?: unknown,
): Promise<unknown> {
  checkControlPath(path);
  const { status, text } = await exchange(path, method, resource, body);
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw new SluiceError('ERR_AGENT', `does not speak JSON (HTTP ${status})`, { path });
  }
  if (status === 200) return value;
  throw errorFromBody(value) ?? new SluiceError('ERR_AGENT', `HTTP ${status}`, { path });
}

function exchange(
  path: string,
  method: string,
  resource: string,
  body: unknown,
): Promise<{ status: number; text: string }> {
  return new Promise((resolve, reject) => {
    const fail = (error: Error): void => {
      reject(new SluiceError('ERR_AGENT', reasonOf(error), { path, cause: error }));
    };
    const payload = body === undefined ? undefined : JSON.stringify(body);
    const outgoing = request(
      {
        socketPath: path,
        method,
        path: resource,
        headers:
          payload === undefined
            ? {}
            : { 'content-type': 'application/json', 'content-length': Buffer.byteLength(payload) },
      },
      (response) => {
        const chunks: Buffer[] = [];
        response.on('data', (chunk: Buffer) => chunks.push(chunk));
        response.on('error', fail);
        response.on('end', () =>
          resolve({
            status: response.statusCode ?? 0,
            text: Buffer.concat(chunks).toString('utf8'),
          }),
        );
      },
    );
    outgoing.setTimeout(TIMEOUT_MS, () =>
      outgoing.destroy(new Error(`no answer within ${TIMEOUT_MS / 1_000} seconds`)),
    );
    outgoing.on('error', fail);
    outgoing.end(payload);
  });
}

function reasonOf(error: NodeJS.ErrnoException): string {
  if (error.code === 'ENOENT' || error.code === 'ECONNREFUSED')
    return 'no agent answers here; start one with `sluice run`, or give its socket with --control';
  if (error.code === 'EACCES') return 'this user may not open the control socket of that agent';
  return messageOf(error);
}
