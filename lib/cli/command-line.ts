// SPDX-License-Identifier: Apache-2.0
import { CommanderError } from 'commander';
import { SluiceError } from '../errors.js';
import { isBadInput } from './control/protocol.js';
import { buildProgram } from './program.js';

/**
 * Runs one command to its end.
 *
 * @param words - the command line behind the program's name
 * @returns exit code: 0 it worked, 1 something failed, 2 what was asked for is wrong
 */
export async function runCommandLine(
  words: readonly string[],
  print: { out(text: string): void; err(text: string): void },
): Promise<number> {
  let code = 0;
  const exit = (asked: number): void => {
    code = asked;
  };
  try {
    await buildProgram({ ...print, exit }).parseAsync(words, { from: 'user' });
    return code;
  } catch (error) {
    // Commander has written its own message.
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2;
    print.err(`sluice: ${describe(error)}\n`);
    return isBadInput(error) ? 2 : 1;
  }
}

function describe(error: unknown): string {
  if (error instanceof SluiceError) return `${error.message} (${error.code})`;
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}
