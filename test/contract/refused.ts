// SPDX-License-Identifier: Apache-2.0
import type { ProgramDelta } from '../../lib/compile/program.js';
import type { ErrorCode } from '../../lib/errors.js';
import type { ProgramLiteral } from '../support/program.js';

/** A delta that breaks a rule of docs/program.md, and what it is refused for. */
export interface Refused {
  title: string;
  path: string;
  /** Default: `ERR_PROGRAM`. */
  code?: ErrorCode;
  /** What is there already. */
  before?: ProgramLiteral;
  literal: ProgramLiteral;
  /** For what a literal cannot say. */
  spoil?: (columns: ProgramDelta) => void;
}

/** A slot beyond the limit. */
export const TOO_MANY = 2 ** 20;
