// SPDX-License-Identifier: Apache-2.0
import { ADDRESS_WORDS, copyAddress, isSame } from '../base/address.js';
import { crc32cWord } from '../base/crc32c.js';
import { mix } from '../base/mix.js';

/** No memory. */
export const NO_AFFINITY = -1;

/** Places that one sweep looks at. */
const SWEEP_PLACES = 256;
const PLACES = 8;

/**
 * Session affinity: (client, service) -> backend, until a point in time. Buckets of 8 places; a full
 * bucket gives up what would run out first. A place whose expiry is 0 is empty.
 */
export class AffinityTable {
  /** Columns by place: slot of the backend and its serial. */
  readonly backend: Uint32Array;
  readonly serial: Uint32Array;
  readonly #client: Int32Array;
  readonly #service: Uint32Array;
  // Seconds; wider than 32 bits, because a commit may ask for any number of seconds from now.
  readonly #expiry: Float64Array;
  readonly #places: number;
  #used = 0;
  #cursor = 0;

  /** @param capacity - clients */
  constructor(capacity: number) {
    let buckets = 1;
    while (buckets * PLACES < capacity) buckets *= 2;
    this.#places = buckets * PLACES;
    this.backend = new Uint32Array(this.#places);
    this.serial = new Uint32Array(this.#places);
    this.#client = new Int32Array(this.#places * ADDRESS_WORDS);
    this.#service = new Uint32Array(this.#places);
    this.#expiry = new Float64Array(this.#places);
  }

  /** Places that are not empty. */
  get used(): number {
    return this.#used;
  }

  /** @returns the place of a memory that has not run out, or {@link NO_AFFINITY} */
  find(client: Int32Array, at: number, service: number, now: number): number {
    const place = this.#placeOf(this.#bucketOf(client, at, service), client, at, service);
    return place !== NO_AFFINITY && this.#expiry[place] > now ? place : NO_AFFINITY;
  }

  /** @param expiry - seconds, after `now` */
  remember(
    client: Int32Array,
    at: number,
    service: number,
    backend: number,
    serial: number,
    expiry: number,
    now: number,
  ): void {
    const first = this.#bucketOf(client, at, service);
    const known = this.#placeOf(first, client, at, service);
    const place = known === NO_AFFINITY ? this.#roomIn(first, now) : known;
    if (this.#expiry[place] === 0) this.#used++;
    copyAddress(this.#client, place * ADDRESS_WORDS, client, at);
    this.#service[place] = service;
    this.backend[place] = backend;
    this.serial[place] = serial;
    this.#expiry[place] = expiry;
  }

  /** Looks at the next places and empties those that have run out. */
  sweep(now: number): void {
    const count = Math.min(SWEEP_PLACES, this.#places);
    for (let i = 0; i < count; i++) {
      const place = this.#cursor;
      this.#cursor = place + 1 === this.#places ? 0 : place + 1;
      if (this.#expiry[place] === 0 || this.#expiry[place] > now) continue;
      this.#expiry[place] = 0;
      this.#used--;
    }
  }

  #bucketOf(client: Int32Array, at: number, service: number): number {
    let crc = -1;
    for (let i = 0; i < ADDRESS_WORDS; i++) crc = crc32cWord(crc, client[at + i]);
    crc = crc32cWord(crc, service);
    return (mix(crc) & (this.#places / PLACES - 1)) * PLACES;
  }

  #placeOf(first: number, client: Int32Array, at: number, service: number): number {
    for (let place = first; place < first + PLACES; place++) {
      if (
        this.#expiry[place] !== 0 &&
        this.#service[place] === service &&
        isSame(this.#client, place * ADDRESS_WORDS, client, at)
      ) {
        return place;
      }
    }
    return NO_AFFINITY;
  }

  #roomIn(first: number, now: number): number {
    let soonest = first;
    for (let place = first; place < first + PLACES; place++) {
      if (this.#expiry[place] <= now) return place;
      if (this.#expiry[place] < this.#expiry[soonest]) soonest = place;
    }
    return soonest;
  }
}
