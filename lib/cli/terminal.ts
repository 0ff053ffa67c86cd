// SPDX-License-Identifier: Apache-2.0

/** Where a command prints, and how it says that it ends with another code than 0. */
export interface Terminal {
  out(text: string): void;
  err(text: string): void;
  exit(code: number): void;
}
