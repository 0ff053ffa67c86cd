// SPDX-License-Identifier: Apache-2.0
import { homedir } from 'node:os';
import { ERROR_CODES, type ErrorCode, SluiceError } from '../../errors.js';
import { MAX_SOCKET_BYTES } from '../../model/check-interface.js';

/** How an error travels over the control socket. */
export interface ErrorBody {
  error: { code: ErrorCode; message: string; path?: string };
}

/** One line of `/v1/drops`. */
export interface DropRow {
  reason: string;
  packets: number;
}

/** One line of `/v1/occupancy`. */
export interface OccupancyRow {
  table: string;
  /** `null`: all workers share it. */
  worker: number | null;
  used: number;
  limit: number;
}

/** Default path of the control socket: `/run/sluice` for root, else a folder of the user's own. */
export function defaultControlPath(
  environment: NodeJS.ProcessEnv = process.env,
  uid: number = process.getuid?.() ?? 0,
): string {
  if (uid === 0) return '/run/sluice/control.sock';
  const runtime = environment['XDG_RUNTIME_DIR'];
  return runtime === undefined || runtime === ''
    ? `${homedir()}/.sluice/control.sock`
    : `${runtime}/sluice/control.sock`;
}

/** @throws SluiceError `ERR_OPTIONS` */
export function checkControlPath(path: string): void {
  const bytes = Buffer.byteLength(path);
  if (bytes > 0 && bytes <= MAX_SOCKET_BYTES) return;
  throw new SluiceError(
    'ERR_OPTIONS',
    `expected the path of a Unix socket, at most ${MAX_SOCKET_BYTES} bytes, found ${bytes} bytes`,
    { path: '--control' },
  );
}

export function errorBody(error: unknown): ErrorBody {
  if (!(error instanceof SluiceError))
    return { error: { code: 'ERR_ENGINE', message: messageOf(error) } };
  const { code, path } = error;
  if (path === undefined) return { error: { code, message: error.message } };
  return { error: { code, message: error.message.slice(path.length + 2), path } };
}

/** The error that the agent sent, made anew; `null` if `body` is no {@link ErrorBody}. */
export function errorFromBody(body: unknown): SluiceError | null {
  const error = (body as Partial<ErrorBody> | null)?.error;
  if (typeof error?.message !== 'string' || typeof error.code !== 'string') return null;
  const code = Object.hasOwn(ERROR_CODES, error.code) ? error.code : 'ERR_AGENT';
  return new SluiceError(
    code,
    error.message,
    typeof error.path === 'string' ? { path: error.path } : {},
  );
}

/** Codes that mean: what was asked for is wrong, and would be wrong again. */
const BAD_INPUT: ReadonlySet<ErrorCode> = new Set([
  'ERR_OPTIONS',
  'ERR_MODEL',
  'ERR_MANIFEST',
  'ERR_CONFIG',
  'ERR_INTERFACE_SPEC',
  'ERR_ROUTE_SPEC',
  'ERR_INTERFACE_KIND',
  'ERR_INTERFACE_EXISTS',
  'ERR_INTERFACE_UNKNOWN',
]);

/** What was asked for is wrong, rather than something failed. */
export function isBadInput(error: unknown): boolean {
  return error instanceof SluiceError && BAD_INPUT.has(error.code);
}

/** HTTP status of an error. */
export function statusOf(error: unknown): number {
  if (!(error instanceof SluiceError)) return 500;
  if (error.code === 'ERR_INTERFACE_UNKNOWN') return 404;
  if (error.code === 'ERR_INTERFACE_EXISTS') return 409;
  if (error.code === 'ERR_CLOSED') return 503;
  return isBadInput(error) ? 400 : 500;
}

export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
