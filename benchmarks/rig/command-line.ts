// SPDX-License-Identifier: Apache-2.0
import { Command, InvalidArgumentError } from 'commander';
import { wholeNumber } from '../../lib/cli/choices.js';

/** What `npm run bench` is asked for. */
export interface Wish {
  /** Names of cases, in the order of the list of cases. */
  names: string[];
  json: boolean;
  quick: boolean;
  list: boolean;
  /** Left out: as many as the scale has. */
  rounds?: number;
}

/**
 * Reads the command line.
 * @param words - behind the program's name
 * @param known - names of all cases
 * @throws CommanderError of a line that means nothing, and where help was asked for; it has been
 * printed then
 */
export function parseCommandLine(
  words: readonly string[],
  known: readonly string[],
  print: { out(text: string): void; err(text: string): void },
): Wish {
  const command = new Command('npm run bench --')
    .description('Measures Sluice and its ceiling in turn. Writes benchmarks/results/.')
    .argument('[names...]', 'cases; default: all', (name: string, before: string[] = []) => {
      if (!known.includes(name))
        throw new InvalidArgumentError(`There is no such case; there are ${known.join(', ')}.`);
      return [...before, name];
    })
    .option('--json', 'print one JSON document in place of tables', false)
    .option('--rounds <count>', 'how often each point is measured', wholeNumber(1))
    .option('--quick', 'few points and short runs, into benchmarks/results/quick/', false)
    .option('--list', 'list the cases and end', false)
    .configureOutput({ writeOut: print.out, writeErr: print.err })
    .exitOverride()
    .parse(words, { from: 'user' });
  const wanted = command.processedArgs[0] as string[];
  const names = known.filter((name) => wanted.length === 0 || wanted.includes(name));
  return { ...command.opts<Omit<Wish, 'names'>>(), names };
}
