// SPDX-License-Identifier: Apache-2.0

/** A Service's address, and where new flows to it are to go from now on. */
export interface Wanted {
  /** `namespace/name`. */
  service: string;
  slice: string;
  address: string;
  backend: string;
  /** There is no such Service yet. */
  isNew: boolean;
}

/** When something came about, in ms of `monotonic`. Of a bare watch all is when it had the line. */
export interface Reached {
  /** The watch's line that told of it was read. */
  line: number;
  /** A sync began to make it. */
  taken: number;
  /** The first packet went there. */
  packet: number;
  /** Packets that went where they had gone before, though the change was committed. */
  stale: number;
}

/** A Service and all the backends that new flows are to go to. */
export interface Sample {
  address: string;
  protocol: 'TCP' | 'UDP';
  backends: string[];
}

/** Milliseconds that timers of the event loop were apart: {@link LOOP_RESOLUTION_MS} and what they were late by. */
export interface LoopDelay {
  p50: number;
  p99: number;
  max: number;
}

/** Resident memory in MB. */
export interface Resident {
  now: number;
  peak: number;
  /** In hugepages, which are not in the other two. */
  huge: number;
}

export const LOOP_RESOLUTION_MS = 1;

/** An agent's start, in ms of `monotonic`. */
export interface Loading {
  /** The first request to the API server. */
  asked: number;
  /** All lists are read. */
  synced: number;
  /** Everything of them is in force. */
  ready: number;
  /** From `asked` to `ready`. */
  loop: LoopDelay;
}

/** Since the last mark. */
export interface Load {
  loop: LoopDelay;
  /** Of one CPU: of all threads, and of the event loop's. */
  cpu: number;
  mainThread: number;
}

/** What runs in the namespaces of the benchmark. */
export interface Programmed {
  services: number;
  backends: number;
}

/** To the agent, and to the bare watch. */
export type AgentOrder =
  /** Looks out from now on; the answer to `reached` comes when it is so. */
  | { ask: 'want'; wanted: Wanted }
  | { ask: 'reached' }
  /** To the agent alone. */
  | { ask: 'open'; config: string }
  | { ask: 'mark' }
  | { ask: 'load' }
  | { ask: 'programmed' }
  /** Which samples are answered by others than their backends, or not by all of them. */
  | { ask: 'check'; samples: Sample[] }
  /** To the bare watch alone. */
  | { ask: 'list'; url: string; ca: string; token: string; pageSize: number }
  | { ask: 'watch' };

/** One for each order that could be obeyed. */
export type AgentAnswer =
  | { answer: 'wanting' }
  | ({ answer: 'reached' } & Reached)
  | { answer: 'ready'; loading: Loading }
  | { answer: 'marked' }
  | { answer: 'load'; load: Load }
  | { answer: 'programmed'; programmed: Programmed }
  | { answer: 'checked'; faults: string[] }
  /** Milliseconds from the first request to the last object. */
  | { answer: 'listed'; ms: number; objects: number }
  | { answer: 'watching' };
