// SPDX-License-Identifier: Apache-2.0
import type { ServiceProxy } from '../../proxy/service-proxy.js';
import type { Cleanup } from './cleanup.js';
import type { Seat, Target } from './shop.js';

/** What a demo is made with. */
export interface Setting {
  cleanup: Cleanup;
  /** Aborted when the demo has to end before it is through. */
  signal: AbortSignal;
  /** Tells the user how far it is: one line. */
  say: (line: string) => void;
}

/** What came of a number of requests to one service. */
export interface Answers {
  sent: number;
  answered: number;
  /** Answers by the pod that gave them. */
  byPod: Map<string, number>;
  /** What else there is to know: errors, repetitions. Empty where all went well. */
  remark: string;
}

/** Pods, a client, and a proxy between them. */
export interface World {
  proxy: ServiceProxy;
  why: string;
  /** HTTP requests from the client, each over a connection of its own. */
  http(target: Target, count: number): Promise<Answers>;
  /** `count` UDP requests to each target, each from a port of its own. */
  udp(targets: readonly Target[], count: number): Promise<Answers[]>;
  /** ICMP echo requests from the client to its gateway; `null` if there is nothing to send with. */
  ping(seat: Seat): Promise<Answers | null>;
  /** How many things `Cleanup` will have to take away: `5 namespaces, ...`. */
  inventory(): string;
}

export function noAnswers(sent: number): Answers {
  return { sent, answered: 0, byPod: new Map(), remark: '' };
}

/** Notes an answer of `pod`. */
export function count(answers: Answers, pod: string, answered = 1): void {
  answers.answered += answered;
  answers.byPod.set(pod, (answers.byPod.get(pod) ?? 0) + answered);
}

/** Adds `more` to `total`. */
export function addAnswers(total: Answers, more: Answers): void {
  total.sent += more.sent;
  for (const [pod, answered] of more.byPod) count(total, pod, answered);
  if (more.remark !== '') total.remark = more.remark;
}
