// SPDX-License-Identifier: Apache-2.0
import type { Expectation } from './expected-table.js';
import type { Judged } from './judged.js';
import type { ProbeBackend, ProbeResult } from './probe.js';
import { backendName, judgedLines, NO_RULE } from './probe-text.js';

/** What came of an expectation. */
export interface Comparison {
  readonly expected: Expectation;
  readonly result: ProbeResult;
  /** In words, what is other than expected and why; `null`: nothing is. */
  readonly difference: string | null;
}

/** Compares a probe with what was expected of it. */
export function compare(expected: Expectation, result: ProbeResult): Comparison {
  const wrong = wrongVerdict(expected, result) ?? wrongBackends(expected, result);
  return { expected, result, difference: wrong ?? wrongRule(expected, result) };
}

function wrongVerdict({ expect }: Expectation, result: ProbeResult): string | null {
  if (result.verdict === expect) return null;
  const title = `expected ${expect}, but it is ${verdictText(result)}`;
  return [title, ...reasons(result)].join('\n  ');
}

function verdictText({ verdict, reason }: ProbeResult): string {
  return reason === null ? verdict : `${verdict} (${reason})`;
}

/** Why it is as it is: of the backends of which the same was said, the first. */
function reasons({ from, backends, text }: ProbeResult): string[] {
  if (backends.length === 0) return text.slice(1).map((line) => line.trim());
  const groups = new Map<string, ProbeBackend[]>();
  for (const backend of backends) {
    const key = JSON.stringify([backend.reason, saidOf(backend.egress), saidOf(backend.ingress)]);
    groups.set(key, [...(groups.get(key) ?? []), backend]);
  }
  return [...groups.values()].map((same) =>
    [backendNames(same), ...whyOf(same[0]!, from)].join('\n    '),
  );
}

function saidOf(judged: Judged | null): unknown[] {
  return judged === null ? [] : [judged.allowed, judged.rule, ...judged.policies];
}

function backendNames(backends: readonly ProbeBackend[]): string {
  const [first, ...others] = backends;
  const more = others.length === 0 ? '' : ` and ${others.length} more`;
  return `${backendName(first!)}${more}: ${first!.verdict}`;
}

function whyOf(backend: ProbeBackend, from: string): string[] {
  const { reason, legs } = backend;
  const judged = judgedLines(backend, from);
  if (judged.length > 0) return judged;
  const last = legs[legs.length - 1]!.report;
  return [reason === null ? NO_RULE : (last.reason?.cause ?? reason)];
}

function wrongBackends({ backends }: Expectation, result: ProbeResult): string | null {
  if (backends === undefined) return null;
  const found = result.backends.map(backendName);
  const list = found.length === 0 ? 'none' : found.join(', ');
  if (typeof backends === 'number') {
    if (found.length === backends) return null;
    return `expected ${backends} backends, found ${found.length}: ${list}`;
  }
  const isNamed = (name: string) => result.backends.some((backend) => isCalled(backend, name));
  const missing = backends.filter((name) => !isNamed(name));
  const others = result.backends.filter((each) => !backends.some((name) => isCalled(each, name)));
  if (missing.length === 0 && others.length === 0) return null;
  return `expected the backends ${backends.join(', ')}, found ${list}`;
}

/** A pod, the workload that it belongs to, or an address. */
function isCalled({ pod, workload, address }: ProbeBackend, name: string): boolean {
  return name === pod || name === workload || name === address;
}

function wrongRule({ rule }: Expectation, result: ProbeResult): string | null {
  if (rule === undefined) return null;
  const lines = result.backends.flatMap((backend) => whyOf(backend, result.from));
  if (lines.some((line) => line.includes(rule))) return null;
  const said = lines.length === 0 ? 'nothing decided' : [...new Set(lines)].join('; ');
  return `expected ${result.verdict} by ${rule}, but what decided was: ${said}`;
}
