// SPDX-License-Identifier: Apache-2.0
import { readdirSync, readFileSync } from 'node:fs';
import test from 'ava';
import { CommanderError } from 'commander';
import { CASES } from '../../benchmarks/cases/cases.js';
import type { Scale } from '../../benchmarks/rig/case.js';
import { parseCommandLine } from '../../benchmarks/rig/command-line.js';

const FOLDER = new URL('../../benchmarks/', import.meta.url);
const SCALES: readonly Scale[] = [true, false].map((quick) => ({
  ...{ quick, rounds: 1, seconds: 1, warmUpSeconds: 0 },
}));

test('the list has every case in the folder, by the name of its file', (t) => {
  const files = readdirSync(new URL('cases/', FOLDER)).filter((file) => file !== 'cases.ts');
  t.deepEqual(CASES.map(({ name }) => `${name}.ts`).toSorted(), files.toSorted());
});

test('the README tells of every case', (t) => {
  const text = readFileSync(new URL('README.md', FOLDER), 'utf8');
  for (const { name } of CASES) t.regex(text, new RegExp(`^### ${name}$`, 'm'));
});

for (const each of CASES) {
  test(`${each.name}: panels show figures of one unit, over points that there are`, (t) => {
    for (const scale of SCALES) {
      const points = each.points(scale);
      t.true(points.length > 0);
      const names = points.map(({ group, label }) => `${group}, ${label}`);
      t.is(new Set(names).size, names.length, 'no two points have one name');
      for (const { title, group, figures } of each.panels) {
        const units = new Set<string | undefined>(figures.map((key) => each.figures[key]?.unit));
        t.is(units.size, 1, title);
        t.false(units.has(undefined), title);
        if (group !== undefined)
          t.true(
            points.some((point) => point.group === group),
            title,
          );
      }
    }
  });

  test(`${each.name}: quick is a part of full`, (t) => {
    const [quick, full] = SCALES.map((scale) => each.points(scale).length);
    t.true((quick ?? 0) <= (full ?? 0));
  });
}

const KNOWN = ['forward', 'setup', 'micro'];

function parse(line: string) {
  const errors: string[] = [];
  const print = { out: () => undefined, err: (text: string) => void errors.push(text) };
  try {
    const wish = parseCommandLine(line.split(' ').filter(Boolean), KNOWN, print);
    return { wish, code: null, err: '' };
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    return { wish: null, code: error.exitCode, err: errors.join('') };
  }
}

test('without names all cases are run; names come in the order of the list', (t) => {
  const plain = { json: false, quick: false, list: false };
  t.deepEqual(parse('').wish, { ...plain, names: KNOWN });
  t.deepEqual(parse('micro forward --quick').wish, {
    ...{ ...plain, quick: true, names: ['forward', 'micro'] },
  });
  t.deepEqual(parse('setup --json --rounds 7 --list').wish, {
    ...{ quick: false, json: true, list: true, rounds: 7, names: ['setup'] },
  });
});

test('what means nothing is refused', (t) => {
  for (const line of ['forwards', '--rounds 0', '--rounds x', '--fast']) {
    const { code, err } = parse(line);
    t.is(code, 1, line);
    t.regex(err, /^error: /, line);
  }
  t.regex(parse('forwards').err, /there are forward, setup, micro/);
  t.is(parse('--help').code, 0);
});
