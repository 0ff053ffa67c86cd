// SPDX-License-Identifier: Apache-2.0
import { type Explanation, FLOW_STATES, type Tuple } from '../../engine.js';
import { DROP, DROP_REASONS } from '../../reasons.js';
import { ADDRESS_WORDS, addressBytes, copyAddress, isSame } from '../base/address.js';
import { Burst, CLASS, LANE, PASSED } from '../packet/burst.js';
import { FAMILIES, type Family } from '../packet/family.js';
import { NO_BACKEND, NO_FLOW } from '../table/flow-table.js';
import { HOLD } from '../table/fragments.js';
import type { NextHop } from '../table/groups.js';
import type { Neighbour } from '../table/neighbours.js';
import { judgeArp } from './arp.js';
import type { Context } from './context.js';
import { decapsulate, NOT_CARRIED } from './decap.js';
import { wrap } from './encap.js';
import { FOUND, findEntry, judgeEntry } from './flow.js';
import { laneOf } from './fragment.js';
import { judgeHold } from './hold.js';
import { NatPlan, UNDECIDED } from './nat-plan.js';
import { judgeNd } from './nd.js';
import { routeOwn } from './own-frames.js';
import { parsePacket } from './parse.js';
import { isTold, sourceOfError } from './reject.js';
import { findRelated } from './related.js';
import { newPorts } from './rewrite.js';
import { BY_DESTINATION, findWay, isUntranslatable, throughOf } from './route.js';
import { judgeMiss } from './service.js';

/** How a packet's way through the stages ends, besides the reasons of `DROP`. */
const END = { goesOn: PASSED, hold: HOLD, answer: -3, forward: -4, host: -5 } as const;

/**
 * Says what would become of a frame: the stages' decisions one after the other, on a copy, without
 * what follows from them.
 */
export function explain(context: Context, slot: number, frame: Uint8Array): Explanation {
  return new Explainer(context, slot, frame).explain();
}

class Explainer {
  readonly #burst = new Burst();
  readonly #plan = new NatPlan();
  readonly #explanation = nothing();
  readonly #context: Context;
  // What it leaves with.
  readonly #destination = new Int32Array(ADDRESS_WORDS);
  // Group that it goes by.
  #through = BY_DESTINATION;
  // There is no way on.
  #turnedBack = false;

  constructor(context: Context, slot: number, frame: Uint8Array) {
    this.#context = context;
    this.#burst.count = 1;
    this.#burst.frame[0] = frame.slice();
    this.#burst.ingress[0] = slot;
  }

  explain(): Explanation {
    const explanation = this.#explanation;
    const { policy } = this.#context;
    policy.forget();
    const end = this.#walk();
    explanation.egress = policy.egress;
    explanation.ingress = policy.ingress;
    if (end >= 0) {
      explanation.fate = 'drop';
      explanation.reason = DROP_REASONS[end];
      explanation.rejected = this.#isTold();
    } else if (end === END.answer) {
      explanation.fate = 'answer';
    } else if (end === END.host) {
      explanation.fate = 'host';
    } else {
      explanation.fate = end === END.hold ? 'hold' : 'forward';
    }
    return explanation;
  }

  #isTold(): boolean {
    if (this.#turnedBack) return sourceOfError(this.#burst, 0, this.#context) !== undefined;
    return this.#burst.rejected[0] === 1 && isTold(this.#burst, 0);
  }

  /** @returns one of {@link END}, or of `DROP` */
  #walk(): number {
    const burst = this.#burst;
    const context = this.#context;
    const parsed = this.#parse();
    if (parsed !== PASSED) return parsed;
    if (burst.lane[0] === LANE.arp) {
      return answered(judgeArp(burst.frame[0], burst.ingress[0], context));
    }
    if (burst.lane[0] === LANE.nd) return answered(judgeNd(burst, 0, context));
    const verdict = burst.lane[0] === LANE.fragment ? this.#followFragment() : PASSED;
    this.#explanation.tuple = this.#tuple();
    copyAddress(this.#destination, 0, burst.destination, 0);
    if (verdict !== PASSED) return verdict;

    const family = FAMILIES[burst.family[0]];
    const translated = this.#translate(family);
    return translated === END.goesOn ? this.#findWay(family) : translated;
  }

  #parse(): number {
    const burst = this.#burst;
    const context = this.#context;
    const parsed = parsePacket(burst, 0, context);
    const isInside = context.stations[burst.ingress[0]]?.tunnel !== null;
    if (parsed !== PASSED || isInside || context.tunnels.isEmpty) return parsed;
    const taken = decapsulate(burst, 0, context);
    if (taken !== PASSED) return taken === NOT_CARRIED ? PASSED : taken;
    this.#explanation.tunnel = { interface: burst.ingress[0] };
    return parsePacket(burst, 0, context);
  }

  #followFragment(): number {
    const { fragments, nowSeconds } = this.#context;
    const verdict = fragments.peek(this.#burst, 0, nowSeconds);
    if (verdict === PASSED) this.#burst.lane[0] = laneOf(this.#burst.class[0]);
    return verdict;
  }

  #tuple(): Tuple {
    const { source, destination, ports, protocol } = this.#burst;
    return {
      source: addressBytes(source),
      destination: addressBytes(destination),
      sourcePort: ports[0] >>> 16,
      destinationPort: ports[0] & 0xffff,
      protocol: protocol[0],
    };
  }

  #translate(family: Family): number {
    const burst = this.#burst;
    const context = this.#context;
    if (burst.lane[0] === LANE.flow) {
      const found = this.#followFlow(family);
      if (found !== null) return found;
    }
    const reason = judgeMiss(burst, 0, family, context);
    const frontend = burst.frontend[0];
    if (frontend !== null) {
      this.#explanation.frontend = frontend.slot;
      this.#explanation.scope = burst.scope[0];
    }
    if (reason !== PASSED) return reason;
    if (burst.lane[0] === LANE.answer) return END.answer;
    return burst.lane[0] === LANE.nat ? this.#planFlow(family) : END.goesOn;
  }

  /** @returns `null`: a miss */
  #followFlow(family: Family): number | null {
    const burst = this.#burst;
    const context = this.#context;
    if (burst.class[0] === CLASS.icmpError) {
      const entry = findRelated(burst, 0, family, context);
      if (entry === NO_FLOW) return null;
      this.#showFlow(family, entry, 'related');
      return this.#leaveError(family, entry);
    }
    const entry = findEntry(burst, 0, family, context);
    const found = judgeEntry(burst, 0, entry, family, context);
    if (found !== FOUND.hit && found !== FOUND.flushed && found !== FOUND.refused) {
      if (entry !== NO_FLOW) this.#plan.doomed = entry >> 1;
      return null;
    }
    this.#showFlow(family, entry, (entry & 1) === 0 ? 'forward' : 'reply');
    if (found === FOUND.flushed) return DROP.backend_flushed;
    const flows = context.flowsOf(family);
    // What is remembered says no rules.
    const judged = context.policy.judgePair(flows, entry >> 1);
    if (judged !== PASSED) return judged;
    const other = entry ^ 1;
    const ports = newPorts(flows.ports(other));
    return this.#leave(
      flows.keys,
      flows.destinationAt(other),
      flows.keys,
      flows.sourceAt(other),
      ports,
    );
  }

  #showFlow(family: Family, entry: number, direction: 'forward' | 'reply' | 'related'): void {
    const flows = this.#context.flowsOf(family);
    const pair = entry >> 1;
    this.#through = throughOf(flows, entry, this.#context);
    const client = flows.sourceAt(pair * 2);
    const seen = flows.destinationAt(pair * 2 + 1);
    this.#explanation.flow = { direction, state: FLOW_STATES[flows.state(pair)] };
    const backend = flows.backend[pair];
    this.#explanation.backend = backend === NO_BACKEND ? null : backend;
    this.#explanation.masquerade = !isSame(flows.keys, client, flows.keys, seen);
  }

  #planFlow(family: Family): number {
    const burst = this.#burst;
    const plan = this.#plan;
    const reason = plan.make(burst, 0, family, this.#context);
    const explanation = this.#explanation;
    explanation.pool = decided(plan.pool);
    explanation.maglevSlot = decided(plan.maglevSlot);
    explanation.affinity = plan.affinity;
    explanation.backend = decided(plan.backend);
    explanation.masquerade = plan.masquerade;
    if (reason !== PASSED) return reason;
    if (plan.isOneWay) this.#through = this.#context.program.backends.group[plan.backend];
    const ports = newPorts(plan.replyPorts);
    return this.#leave(plan.source, 0, plan.destination, 0, ports);
  }

  #leave(
    source: Int32Array,
    sourceAt: number,
    destination: Int32Array,
    destinationAt: number,
    ports: number,
  ): number {
    const burst = this.#burst;
    if (isUntranslatable(burst, 0, ports)) return DROP.fragment_untranslatable;
    this.#explanation.rewrite = {
      source: addressBytes(source, sourceAt),
      destination: addressBytes(destination, destinationAt),
      sourcePort: ports >>> 16,
      destinationPort: ports & 0xffff,
      protocol: burst.protocol[0],
    };
    copyAddress(this.#destination, 0, destination, destinationAt);
    return END.goesOn;
  }

  // The error's own source changes only where it is that of the flow.
  #leaveError(family: Family, entry: number): number {
    const flows = this.#context.flowsOf(family);
    const { source } = this.#burst;
    const other = entry ^ 1;
    const isOfFlow = isSame(flows.keys, flows.sourceAt(entry), source, 0);
    return this.#leave(
      isOfFlow ? flows.keys : source,
      isOfFlow ? flows.destinationAt(other) : 0,
      flows.keys,
      flows.sourceAt(other),
      0,
    );
  }

  #findWay(family: Family): number {
    const burst = this.#burst;
    const context = this.#context;
    const reason = findWay(burst, 0, this.#destination, 0, this.#through, family, context);
    this.#turnedBack = reason !== PASSED;
    const way = burst.route[0] as NextHop | null;
    if (way === null) return reason;
    this.#explanation.route = {
      interface: way.interface,
      gateway: way.gateway === null ? null : addressBytes(way.gateway),
      mac: way.mac === null ? null : way.mac.slice(),
    };
    return reason === PASSED ? this.#findNeighbour(way) : reason;
  }

  #findNeighbour({ interface: egress, mac }: NextHop): number {
    const { nextHop } = this.#burst;
    const context = this.#context;
    const known = context.neighbours.find(egress, nextHop, 0);
    const learned = known?.usable(context.nowMs) ? known.mac : null;
    const found = mac ?? learned;
    this.#explanation.neighbour = {
      address: addressBytes(nextHop),
      mac: found === null ? null : found.slice(),
    };
    if (found === null) return this.#wait(known);
    return this.#burst.toHost[0] === 1 ? END.host : this.#findCarrier(egress);
  }

  #wait(known: Neighbour | undefined): number {
    const room = judgeHold(known, this.#context);
    return room === PASSED ? END.hold : room;
  }

  #findCarrier(egress: number): number {
    const burst = this.#burst;
    const context = this.#context;
    const tunnel = context.stations[egress]?.tunnel ?? null;
    if (tunnel === null) return END.forward;
    if (!tunnel.hasRemote) return DROP.tunnel_no_remote;
    const frame = burst.frame[0].subarray(0, burst.length[0]);
    const { reason, route, nextHop } = routeOwn(
      wrap(frame, tunnel, burst.hash[0]),
      burst.hash[0],
      true,
      context,
    );
    if (route === null) return reason;
    const encap = {
      interface: route.interface,
      remote: addressBytes(tunnel.remote),
      neighbour: null as Uint8Array | null,
    };
    this.#explanation.encap = encap;
    if (reason !== PASSED) return reason;
    const known = context.neighbours.find(route.interface, nextHop, 0);
    const learned = known?.usable(context.nowMs) ? known.mac : null;
    encap.neighbour = (route.mac ?? learned)?.slice() ?? null;
    return encap.neighbour === null ? this.#wait(known) : END.forward;
  }
}

function nothing(): Explanation {
  return {
    fate: 'forward',
    reason: null,
    rejected: false,
    tuple: null,
    scope: null,
    flow: null,
    frontend: null,
    pool: null,
    maglevSlot: null,
    affinity: false,
    backend: null,
    egress: null,
    ingress: null,
    masquerade: false,
    rewrite: null,
    route: null,
    neighbour: null,
    tunnel: null,
    encap: null,
  };
}

function answered(reason: number): number {
  return reason === PASSED ? END.answer : reason;
}

function decided(slot: number): number | null {
  return slot === UNDECIDED ? null : slot;
}
