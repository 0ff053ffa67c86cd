// SPDX-License-Identifier: Apache-2.0
import { DROP } from '../../reasons.js';
import { ADDRESS_WORDS } from '../base/address.js';
import { type Burst, FRAGMENT, PASSED } from '../packet/burst.js';
import { Datagram, FIT, type WaitingFragment } from './datagrams.js';

/** Verdict on a fragment that waits for the first one of its datagram; else `PASSED` or one of `DROP`. */
export const HOLD = -2;

/** What becomes of packets that have waited. */
export interface FragmentSink {
  release(fragment: WaitingFragment): void;
  /** @param reason - one of `DROP` */
  drop(reason: number): void;
}

/** Bounds of a {@link FragmentTable}. */
export interface FragmentLimits {
  datagrams: number;
  packets: number;
  /** Seconds. */
  timeout: number;
}

/**
 * Follows datagrams in fragments without putting them together: the first fragment tells the ports,
 * later ones that come before it wait. Records are kept in the order of their making, which is that of
 * their age.
 */
export class FragmentTable {
  readonly #datagrams = new Map<string, Datagram>();
  readonly #limits: FragmentLimits;
  readonly #sink: FragmentSink;
  #waiting = 0;

  constructor(limits: FragmentLimits, sink: FragmentSink) {
    this.#limits = limits;
    this.#sink = sink;
  }

  /** Datagrams. */
  get size(): number {
    return this.#datagrams.size;
  }

  /** Packets that wait. */
  get waiting(): number {
    return this.#waiting;
  }

  /**
   * Takes fragment `i` of a burst in. A later one whose first is known learns from it what it is.
   * @param now - seconds
   * @returns `PASSED`, {@link HOLD} (the packet has left the burst), or one of `DROP`
   */
  take(burst: Burst, i: number, now: number): number {
    const key = keyOf(burst, i);
    let datagram = this.#datagrams.get(key);
    if (datagram !== undefined && this.#isOver(datagram, now)) {
      this.#remove(key, datagram, DROP.fragment_timeout);
      datagram = undefined;
    }
    if (datagram === undefined) {
      if (this.#datagrams.size >= this.#limits.datagrams) return DROP.fragment_table_full;
      datagram = new Datagram(now);
      this.#datagrams.set(key, datagram);
    }
    const verdict = this.#judge(datagram, burst, i);
    if (verdict === PASSED || verdict === HOLD) this.#admit(key, datagram, burst, i);
    return verdict;
  }

  /** What {@link take} would say; changes nothing but what a later fragment learns. */
  peek(burst: Burst, i: number, now: number): number {
    const known = this.#datagrams.get(keyOf(burst, i));
    if (known === undefined || this.#isOver(known, now)) return this.#peekNew(burst, i, now, known);
    if (known.isSpoilt || fitOf(known, burst, i) !== FIT.fits) return DROP.fragment_overlap;
    if (burst.fragment[i] === FRAGMENT.later && known.hasFirst) teach(burst, i, known);
    return this.#room(known, burst, i, this.#waiting);
  }

  /** Removes datagrams that are too old, and drops what waits for them. */
  expire(now: number): void {
    for (const [key, datagram] of this.#datagrams) {
      if (!this.#isOver(datagram, now)) return;
      this.#remove(key, datagram, DROP.fragment_timeout);
    }
  }

  /** Drops what waits and came in by an interface. */
  removeInterface(slot: number): void {
    for (const datagram of this.#datagrams.values()) {
      const kept = datagram.waiting.filter(({ ingress }) => ingress !== slot);
      this.#drop(datagram.waiting.length - kept.length, DROP.interface_removed);
      datagram.waiting = kept;
    }
  }

  /** @param old - what would make room by being removed */
  #peekNew(burst: Burst, i: number, now: number, old: Datagram | undefined): number {
    const others = this.#datagrams.size - (old === undefined ? 0 : 1);
    if (others >= this.#limits.datagrams) return DROP.fragment_table_full;
    const waiting = this.#waiting - (old?.waiting.length ?? 0);
    return this.#room(new Datagram(now), burst, i, waiting);
  }

  #judge(datagram: Datagram, burst: Burst, i: number): number {
    if (datagram.isSpoilt) return DROP.fragment_overlap;
    const fit = fitOf(datagram, burst, i);
    if (fit === FIT.contradicts) {
      datagram.isSpoilt = true;
      this.#dropWaiting(datagram, DROP.fragment_overlap);
    }
    if (fit !== FIT.fits) return DROP.fragment_overlap;
    return this.#room(datagram, burst, i, this.#waiting);
  }

  /** @param waiting - how many packets wait */
  #room(datagram: Datagram, burst: Burst, i: number, waiting: number): number {
    if (datagram.isFull) return DROP.fragment_queue_full;
    if (burst.fragment[i] === FRAGMENT.first || datagram.hasFirst) return PASSED;
    return waiting >= this.#limits.packets ? DROP.fragment_queue_full : HOLD;
  }

  #admit(key: string, datagram: Datagram, burst: Burst, i: number): void {
    const begin = burst.fragmentOffset[i];
    datagram.note(begin, begin + burst.fragmentLength[i], burst.moreFragments[i] === 1);
    if (burst.fragment[i] === FRAGMENT.first) {
      this.#learn(datagram, burst, i);
    } else if (datagram.hasFirst) {
      teach(burst, i, datagram);
    } else {
      datagram.waiting.push(waitingOf(burst, i));
      this.#waiting++;
    }
    if (datagram.isComplete) this.#datagrams.delete(key);
  }

  #learn(datagram: Datagram, burst: Burst, i: number): void {
    datagram.hasFirst = true;
    datagram.protocol = burst.protocol[i];
    datagram.class = burst.class[i];
    datagram.ports = burst.ports[i];
    datagram.hash = burst.hash[i];
    for (const fragment of datagram.waiting) {
      fragment.protocol = datagram.protocol;
      fragment.class = datagram.class;
      fragment.ports = datagram.ports;
      fragment.hash = datagram.hash;
      this.#sink.release(fragment);
    }
    this.#waiting -= datagram.waiting.length;
    datagram.waiting.length = 0;
  }

  #isOver(datagram: Datagram, now: number): boolean {
    return now - datagram.created >= this.#limits.timeout;
  }

  #remove(key: string, datagram: Datagram, reason: number): void {
    this.#dropWaiting(datagram, reason);
    this.#datagrams.delete(key);
  }

  #dropWaiting(datagram: Datagram, reason: number): void {
    this.#drop(datagram.waiting.length, reason);
    datagram.waiting.length = 0;
  }

  #drop(count: number, reason: number): void {
    for (let n = 0; n < count; n++) this.#sink.drop(reason);
    this.#waiting -= count;
  }
}

/** @returns one of `FIT` */
function fitOf(datagram: Datagram, burst: Burst, i: number): number {
  const begin = burst.fragmentOffset[i];
  return datagram.check(begin, begin + burst.fragmentLength[i], burst.moreFragments[i] === 1);
}

function teach(burst: Burst, i: number, datagram: Datagram): void {
  burst.protocol[i] = datagram.protocol;
  burst.class[i] = datagram.class;
  burst.ports[i] = datagram.ports;
  burst.hash[i] = datagram.hash;
}

function keyOf(burst: Burst, i: number): string {
  const at = i * ADDRESS_WORDS;
  const ends = [
    ...burst.source.subarray(at, at + ADDRESS_WORDS),
    ...burst.destination.subarray(at, at + ADDRESS_WORDS),
  ];
  // The protocol is part of the key in IPv4 alone (RFC 791, RFC 8200).
  const protocol = burst.family[i] === 0 ? burst.protocol[i] : 0;
  return `${ends.join(' ')} ${burst.identification[i]} ${protocol}`;
}

function waitingOf(burst: Burst, i: number): WaitingFragment {
  const at = i * ADDRESS_WORDS;
  return {
    frame: burst.frame[i],
    length: burst.length[i],
    ingress: burst.ingress[i],
    family: burst.family[i],
    l4: burst.l4[i],
    ipLength: burst.ipLength[i],
    source: burst.source.slice(at, at + ADDRESS_WORDS),
    destination: burst.destination.slice(at, at + ADDRESS_WORDS),
    protocol: 0,
    class: 0,
    ports: 0,
    hash: 0,
  };
}
