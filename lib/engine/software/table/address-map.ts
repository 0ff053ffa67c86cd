// SPDX-License-Identifier: Apache-2.0
import { ADDRESS_WORDS, copyAddress, isSame } from '../base/address.js';

interface Node<Value> {
  readonly address: Int32Array;
  readonly extra: number;
  value: Value;
  next: Node<Value> | undefined;
}

/**
 * A map keyed by an address and a number. A look-up makes no garbage: the key stays where it is, and the
 * built-in map below holds chains by a hash that is a small integer.
 */
export class AddressMap<Value> {
  readonly #chains = new Map<number, Node<Value>>();
  #size = 0;

  get size(): number {
    return this.#size;
  }

  /** @param at - where the address begins in `words` */
  get(words: Int32Array, at: number, extra: number): Value | undefined {
    return this.#find(words, at, extra)?.value;
  }

  set(words: Int32Array, at: number, extra: number, value: Value): void {
    const known = this.#find(words, at, extra);
    if (known !== undefined) {
      known.value = value;
      return;
    }
    const address = new Int32Array(ADDRESS_WORDS);
    copyAddress(address, 0, words, at);
    const hash = hashOf(words, at, extra);
    this.#chains.set(hash, { address, extra, value, next: this.#chains.get(hash) });
    this.#size++;
  }

  /** @returns whether it was there */
  delete(words: Int32Array, at: number, extra: number): boolean {
    const hash = hashOf(words, at, extra);
    let previous: Node<Value> | undefined;
    for (let node = this.#chains.get(hash); node !== undefined; node = node.next) {
      if (node.extra === extra && isSame(node.address, 0, words, at)) {
        if (previous !== undefined) previous.next = node.next;
        else if (node.next !== undefined) this.#chains.set(hash, node.next);
        else this.#chains.delete(hash);
        this.#size--;
        return true;
      }
      previous = node;
    }
    return false;
  }

  /** Deletes what `isOver` says of. */
  deleteWhere(isOver: (value: Value) => boolean): void {
    for (const { address, extra, value } of [...this.#nodes()]) {
      if (isOver(value)) this.delete(address, 0, extra);
    }
  }

  *values(): Generator<Value> {
    for (const { value } of this.#nodes()) yield value;
  }

  *#nodes(): Generator<Node<Value>> {
    for (const first of this.#chains.values()) {
      for (let node: Node<Value> | undefined = first; node !== undefined; node = node.next) {
        yield node;
      }
    }
  }

  #find(words: Int32Array, at: number, extra: number): Node<Value> | undefined {
    let node = this.#chains.get(hashOf(words, at, extra));
    while (node !== undefined && (node.extra !== extra || !isSame(node.address, 0, words, at))) {
      node = node.next;
    }
    return node;
  }
}

function hashOf(words: Int32Array, at: number, extra: number): number {
  let hash = Math.imul(extra, 0x9e3779b1);
  for (let i = 0; i < ADDRESS_WORDS; i++) {
    hash = Math.imul(hash ^ words[at + i], 0x85ebca6b);
    hash ^= hash >>> 15;
  }
  return hash | 0;
}
