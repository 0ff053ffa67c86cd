// SPDX-License-Identifier: Apache-2.0
import { SluiceError } from '../../errors.js';

/** What an API server answered in place of what it was asked for. */
export interface ApiStatus {
  /** The HTTP status code. */
  code: number;
  /** The Kubernetes reason, such as `Expired`; undefined if the answer was not a Status. */
  reason: string | undefined;
  message: string;
  /** Reasons of `details.causes`, such as `NamespaceTerminating`. */
  causes: string[];
  /** What the object is that the answer is about, such as `namespaces`. */
  kind: string | undefined;
  /** After what time the server wants to be asked again, in ms. */
  retryAfterMs: number | undefined;
}

/** Longest part of an answer that is repeated in a message. */
const MESSAGE_LENGTH = 500;

/** Reads the body of an answer that is not a success: a Status, or any text. */
export function readStatus(code: number, body: string, retryAfter?: string): ApiStatus {
  const status = statusFrom(parse(body), code);
  const seconds = Number(retryAfter);
  if (status.retryAfterMs === undefined && retryAfter !== undefined && seconds >= 0) {
    status.retryAfterMs = seconds * 1000;
  }
  if (status.reason === undefined) status.message = body.split('\n')[0]!.slice(0, MESSAGE_LENGTH);
  return status;
}

/** A Status object, as it is in the body of an answer or in an ERROR event of a watch. */
export function statusFrom(value: unknown, code = 0): ApiStatus {
  const object = record(value);
  const details = record(object['details']);
  const causes = Array.isArray(details['causes']) ? details['causes'] : [];
  const seconds = details['retryAfterSeconds'];
  return {
    code: code || (typeof object['code'] === 'number' ? object['code'] : 0),
    reason: object['kind'] === 'Status' ? (text(object['reason']) ?? 'Unknown') : undefined,
    message: (text(object['message']) ?? '').slice(0, MESSAGE_LENGTH),
    causes: causes.flatMap((cause) => text(record(cause)['reason']) ?? []),
    kind: text(details['kind']),
    retryAfterMs: typeof seconds === 'number' && seconds > 0 ? seconds * 1000 : undefined,
  };
}

/** The error for a status. @param path - Server and path of the request. */
export function statusError(path: string, status: ApiStatus): SluiceError {
  const words = [status.code, status.reason].filter((word) => word !== undefined).join(' ');
  const message = status.message === '' ? words : `${words}: ${status.message}`;
  return new SluiceError('ERR_APISERVER', message, { path, cause: status });
}

/** The status that an error was made of; undefined if the server did not answer, or not in HTTP. */
export function statusOf(error: unknown): ApiStatus | undefined {
  if (!(error instanceof SluiceError) || error.code !== 'ERR_APISERVER') return undefined;
  const cause = record(error.cause);
  return typeof cause['code'] === 'number' && Array.isArray(cause['causes'])
    ? (error.cause as ApiStatus)
    : undefined;
}

/** The server no longer has what a resourceVersion or a `continue` asks for. */
export function isExpired(error: unknown): boolean {
  const status = statusOf(error);
  return status?.code === 410 || status?.reason === 'Expired' || status?.reason === 'Gone';
}

/**
 * The server has no such path: the API is not installed. What stands in front of it says 404 in its own words,
 * and knows nothing of that.
 */
export function isNotInstalled(error: unknown): boolean {
  const status = statusOf(error);
  if (status?.code !== 404) return false;
  return status.reason !== undefined || status.message === '404 page not found';
}

/**
 * The server could not be reached, or has no time: nothing was wrong with what it was asked for.
 * What stands in front of it answers without a Status.
 */
export function isOutage(error: unknown): boolean {
  const status = statusOf(error);
  if (status === undefined) return error instanceof SluiceError && error.cause instanceof Error;
  const { code, reason } = status;
  return code === 429 || code === 503 || (code >= 500 && reason === undefined);
}

export const messageOf = (error: unknown): string =>
  error instanceof Error ? error.message : String(error);

export function record(value: unknown): Record<string, unknown> {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
}

export function text(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined;
}

function parse(body: string): unknown {
  try {
    return JSON.parse(body);
  } catch {
    return undefined;
  }
}
