// SPDX-License-Identifier: Apache-2.0
import type { TranslationWarning } from './warnings.js';

const NONE: readonly string[] = [];

/** Warnings, each told once as long as it holds. */
export class ToldWarnings {
  readonly #held = new Map<string, readonly string[]>();
  #untold: TranslationWarning[] = [];

  get hasUntold(): boolean {
    return this.#untold.length > 0;
  }

  /** @param messages - all that there is to say of an object now */
  hold(kind: TranslationWarning['kind'], key: string, messages: readonly string[]): void {
    const id = `${kind} ${key}`;
    const before = this.#held.get(id) ?? NONE;
    if (before.length === 0 && messages.length === 0) return;
    if (messages.length > 0) this.#held.set(id, messages);
    else this.#held.delete(id);
    const slash = key.indexOf('/');
    const [namespace, name] = [key.slice(0, Math.max(0, slash)), key.slice(slash + 1)];
    for (const message of new Set(messages)) {
      if (!before.includes(message)) this.#untold.push({ kind, namespace, name, message });
    }
  }

  take(): TranslationWarning[] {
    const untold = this.#untold;
    if (untold.length > 0) this.#untold = [];
    return untold;
  }
}
