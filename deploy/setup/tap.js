// SPDX-License-Identifier: Apache-2.0
// Reads the TAP that AVA writes, as it comes: counts, and says what a reader wants to follow.

const RESULT = /^(ok|not ok) \d+(?: - (.*))?$/;
const DIRECTIVE = /(?: #|^#) (SKIP|TODO)\b.*$/i;
const SEPARATOR = ' › ';

/**
 * A reader of one TAP stream. `say(line)` gets a line per group of tests (a test file) and all that
 * is known of each failure.
 */
export class TapReader {
  passed = 0;
  failed = 0;
  skipped = 0;
  /** The stream has come to its end: the plan is there. */
  complete = false;

  #say;
  #rest = '';
  #group = null;
  #inDetails = false;
  #showDetails = false;

  constructor(say) {
    this.#say = say;
  }

  write(text) {
    const lines = (this.#rest + text).split('\n');
    this.#rest = lines.pop();
    for (const line of lines) this.#line(line);
  }

  end() {
    if (this.#rest) this.#line(this.#rest);
    this.#rest = '';
    this.#closeGroup();
  }

  #line(line) {
    if (this.#inDetails) {
      if (line === '  ...') this.#inDetails = false;
      else if (this.#showDetails) this.#say(`      ${line.slice(2)}`);
    } else if (line === '  ---') {
      this.#inDetails = true;
    } else if (/^1\.\.\d+$/.test(line)) {
      this.complete = true;
    } else {
      const match = RESULT.exec(line);
      if (match) this.#result(match[1] === 'ok', match[2] ?? '');
      else if (this.#showDetails && /^ +\S/.test(line)) this.#say(`    ${line}`);
    }
  }

  #result(ok, text) {
    const title = text.replace(DIRECTIVE, '');
    const end = title.lastIndexOf(SEPARATOR);
    this.#openGroup(end < 0 ? '' : title.slice(0, end));
    const outcome = DIRECTIVE.test(text) ? 'skipped' : ok ? 'passed' : 'failed';
    this[outcome] += 1;
    this.#group[outcome] += 1;
    this.#showDetails = outcome === 'failed';
    if (outcome === 'failed') this.#say(`    FAILED: ${title}`);
  }

  #openGroup(name) {
    if (this.#group?.name === name) return;
    this.#closeGroup();
    this.#group = { name, passed: 0, failed: 0, skipped: 0 };
  }

  #closeGroup() {
    if (!this.#group) return;
    const { name, passed, failed, skipped } = this.#group;
    const counts = [`${passed} passed`];
    if (failed) counts.push(`${failed} failed`);
    if (skipped) counts.push(`${skipped} skipped`);
    this.#say(`  ${failed ? 'FAILED' : 'ok'}  ${name || 'tests'}: ${counts.join(', ')}`);
    this.#group = null;
  }
}
