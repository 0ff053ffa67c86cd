// SPDX-License-Identifier: Apache-2.0
import { DROP_REASONS, type DropReason } from '../../lib/engine/reasons.js';
import { get16, read } from '../support/packets.js';
import { type Arrival, WORLDS } from './world.js';

/** Kinds of event, and how many of each a run sees at least, taken over many runs. */
const MINIMUM = {
  flowsCreated: 5,
  tracked: 1,
  masqueraded: 1,
  affinityHits: 0.1,
  related: 0.5,
  flowsExpired: 0.5,
  flowsEvicted: 0.1,
  flowsCleared: 0.2,
  icmpLimited: 0.1,
  answered: 2,
  resets: 0.5,
  'ICMP errors': 1,
  'fragments out': 1,
  'IPv6 out': 5,
  policy_pending: 0.2,
  policy_denied_egress: 0.4,
  policy_denied_ingress: 0.2,
  source_spoofed: 0.5,
  host: 0.5,
  'one-way out': 0.5,
} as const;

type Kind = keyof typeof MINIMUM;

const SERVICES = new Set(WORLDS.flatMap(({ services }) => services));

/** Not in reach of memory interfaces and one worker. */
const OUT_OF_REACH: readonly DropReason[] = ['handoff_full', 'tx_full'];

/** What happened in all runs together: a comparison proves nothing about what never happens. */
export class Coverage {
  readonly counts = new Map<string, number>();
  readonly reasons = new Map<DropReason, number>();
  steps = 0;
  frames = 0;

  /** One step's frames. */
  step(arrivals: number, out: readonly Arrival[]): void {
    this.steps += Math.max(1, arrivals);
    this.frames += out.length;
    for (const { frame } of out) {
      if (get16(frame, 12) === 0x86dd) this.#add('IPv6 out', 1);
      const { ip, tcp, icmp, fragment } = read(frame);
      // Who sends to a service sends it to us: what leaves so has come so.
      if (SERVICES.has(ip?.dst ?? '')) this.#add('one-way out', 1);
      if (fragment !== undefined) this.#add('fragments out', 1);
      if (tcp?.flags.includes('R')) this.#add('resets', 1);
      if (icmp?.quoted !== undefined) this.#add('ICMP errors', 1);
    }
  }

  /** One run's counters, at its end. */
  run(counters: readonly [string, number][]): void {
    const made = counters.filter(([name]) => name === 'flowsCreated');
    const ofServices = counters.filter(([name]) => name.startsWith('backend '));
    this.#add('tracked', sum(made) - sum(ofServices));
    for (const [name, value] of counters) {
      if (name in MINIMUM) this.#add(name as Kind, value);
      const reason = DROP_REASONS.find((each) => each === name);
      if (reason !== undefined) this.reasons.set(reason, (this.reasons.get(reason) ?? 0) + value);
    }
  }

  /** Kinds of which there were too few in `runs` runs. */
  missing(runs: number): string[] {
    const kinds = Object.entries(MINIMUM).filter(
      ([kind, each]) => (this.counts.get(kind) ?? 0) < Math.floor(each * runs),
    );
    return kinds.map(([kind]) => `${kind}: ${this.counts.get(kind) ?? 0} in ${runs} runs`);
  }

  /** Drop reasons that were never reached. */
  unreached(): DropReason[] {
    return DROP_REASONS.filter(
      (reason) => !OUT_OF_REACH.includes(reason) && (this.reasons.get(reason) ?? 0) === 0,
    );
  }

  toString(): string {
    const pairs = (map: ReadonlyMap<string, number>) =>
      [...map].map(([name, count]) => `${name} ${count}`).join(', ');
    return (
      `${this.steps} packets and changes compared, ${this.frames} frames came out; ` +
      `${pairs(this.counts)}; drops: ${pairs(this.reasons)}`
    );
  }

  #add(kind: Kind, count: number): void {
    this.counts.set(kind, (this.counts.get(kind) ?? 0) + count);
  }
}

function sum(counters: readonly [string, number][]): number {
  return counters.reduce((total, [, value]) => total + value, 0);
}
