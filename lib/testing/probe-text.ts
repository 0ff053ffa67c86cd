// SPDX-License-Identifier: Apache-2.0
import { DROP_EXPLANATIONS } from '../engine/reasons.js';
import { formatEndpoint } from '../model/address.js';
import type { Judged } from './judged.js';
import type { ProbeBackend, ProbeResult } from './probe.js';

type Facts = Omit<ProbeResult, 'text'>;

/** What is said where no policy decides. */
export const NO_RULE = 'no policy has a rule for it';

/** A line for the whole, and some for each backend. */
export function probeLines(facts: Facts): string[] {
  const { from, to, protocol, verdict, reason, backends } = facts;
  const lines = backends.flatMap((backend) => backendLines(backend, from));
  const title = `${from} -> ${to} (${protocol}): ${verdict}${reason === null ? '' : ` (${reason})`}`;
  const cause = reason === null ? [] : [`  ${DROP_EXPLANATIONS[reason].cause}`];
  if (lines.length > 0) return [title, ...lines, ...cause];
  return [title, '  there is no backend that it could go to', ...cause];
}

function backendLines(backend: ProbeBackend, from: string): string[] {
  const { share, verdict, source, masquerade } = backend;
  const seen = masquerade ? `, which sees ${source} as its source` : '';
  return [
    `  ${percent(share)} to ${backendName(backend)}: ${verdict}${seen}`,
    ...judgedLines(backend, from).map((line) => `    ${line}`),
  ];
}

/** What policy said, direction by direction, of what goes to a backend. */
export function judgedLines({ egress, ingress, pod, address }: ProbeBackend, from: string) {
  const said = [egress, ingress].filter((judged) => judged !== null);
  if (said.length > 0 && said.every(({ policies }) => policies.length === 0)) return [NO_RULE];
  return said.map((judged) =>
    judgedLine(judged, judged.direction === 'egress' ? from : (pod ?? address)),
  );
}

/** `shop/cart-1 (10.128.0.3:8080 on node-1)`. */
export function backendName({ pod, address, port, node }: ProbeBackend): string {
  const at = `${formatEndpoint(address, port)}${node === null ? ' outside' : ` on ${node}`}`;
  return pod === null ? at : `${pod} (${at})`;
}

/** @param pod - the sender for what leaves it, the receiver for what comes to it */
function judgedLine(judged: Judged, pod: string): string {
  const { direction, node, allowed } = judged;
  return `${direction} ${allowed ? 'passes' : 'denied'} at ${node}: ${becauseOf(judged, pod)}`;
}

function becauseOf({ direction, policies, rule, name, allowed }: Judged, pod: string): string {
  if (policies.length === 0) return NO_RULE;
  const whose = all(policies);
  if (rule === null) {
    return `${pod} is isolated by ${whose}, no ${direction} rule of which accepts it`;
  }
  const which = `rule ${direction}[${rule}]${name === null ? '' : ` (${name})`}`;
  return `${which} of ${whose} ${allowed ? 'accepts' : 'denies'} it`;
}

/** `a`, `a and b`, `a, b and c`. */
function all(names: readonly string[]): string {
  if (names.length < 2) return names.join('');
  return `${names.slice(0, -1).join(', ')} and ${names[names.length - 1]}`;
}

/** `33.3 %`. */
export function percent(share: number): string {
  return `${(share * 100).toFixed(1)} %`;
}
