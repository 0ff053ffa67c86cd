// SPDX-License-Identifier: Apache-2.0
import { InvalidArgumentError, Option } from 'commander';
import { ENGINE_CHOICES } from '../model/options.js';
import { defaultControlPath } from './control/protocol.js';

// Options that several commands share.

export type OutputFormat = 'table' | 'json';

export function outputOption(): Option {
  return new Option('-o, --output <format>', 'how to print')
    .choices(['table', 'json'])
    .default('table');
}

export function controlOption(): Option {
  return new Option('--control <path>', 'control socket of the agent').default(
    defaultControlPath(),
    '/run/sluice/control.sock for root, else $XDG_RUNTIME_DIR/sluice/control.sock',
  );
}

export function engineOption(): Option {
  return new Option('--engine <engine>', 'dpdk, software, or dpdk where it can run').choices(
    ENGINE_CHOICES,
  );
}

/** An option's value that is a whole number of at least `min`. */
export function wholeNumber(min: number): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (!/^[0-9]{1,15}$/.test(text) || value < min)
      throw new InvalidArgumentError(`Expected a whole number, ${min} or more.`);
    return value;
  };
}

/** Gathers an option that may be given several times. */
export function collect(value: string, previous: readonly string[]): string[] {
  return [...previous, value];
}
