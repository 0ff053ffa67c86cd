// SPDX-License-Identifier: Apache-2.0
import type { Tree } from './objects.js';

/** A mistake in a field, as Kubernetes tells it. */
export interface FieldError {
  reason:
    | 'FieldValueRequired'
    | 'FieldValueInvalid'
    | 'FieldValueNotSupported'
    | 'FieldValueDuplicate'
    | 'FieldValueForbidden'
    | 'FieldValueTooMany';
  field: string;
  message: string;
}

const shown = (value: unknown): string => JSON.stringify(value) ?? 'null';

export const required = (field: string, detail = ''): FieldError => ({
  reason: 'FieldValueRequired',
  field,
  message: `Required value${detail && `: ${detail}`}`,
});
export const invalid = (field: string, value: unknown, detail: string): FieldError => ({
  reason: 'FieldValueInvalid',
  field,
  message: `Invalid value: ${shown(value)}: ${detail}`,
});
export const unsupported = (
  field: string,
  value: unknown,
  supported: readonly string[],
): FieldError => ({
  reason: 'FieldValueNotSupported',
  field,
  message: `Unsupported value: ${shown(value)}: supported values: ${supported.map(shown).join(', ')}`,
});
export const duplicate = (field: string, value: unknown): FieldError => ({
  reason: 'FieldValueDuplicate',
  field,
  message: `Duplicate value: ${shown(value)}`,
});
export const forbiddenField = (field: string, detail: string): FieldError => ({
  reason: 'FieldValueForbidden',
  field,
  message: `Forbidden: ${detail}`,
});
export const tooMany = (field: string, actual: number, max: number): FieldError => ({
  reason: 'FieldValueTooMany',
  field,
  message: `Too many: ${actual}: must have at most ${max} items`,
});

/** An answer other than success: a Status object. */
export class ApiError extends Error {
  readonly code: number;
  readonly reason: string;
  readonly details: Tree;
  /** Of the Status: a 410 of a list offers a token to go on with. */
  readonly meta: Tree;

  constructor(code: number, reason: string, message: string, details?: Tree, meta: Tree = {}) {
    super(message);
    this.code = code;
    this.reason = reason;
    this.details = details;
    this.meta = meta;
  }

  status(): Tree {
    return {
      kind: 'Status',
      apiVersion: 'v1',
      metadata: this.meta,
      status: 'Failure',
      message: this.message,
      ...(this.reason && { reason: this.reason }),
      ...(this.details && { details: this.details }),
      code: this.code,
    };
  }
}

/** What an error is about. */
export interface Subject {
  group: string;
  plural: string;
  kind: string;
}

const qualified = (subject: Subject): string =>
  subject.group ? `${subject.plural}.${subject.group}` : subject.plural;
const about = (subject: Subject, name: string): Tree => ({
  name,
  ...(subject.group && { group: subject.group }),
  kind: subject.plural,
});

export const badRequest = (message: string): ApiError => new ApiError(400, 'BadRequest', message);

export const notFound = (subject: Subject, name: string): ApiError =>
  new ApiError(
    404,
    'NotFound',
    `${qualified(subject)} ${shown(name)} not found`,
    about(subject, name),
  );

export const alreadyExists = (subject: Subject, name: string): ApiError =>
  new ApiError(
    409,
    'AlreadyExists',
    `${qualified(subject)} ${shown(name)} already exists`,
    about(subject, name),
  );

export const conflict = (subject: Subject, name: string, detail: string): ApiError =>
  new ApiError(
    409,
    'Conflict',
    `Operation cannot be fulfilled on ${qualified(subject)} ${shown(name)}: ${detail}`,
    about(subject, name),
  );

export const forbidden = (subject: Subject, name: string, detail: string, causes?: Tree[]) =>
  new ApiError(
    403,
    'Forbidden',
    `${qualified(subject)}${name && ` ${shown(name)}`} is forbidden: ${detail}`,
    {
      ...(name && { name }),
      ...(subject.group && { group: subject.group }),
      kind: subject.plural,
      ...(causes && { causes }),
    },
  );

export const unprocessable = (
  subject: Subject,
  name: string,
  errors: readonly FieldError[],
): ApiError => {
  const texts = errors.map((error) => `${error.field}: ${error.message}`);
  const told = texts.length === 1 ? texts[0] : `[${texts.join(', ')}]`;
  const kind = subject.group ? `${subject.kind}.${subject.group}` : subject.kind;
  return new ApiError(422, 'Invalid', `${kind} ${shown(name)} is invalid: ${told}`, {
    name,
    ...(subject.group && { group: subject.group }),
    kind: subject.kind,
    causes: errors.map(({ reason, message, field }) => ({ reason, message, field })),
  });
};

export const expired = (message: string, meta: Tree = {}): ApiError =>
  new ApiError(410, 'Expired', message, undefined, meta);

export const tooLargeVersion = (asked: number, current: number): ApiError =>
  new ApiError(
    504,
    'Timeout',
    `Timeout: Too large resource version: ${asked}, current: ${current}`,
    {
      causes: [{ reason: 'ResourceVersionTooLarge', message: 'Too large resource version' }],
      retryAfterSeconds: 1,
    },
  );
