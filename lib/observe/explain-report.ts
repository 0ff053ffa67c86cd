// SPDX-License-Identifier: Apache-2.0
import type { FrontendKind } from '../compile/frontends.js';
import { SCOPE } from '../compile/program.js';
import { ON_LINK, sameHop, UNKNOWN_MAC } from '../compile/routes.js';
import type { ProgramView } from '../compile/view.js';
import type { Explanation, Judgement, Tuple } from '../engine/engine.js';
import { DROP_EXPLANATIONS, type DropReason } from '../engine/reasons.js';
import { formatAddress, formatMac } from '../model/address.js';
import { serviceKey } from '../model/checked.js';
import { policyKey } from '../model/checked-policy.js';
import type { Protocol, TrafficPolicy } from '../model/model.js';
import type { PolicyTier } from '../model/policy.js';
import { explainLines } from './explain-text.js';
import { protocolName } from './views.js';

/** What would become of a packet, with the names of things. What nobody got to is `null`. */
export interface ExplainReport {
  /** Name of the interface that it comes in by. */
  interface: string;
  /** As it comes in. */
  packet: ExplainedTuple | null;
  scope: keyof typeof SCOPE | null;
  /** The flow that it belongs to; `related`: it is an ICMP error of one. */
  flow: Explanation['flow'];
  /** Where it finds a service; a packet of a flow does not look for one. */
  service: ExplainedService | null;
  /** The set of endpoints that are open to it. */
  pool: { slot: number; policy: TrafficPolicy; endpoints: ExplainedEndpoint[] } | null;
  /** Slot of the pool's Maglev table that names the backend; `null` where affinity does. */
  maglevSlot: number | null;
  affinity: boolean;
  /** Of the flow, or newly chosen; `node`: that it runs on, or that it is, where that is known. */
  backend: { address: string; port: number; service: string; node: string | null } | null;
  /**
   * What policy says of what leaves the client and of what comes to the one it speaks to, as they are
   * behind the choice of a backend; `null` where it is not asked, such as of the node itself.
   */
  egress: ExplainedPolicy | null;
  ingress: ExplainedPolicy | null;
  /** Its source is rewritten to an address of ours. */
  masquerade: boolean;
  /** As it leaves. */
  rewrite: ExplainedTuple | null;
  /** Interface that it leaves by, and the route's next hop; `gateway` `null`: on the link. */
  route: ExplainedRoute | null;
  /** `mac` `null`: not known yet. */
  neighbour: { address: string; mac: string | null } | null;
  /** Name of the tunnel that it came by, within another packet; the rest is about what was inside. */
  tunnel: string | null;
  /** Where it leaves in another packet: by which interface, to which end, and over which next hop. */
  encap: { interface: string; remote: string; mac: string | null } | null;
  /** `hold`: it would wait for a neighbour or for a first fragment. */
  fate: Explanation['fate'];
  reason: { name: DropReason; cause: string; remedy: string } | null;
  /** The sender would be told. */
  rejected: boolean;
  /** The same for people, a line for each decision. */
  text: string[];
}

export interface ExplainedRoute {
  interface: string;
  gateway: string | null;
  mac: string | null;
  /** Which of the route's next hops it is, counted from 1; `null`: there is but one. */
  choice: { number: number; of: number } | null;
}

export interface ExplainedPolicy {
  allowed: boolean;
  /** `null`: no rule is for it, and so it may pass. */
  by: DecidingRule | null;
}

/**
 * A rule of a policy; or several policies that isolate the pod, none of which accepts the packet: then
 * `rule` is `null`.
 */
export interface DecidingRule {
  tier: PolicyTier;
  /** `namespace/name`, or the name of one without a namespace. */
  policies: string[];
  /** Place within the policy's `ingress` or `egress`, from 0. */
  rule: number | null;
  ruleName: string | null;
}

export interface ExplainedTuple {
  source: string;
  sourcePort: number;
  destination: string;
  destinationPort: number;
  /** By name where a service may have it, else by number. */
  protocol: Protocol | number;
}

/** One that may be chosen. */
export interface ExplainedEndpoint {
  address: string;
  port: number;
  /** Share of new connections relative to the others; 0: none. */
  weight: number;
}

export interface ExplainedService {
  /** `namespace/name`. */
  name: string;
  /** Empty where the only port has none. */
  portName: string;
  protocol: Protocol;
  /** What the packet is addressed to, and what kind of address that is. */
  address: string;
  port: number;
  kind: FrontendKind;
}

const SCOPES = Object.keys(SCOPE) as (keyof typeof SCOPE)[];

/**
 * @param ingress - name of the interface that the packet comes in by
 * @param interfaceName - by slot
 */
export function explainReport(
  explanation: Explanation,
  ingress: string,
  view: ProgramView,
  interfaceName: (slot: number) => string | undefined,
): ExplainReport {
  const { scope, flow, maglevSlot, affinity, masquerade, fate, reason, rejected } = explanation;
  const nameOf = (slot: number) => interfaceName(slot) ?? `slot ${slot}`;
  const { tunnel, encap } = explanation;
  const report = {
    interface: ingress,
    packet: explanation.tuple && tupleOf(explanation.tuple),
    scope: SCOPES.find((name) => SCOPE[name] === scope) ?? null,
    flow,
    service: serviceOf(explanation.frontend, view),
    pool: poolOf(explanation.pool, view),
    maglevSlot,
    affinity,
    backend: backendOf(explanation.backend, view),
    egress: policyOf(explanation.egress, view),
    ingress: policyOf(explanation.ingress, view),
    masquerade,
    rewrite: explanation.rewrite && tupleOf(explanation.rewrite),
    route: routeOf(explanation, view, interfaceName),
    neighbour: explanation.neighbour && {
      address: formatAddress(explanation.neighbour.address),
      mac: explanation.neighbour.mac && formatMac(explanation.neighbour.mac),
    },
    tunnel: tunnel && nameOf(tunnel.interface),
    encap: encap && {
      interface: nameOf(encap.interface),
      remote: formatAddress(encap.remote),
      mac: encap.neighbour && formatMac(encap.neighbour),
    },
    fate,
    reason: reason && { name: reason, ...DROP_EXPLANATIONS[reason] },
    rejected,
  };
  return { ...report, text: explainLines(report) };
}

function routeOf(
  { route, rewrite, tuple: received }: Explanation,
  view: ProgramView,
  interfaceName: (slot: number) => string | undefined,
): ExplainedRoute | null {
  if (route === null) return null;
  const { interface: slot, gateway, mac } = route;
  const destination = (rewrite ?? received)?.destination;
  const hops = (destination && view.route(destination)?.hops) ?? [];
  const chosen = hops.findIndex((hop) =>
    sameHop(hop, { interface: slot, gateway: gateway ?? ON_LINK, mac: mac ?? UNKNOWN_MAC }),
  );
  return {
    interface: interfaceName(slot) ?? `slot ${slot}`,
    gateway: gateway && formatAddress(gateway),
    mac: mac && formatMac(mac),
    choice: hops.length > 1 && chosen !== -1 ? { number: chosen + 1, of: hops.length } : null,
  };
}

function serviceOf(slot: number | null, view: ProgramView): ExplainedService | null {
  const at = slot === null ? undefined : view.frontend(slot);
  if (at === undefined) return null;
  const { port, frontend } = at;
  return {
    name: serviceKey(port.service),
    portName: port.port.name,
    protocol: port.port.protocol,
    address: frontend.address,
    port: frontend.port,
    kind: frontend.kind,
  };
}

function poolOf(slot: number | null, view: ProgramView): ExplainReport['pool'] {
  const at = slot === null ? undefined : view.pool(slot);
  if (at === undefined) return null;
  const pool = at.port.pools[at.choice];
  const endpoints = (pool?.backends ?? []).flatMap((backend, index) => {
    const member = view.backend(backend)?.backend;
    if (member === undefined) return [];
    return [{ address: member.address, port: member.port, weight: pool!.weights[index]! }];
  });
  return { slot: slot!, policy: POLICIES[at.choice], endpoints };
}

const POLICIES = { cluster: 'Cluster', local: 'Local' } as const;

function backendOf(slot: number | null, view: ProgramView): ExplainReport['backend'] {
  const at = slot === null ? undefined : view.backend(slot);
  if (at === undefined) return null;
  const { address, port } = at.backend;
  const given = at.port.port.backends.find((row) => row.address === address && row.port === port);
  return { address, port, service: serviceKey(at.port.service), node: given?.node ?? null };
}

function policyOf(judgement: Judgement | null, view: ProgramView): ExplainedPolicy | null {
  if (judgement === null) return null;
  const { allowed, rule: number } = judgement;
  const rule = number === null ? undefined : view.rule(number);
  if (rule === undefined) return { allowed, by: null };
  const [policies, index, ruleName] =
    rule.kind === 'rule' ? [[rule.policy], rule.index, rule.name] : [rule.policies, null, null];
  const { tier } = policies[0]!;
  return { allowed, by: { tier, policies: policies.map(policyKey), rule: index, ruleName } };
}

function tupleOf(given: Tuple): ExplainedTuple {
  return {
    source: formatAddress(given.source),
    sourcePort: given.sourcePort,
    destination: formatAddress(given.destination),
    destinationPort: given.destinationPort,
    protocol: protocolName(given.protocol) ?? given.protocol,
  };
}
