// SPDX-License-Identifier: Apache-2.0
import { DROP_EXPLANATIONS } from '../engine/reasons.js';
import { formatEndpoint } from '../model/address.js';
import type { Judged } from './judged.js';
import type { ProbeBackend, ProbeResult } from './probe.js';

type Facts = Omit<ProbeResult, 'text'>;

/** A line for the whole, and some for each backend. */
export function probeLines(facts: Facts): string[] {
  const { from, to, protocol, verdict, reason, backends } = facts;
  const title = `${from} -> ${to} (${protocol}): ${verdict}${reason === null ? '' : ` (${reason})`}`;
  const cause = reason === null ? [] : [`  ${DROP_EXPLANATIONS[reason].cause}`];
  if (backends.length > 0) return [title, ...backends.flatMap(backendLines), ...cause];
  return [title, '  there is no backend that it could go to', ...cause];
}

function backendLines(backend: ProbeBackend): string[] {
  const { share, verdict, egress, ingress, source, masquerade } = backend;
  const seen = masquerade ? `, which sees ${source} as its source` : '';
  return [
    `  ${percent(share)} to ${backendName(backend)}: ${verdict}${seen}`,
    ...[egress, ingress].flatMap((judged) =>
      judged === null ? [] : [`    ${judgedLine(judged)}`],
    ),
  ];
}

/** `shop/cart-1 (10.128.0.3:8080 on node-1)`. */
export function backendName({ pod, address, port, node }: ProbeBackend): string {
  const at = `${formatEndpoint(address, port)}${node === null ? ' outside' : ` on ${node}`}`;
  return pod === null ? at : `${pod} (${at})`;
}

export function judgedLine({ direction, node, allowed, policy, rule }: Judged): string {
  const by =
    policy === null ? 'no rule is for it' : `${policy}, ${rule ?? 'which has no rule for it'}`;
  return `${direction} at ${node}: ${allowed ? 'passes' : 'denied'}: ${by}`;
}

/** `33.3 %`. */
export function percent(share: number): string {
  return `${(share * 100).toFixed(1)} %`;
}
