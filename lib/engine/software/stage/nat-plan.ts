// SPDX-License-Identifier: Apache-2.0
import { DROP } from '../../reasons.js';
import { ADDRESS_WORDS, copyAddress, isIpv4, isSame } from '../base/address.js';
import { type Burst, FRAGMENT, PASSED } from '../packet/burst.js';
import type { Family } from '../packet/family.js';
import { TCP_FLAG } from '../packet/headers.js';
import { NO_AFFINITY } from '../table/affinity.js';
import { NO_GROUP } from '../table/backends.js';
import { hasHandshake } from '../table/flow-state.js';
import { NO_FLOW } from '../table/flow-table.js';
import { maglevSlot } from '../table/maglev.js';
import type { Frontend, Pool } from '../table/service-table.js';
import type { Context } from './context.js';
import { opens } from './flow.js';
import { choosePort, chooseSource, keepPort } from './snat.js';

/** Not decided yet, or not by this. */
export const UNDECIDED = -1;

/**
 * What a new flow is to be. A plan changes nothing; `nat` carries it out, and `explain` shows how far it
 * came. Made once.
 */
export class NatPlan {
  /** Slot of the pool, or {@link UNDECIDED}. */
  pool = UNDECIDED;
  /** Slot of the Maglev table that chose, or {@link UNDECIDED}. */
  maglevSlot = UNDECIDED;
  /** The client's affinity chose. */
  affinity = false;
  /** Slot of the backend, or {@link UNDECIDED}; of a tracked flow there is none. */
  backend = UNDECIDED;
  masquerade = false;
  /** It goes to the backend as it came. */
  isOneWay = false;
  /** What the backend sees. */
  readonly source = new Int32Array(ADDRESS_WORDS);
  readonly destination = new Int32Array(ADDRESS_WORDS);
  backendPort = 0;
  /** Ports of replies: from the backend's to the one that it sees as the source. */
  replyPorts = 0;
  replyHash = 0;
  /** Entry in the replies' place that has expired, or `NO_FLOW`. */
  expiredEntry = NO_FLOW;
  /** Pair that would have been removed before, and whose tuples are free then; or `NO_FLOW`. For `explain`. */
  doomed = NO_FLOW;

  /** Plans a flow for packet `i`, of its frontend or to be tracked. @returns `PASSED` or one of `DROP` */
  make(burst: Burst, i: number, family: Family, context: Context): number {
    this.#forget();
    const unfit = cannotBegin(burst, i, context);
    if (unfit !== PASSED) return unfit;
    copyAddress(this.source, 0, burst.source, i * ADDRESS_WORDS);
    const frontend = burst.frontend[i];
    let reason =
      frontend === null ? this.#track(burst, i) : this.#choose(frontend, burst, i, family, context);
    if (reason === PASSED) reason = this.#judge(burst, i, context);
    if (reason === PASSED && this.isOneWay) return keepPort(this, burst, i, family, context);
    if (reason === PASSED && frontend !== null) {
      reason = this.#masquerade(frontend, burst, i, family, context);
    }
    return reason === PASSED ? choosePort(this, burst, i, family, context) : reason;
  }

  // The destination stays.
  #track(burst: Burst, i: number): number {
    copyAddress(this.destination, 0, burst.destination, i * ADDRESS_WORDS);
    this.backendPort = burst.ports[i] & 0xffff;
    return PASSED;
  }

  #choose(frontend: Frontend, burst: Burst, i: number, family: Family, context: Context): number {
    const { program } = context;
    const pool = program.pools.get(frontend.pools[burst.scope[i]]) as Pool;
    this.pool = pool.slot;
    if (pool.maglev.length === 0) {
      burst.rejected[i] = pool.silent ? 0 : 1;
      return pool.silent ? DROP.no_local_backend : DROP.no_backend;
    }
    this.#chooseBackend(pool, frontend, burst, i, context);
    copyAddress(this.destination, 0, program.backends.address, this.backend * ADDRESS_WORDS);
    this.backendPort = program.backends.port[this.backend];
    if (isIpv4(this.destination) !== family.isIpv4) return DROP.no_backend;
    this.isOneWay = program.backends.group[this.backend] !== NO_GROUP;
    return this.isOneWay ? this.#track(burst, i) : PASSED;
  }

  #judge(burst: Burst, i: number, { policy }: Context): number {
    return policy.judge(
      this.source,
      0,
      this.destination,
      0,
      burst.protocol[i],
      this.backendPort,
      burst.frontend[i] !== null,
    );
  }

  #masquerade(
    frontend: Frontend,
    burst: Burst,
    i: number,
    family: Family,
    context: Context,
  ): number {
    const isHairpin = isSame(this.destination, 0, this.source, 0);
    this.masquerade = isHairpin || (frontend.masquerade & (1 << burst.scope[i])) !== 0;
    return this.masquerade ? chooseSource(this, burst, i, family, context) : PASSED;
  }

  #forget(): void {
    this.pool = UNDECIDED;
    this.maglevSlot = UNDECIDED;
    this.affinity = false;
    this.backend = UNDECIDED;
    this.masquerade = false;
    this.isOneWay = false;
    this.expiredEntry = NO_FLOW;
  }

  #chooseBackend(pool: Pool, frontend: Frontend, burst: Burst, i: number, context: Context): void {
    const remembered = recall(pool, frontend, burst, i, context);
    this.affinity = remembered !== UNDECIDED;
    if (this.affinity) {
      this.backend = remembered;
    } else {
      this.maglevSlot = maglevSlot(burst.hash[i], pool.maglev.length);
      this.backend = pool.members[pool.maglev[this.maglevSlot]];
    }
  }
}

/** Backend that the client's affinity chooses, or {@link UNDECIDED}. */
function recall(pool: Pool, frontend: Frontend, burst: Burst, i: number, context: Context): number {
  if (frontend.affinity === 0) return UNDECIDED;
  const { affinities, program, nowSeconds } = context;
  const place = affinities.find(burst.source, i * ADDRESS_WORDS, frontend.service, nowSeconds);
  if (place === NO_AFFINITY) return UNDECIDED;
  const backend = affinities.backend[place];
  const isThere = program.backends.isThere(backend, affinities.serial[place]);
  return isThere && pool.eligible.has(backend) ? backend : UNDECIDED;
}

/** Whether no flow begins with such a packet. @returns `PASSED` or one of `DROP` */
export function cannotBegin(burst: Burst, i: number, { options }: Context): number {
  if (burst.fragment[i] === FRAGMENT.later) return DROP.fragment_orphan;
  if (!hasHandshake(burst.protocol[i])) return PASSED;
  if (burst.tcpFlags[i] & (TCP_FLAG.rst | TCP_FLAG.fin)) return DROP.tcp_no_flow;
  return options.tcpPickup || opens(burst, i) ? PASSED : DROP.tcp_no_flow;
}
