// SPDX-License-Identifier: Apache-2.0
import { NO_RULES, PENDING_RULES } from '../../../compile/program.js';
import type { Judgement } from '../../engine.js';
import { DROP } from '../../reasons.js';
import { isSame } from '../base/address.js';
import type { PolicyState } from '../config/policy-state.js';
import type { ProgramState } from '../config/program-state.js';
import { PASSED } from '../packet/burst.js';
import { PROTOCOL } from '../packet/headers.js';
import { type FlowTable, NO_BACKEND } from '../table/flow-table.js';
import type { Identity } from '../table/identities.js';
import { NO_ROW, type RuleSet } from '../table/policy.js';

/** Neither a direction's rules nor one of them. */
const UNASKED = -2;
const NO_RULE = -1;

/** What a set of rules has said; made once for each direction. */
class Answer {
  allowed = true;
  /** The compiler's number of the rule, `NO_RULE` or `UNASKED`. */
  rule = UNASKED;

  forget(): void {
    this.allowed = true;
    this.rule = UNASKED;
  }

  show(): Judgement | null {
    if (this.rule === UNASKED) return null;
    return { allowed: this.allowed, rule: this.rule === NO_RULE ? null : this.rule };
  }
}

/**
 * Says who may talk to whom. It has no state but how far the last question came, and is asked about what
 * a packet is behind the choice of a backend and before masquerade.
 */
export class PolicyJudge {
  readonly #program: ProgramState;
  readonly #policy: PolicyState;
  readonly #egress = new Answer();
  readonly #ingress = new Answer();

  constructor(program: ProgramState) {
    this.#program = program;
    this.#policy = program.policy;
  }

  /** What was said of each direction last; `null`: it was not asked about. */
  get egress(): Judgement | null {
    return this.#egress.show();
  }

  get ingress(): Judgement | null {
    return this.#ingress.show();
  }

  forget(): void {
    this.#egress.forget();
    this.#ingress.forget();
  }

  /** Whether an address has rules, if none that say anything. */
  isProtected(words: Int32Array, at: number): boolean {
    const { ingress, egress } = this.#policy.identities.of(words, at);
    return ingress !== NO_RULES || egress !== NO_RULES;
  }

  /**
   * Whether a source may send to a destination.
   * @param port - of the destination; 0 where there are none
   * @param byService - a service has led to the destination
   * @returns `PASSED` or one of `DROP`
   */
  judge(
    source: Int32Array,
    sourceAt: number,
    destination: Int32Array,
    destinationAt: number,
    protocol: number,
    port: number,
    byService: boolean,
  ): number {
    this.forget();
    const { identities } = this.#policy;
    const from = identities.of(source, sourceAt);
    const to = identities.of(destination, destinationAt);
    if (isPending(from) || isPending(to)) return DROP.policy_pending;
    const { addresses } = this.#program;
    if (addresses.has(source, sourceAt) || addresses.has(destination, destinationAt)) return PASSED;
    const isSelf = isSame(source, sourceAt, destination, destinationAt);
    if (isSelf && !byService) return PASSED;
    if (!this.#ask(this.#egress, from.egress, to, protocol, port, isSelf)) {
      return DROP.policy_denied_egress;
    }
    return this.#ask(this.#ingress, to.ingress, from, protocol, port, isSelf)
      ? PASSED
      : DROP.policy_denied_ingress;
  }

  /** As {@link judge}, of a pair as if its first packet came now. */
  judgePair(flows: FlowTable, pair: number): number {
    const forward = pair * 2;
    const reply = forward + 1;
    return this.judge(
      flows.keys,
      flows.sourceAt(forward),
      flows.keys,
      flows.sourceAt(reply),
      flows.protocol(forward),
      flows.ports(reply) >>> 16,
      flows.backend[pair] !== NO_BACKEND,
    );
  }

  /** As {@link judgePair}; what was said under the same version is remembered. */
  recall(flows: FlowTable, pair: number): number {
    const { version } = this.#policy;
    if (flows.judged[pair] !== version) {
      flows.judge(pair, version, this.judgePair(flows, pair));
    }
    return flows.verdict[pair];
  }

  #ask(
    answer: Answer,
    slot: number,
    peer: Identity,
    protocol: number,
    port: number,
    isSelf: boolean,
  ): boolean {
    answer.rule = NO_RULE;
    if (slot === NO_RULES) return true;
    const rules = this.#policy.ruleSets.get(slot) as RuleSet;
    const row = rules.ask(peer, protocol, port, hasPort(protocol), isSelf);
    if (row !== NO_ROW) answer.rule = rules.ruleAt(row);
    answer.allowed = rules.accepts(row);
    return answer.allowed;
  }
}

function isPending({ ingress, egress }: Identity): boolean {
  return ingress === PENDING_RULES || egress === PENDING_RULES;
}

function hasPort(protocol: number): boolean {
  return protocol === PROTOCOL.tcp || protocol === PROTOCOL.udp || protocol === PROTOCOL.sctp;
}
