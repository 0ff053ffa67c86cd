// SPDX-License-Identifier: Apache-2.0
import { formatEndpoint } from '../model/address.js';
import type { ExplainedRoute, ExplainedTuple, ExplainReport } from './explain-report.js';

type Facts = Omit<ExplainReport, 'text'>;

const KINDS = {
  cluster: 'its cluster address',
  external: 'an external address of it',
  nodePort: 'its node port',
} as const;

/** A line for each decision that was made, in the order of the packet path. */
export function explainLines(facts: Facts): string[] {
  const { packet } = facts;
  return [
    `packet     ${packet === null ? 'not understood' : arrow(packet)}, in by ${ingressText(facts)}`,
    ...decisions(facts),
    `fate       ${fate(facts)}`,
    ...(facts.reason === null
      ? []
      : [`cause      ${facts.reason.cause}`, `remedy     ${facts.reason.remedy}`]),
  ];
}

function decisions(facts: Facts): string[] {
  const { packet, flow, scope, service, pool, backend, rewrite, route, neighbour } = facts;
  const { egress, ingress, encap } = facts;
  const lines: [name: string, decision: string | null][] = [
    ['flow', flow === null ? packet && 'none' : `${flow.direction}, ${flow.state}`],
    ['scope', scope],
    ['service', service && serviceText(service)],
    ['pool', pool && `slot ${pool.slot}, for traffic policy ${pool.policy}`],
    ['chosen by', chosenBy(facts)],
    ['backend', backend && backendText(backend)],
    ['egress', egress && policyText(egress, 'egress')],
    ['ingress', ingress && policyText(ingress, 'ingress')],
    ['source', backend && rewrite && sourceText(facts)],
    ['leaves as', rewrite && arrow(rewrite)],
    ['route', route && routeText(route)],
    ['next hop', neighbour && `${neighbour.address} at ${neighbour.mac ?? 'a MAC not known yet'}`],
    ['tunnelled', encap && encapText(encap)],
  ];
  return lines.flatMap(([name, decision]) =>
    decision === null ? [] : [`${name.padEnd(10)} ${decision}`],
  );
}

function serviceText({
  name,
  portName,
  address,
  port,
  protocol,
  kind,
}: NonNullable<Facts['service']>) {
  const which = portName === '' ? name : `${name} (${portName})`;
  return `${which}, ${KINDS[kind]} ${formatEndpoint(address, port)}/${protocol}`;
}

function backendText({ address, port, service, node }: NonNullable<Facts['backend']>): string {
  const where = node === null ? '' : `, node ${node}`;
  return `${formatEndpoint(address, port)} of ${service}${where}`;
}

function ingressText({ interface: name, tunnel }: Facts): string {
  return tunnel === null ? name : `${name}, out of the tunnel ${tunnel}`;
}

function encapText({ interface: name, remote, mac }: NonNullable<Facts['encap']>): string {
  return `to ${remote}, out by ${name}, at ${mac ?? 'a MAC not known yet'}`;
}

function chosenBy({ affinity, maglevSlot }: Facts): string | null {
  if (affinity) return "the client's affinity";
  return maglevSlot === null ? null : `slot ${maglevSlot} of the Maglev table`;
}

function sourceText({ masquerade, flow }: Facts): string | null {
  if (flow !== null) return null;
  return masquerade ? 'rewritten to an address of ours' : 'kept';
}

function policyText(
  { allowed, by }: NonNullable<Facts['egress']>,
  direction: 'egress' | 'ingress',
): string {
  const verdict = allowed ? 'allowed' : 'denied';
  if (by === null) return `${verdict}: no rule is for it`;
  const { tier, policies, rule, ruleName } = by;
  if (rule === null) {
    return `${verdict}: ${policies.join(', ')} isolate${policies.length === 1 ? 's' : ''} the pod, and no rule accepts it`;
  }
  const name = ruleName === null ? '' : ` (${ruleName})`;
  return `${verdict} by ${policies.join()} (tier ${tier}), ${direction}[${rule}]${name}`;
}

function routeText({ interface: name, gateway, mac, choice }: ExplainedRoute): string {
  const hop = gateway === null ? 'on its link' : `via ${gateway}`;
  const which = choice === null ? '' : ` (next hop ${choice.number} of ${choice.of})`;
  return `out by ${name}, ${hop}${mac === null ? '' : `, MAC ${mac}`}${which}`;
}

function fate({ fate: what, neighbour, reason, rejected }: Facts): string {
  if (what === 'forward') return 'forwarded';
  if (what === 'answer') return 'answered';
  if (what === 'host') return "handed to this node's kernel";
  if (what === 'hold') {
    const awaited = neighbour === null ? 'the first fragment of its datagram' : 'its next hop';
    return `held: it waits for ${awaited}`;
  }
  return `dropped as ${reason?.name ?? 'unknown'}${rejected ? '; the sender is told' : ''}`;
}

function arrow(tuple: ExplainedTuple): string {
  const { protocol, source, sourcePort, destination, destinationPort } = tuple;
  if (protocol === 'ICMP') {
    const identifier = sourcePort || destinationPort;
    return `ICMP ${source} -> ${destination}${identifier === 0 ? '' : `, identifier ${identifier}`}`;
  }
  const name = typeof protocol === 'number' ? `protocol ${protocol}` : protocol;
  const ends = [formatEndpoint(source, sourcePort), formatEndpoint(destination, destinationPort)];
  return `${name} ${ends.join(' -> ')}`;
}
