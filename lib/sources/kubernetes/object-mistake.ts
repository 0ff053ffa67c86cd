// SPDX-License-Identifier: Apache-2.0

/** What is wrong with an object, and where. */
export class ObjectMistake extends Error {
  readonly parts: readonly PropertyKey[];

  constructor(parts: readonly PropertyKey[], message: string) {
    super(message);
    this.parts = parts;
  }

  /** `spec.ports[0].port`; empty: the object as a whole. */
  get path(): string {
    return this.parts
      .map((part) => {
        if (typeof part === 'number') return `[${part}]`;
        return /^[A-Za-z0-9_]+$/.test(String(part)) ? `.${String(part)}` : `["${String(part)}"]`;
      })
      .join('')
      .replace(/^\./, '');
  }
}
