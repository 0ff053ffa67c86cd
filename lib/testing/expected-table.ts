// SPDX-License-Identifier: Apache-2.0
import { parseDocument } from 'yaml';
import { SluiceError } from '../errors.js';
import { show } from '../model/explain.js';
import { Fields, isPlainObject } from '../model/fields.js';
import { PROTOCOLS, type Protocol } from '../model/model.js';
import { VERDICTS, type Verdict } from './probe.js';

/** What somebody expects of one probe. */
export interface Expectation {
  from: string;
  to: string;
  protocol?: Protocol;
  expect: Verdict;
  /** How many backends there are, or which: names of pods or workloads, or addresses. */
  backends?: number | readonly string[];
  /** Part of the deciding policy's name and rule, as the message of a failure has them. */
  rule?: string;
}

/** Expectations one by one, or many as a text as `String(matrix)` makes it. */
export type ExpectedTable = string | readonly (Expectation | { matrix: string })[];

const KEYS = ['from', 'to', 'protocol', 'expect', 'backends', 'rule'];
const SIGNS: Readonly<Record<string, Verdict>> = { '+': 'allowed', '-': 'denied' };
/** In a cell: whatever it is. */
const ANYTHING = '.';

/**
 * Reads a table of expectations: YAML, a list of `{ from, to, expect, ... }` and `{ matrix: TEXT }`; or
 * the text of a matrix alone.
 *
 * @param file - what errors name
 * @throws SluiceError `ERR_CONFIG`, path `table.yaml: [2].expect`
 */
export function parseTable(text: string, file: string): Expectation[] {
  if (isMatrix(text)) return readMatrix(text, `${file}: `);
  const document = parseDocument(text);
  const error = document.errors[0];
  if (error !== undefined) {
    const message = `not YAML: ${error.message.split('\n')[0]!.replace(/:$/, '')}`;
    throw new SluiceError('ERR_CONFIG', message, { path: file, cause: error });
  }
  return readTable(document.toJS(), `${file}: `);
}

/** @throws SluiceError `ERR_CONFIG` */
export function readTable(table: unknown, path = ''): Expectation[] {
  if (typeof table === 'string' && isMatrix(table)) return readMatrix(table, path);
  if (!Array.isArray(table)) {
    const what = 'a list of { from, to, expect } and { matrix }, or a matrix that begins with FROM';
    throw new SluiceError('ERR_CONFIG', `expected ${what}, found ${show(table)}`, where(path));
  }
  return table.flatMap((entry, index) => {
    const at = `${path}[${index}]`;
    if (!isPlainObject(entry) || !Object.hasOwn(entry, 'matrix')) return [readEntry(entry, at)];
    const fields = new Fields(entry, at, 'ERR_CONFIG', ['matrix']);
    return readMatrix(fields.string('matrix', 'the text of a matrix'), `${at}.matrix`);
  });
}

function readEntry(entry: unknown, path: string): Expectation {
  const fields = new Fields(entry, path, 'ERR_CONFIG', KEYS);
  return {
    from: fields.string('from', 'who sends'),
    to: fields.string('to', 'whom it speaks to'),
    ...(fields.has('protocol') && { protocol: fields.oneOf('protocol', PROTOCOLS) }),
    expect: fields.oneOf('expect', VERDICTS),
    ...(fields.has('backends') && { backends: readBackends(fields) }),
    ...(fields.has('rule') && { rule: fields.string('rule', 'a part of the rule') }),
  };
}

function readBackends(fields: Fields): number | readonly string[] {
  if (Array.isArray(fields.value('backends'))) return fields.strings('backends', 'backends');
  return fields.integer('backends', 0, 1_000_000, 'a number of backends, or a list,');
}

function isMatrix(text: string): boolean {
  return /^\s*FROM\s/.test(text);
}

function readMatrix(text: string, path: string): Expectation[] {
  const lines = text.split('\n').filter((line) => line.trim() !== '' && !line.startsWith('#'));
  const [titles = [], ...rows] = lines.map((line) => line.trim().split(/\s+/));
  const destinations = titles.slice(1);
  if (titles[0] !== 'FROM' || destinations.length === 0) {
    const message = `expected a first line of FROM and destinations, found ${show(lines[0])}`;
    throw new SluiceError('ERR_CONFIG', message, where(path));
  }
  return rows.flatMap(([from = '', ...cells]) => {
    if (cells.length !== destinations.length) {
      const message = `${from}: expected ${destinations.length} cells, found ${cells.length}`;
      throw new SluiceError('ERR_CONFIG', message, where(path));
    }
    return cells.flatMap((cell, column): Expectation[] => {
      if (cell === ANYTHING) return [];
      const verdict = SIGNS[cell] ?? VERDICTS.find((each) => each === cell);
      if (verdict !== undefined) return [{ from, to: destinations[column]!, expect: verdict }];
      const message = `${from}: expected +, -, . or a verdict, found ${show(cell)}`;
      throw new SluiceError('ERR_CONFIG', message, where(path));
    });
  });
}

function where(path: string): { path?: string } {
  const trimmed = path.replace(/: $/, '');
  return trimmed === '' ? {} : { path: trimmed };
}
