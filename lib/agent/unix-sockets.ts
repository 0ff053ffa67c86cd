// SPDX-License-Identifier: Apache-2.0
import { lstat, mkdir, unlink } from 'node:fs/promises';
import { connect, type Server } from 'node:net';
import { dirname } from 'node:path';
import { SluiceError } from '../errors.js';

const PROBE_MS = 1_000;

/**
 * What is at the path of a socket: `stale` is a socket that nobody listens on any more, `other` is no
 * socket.
 */
export type SocketState = 'none' | 'stale' | 'listening' | 'other';

export async function socketState(path: string): Promise<SocketState> {
  const found = await lstat(path).catch(() => null);
  if (found === null) return 'none';
  // Connecting to an ordinary file fails like connecting to a stale socket does.
  if (!found.isSocket()) return 'other';
  return (await somebodyListens(path)) ? 'listening' : 'stale';
}

/**
 * Makes the folder, and takes away a socket that nobody listens on.
 * @param hints - what errors say where something is in the way, and where somebody listens
 * @returns whether there was such a socket
 * @throws SluiceError `ERR_AGENT`
 */
export async function makeRoom(
  path: string,
  hints: { use: string; taken: string },
): Promise<boolean> {
  const refuse = (message: string, cause?: unknown): never => {
    throw new SluiceError('ERR_AGENT', message, { path, cause });
  };
  await mkdir(dirname(path), { recursive: true, mode: 0o700 }).catch((error: unknown) =>
    refuse(`cannot make its folder: ${(error as Error).message}`, error),
  );
  const state = await socketState(path);
  if (state === 'other') refuse(`exists and is not a socket; ${hints.use}`);
  if (state === 'listening') refuse(hints.taken);
  if (state === 'none') return false;
  await unlink(path).catch((error: unknown) =>
    refuse(`cannot replace the stale socket: ${(error as Error).message}`, error),
  );
  return true;
}

/** Listens on a socket that only its owner may open. */
export function listenAlone(server: Server, path: string, listening: () => void): void {
  // Binding happens within listen(): the mask leaves no moment in which others may connect.
  const mask = process.umask(0o177);
  server.listen(path, listening);
  process.umask(mask);
}

/** Only a refusal proves that nobody listens; a slow answer or a full backlog does not. */
function somebodyListens(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(path);
    const done = (listens: boolean): void => {
      socket.destroy();
      resolve(listens);
    };
    socket.setTimeout(PROBE_MS, () => done(true));
    socket.once('connect', () => done(true));
    socket.once('error', (error: NodeJS.ErrnoException) =>
      done(error.code !== 'ECONNREFUSED' && error.code !== 'ENOENT'),
    );
  });
}
