// SPDX-License-Identifier: Apache-2.0
import type { Prefix } from '../../model/address.js';
import type { CheckedNamedPort } from '../../model/checked-policy.js';
import { DraftMap } from '../draft-map.js';
import { NO_RULES, PENDING_RULES } from '../program.js';
import type { InternedDraft } from './interned.js';
import type { NetworkIndex } from './network-index.js';
import type { Identity, PolicyDelta } from './policy-delta.js';
import type { Attached, Here, PodState, PolicyState } from './state.js';

const PENDING: Identity = { ingress: PENDING_RULES, egress: PENDING_RULES, selectors: [] };
const NO_PORTS: readonly CheckedNamedPort[] = [];

/** What an identity follows from. */
interface Knowledge {
  pod(key: string): PodState;
  /** Whose address it is, by key of the prefix. */
  owner(key: string): Attached | undefined;
  /** Slot of a rule set, by its key. */
  slotOf(key: string): number;
  /** Those of `selectors` that ask their peers to serve nothing, or one of `ports`. */
  serving(selectors: readonly number[], ports: readonly CheckedNamedPort[]): number[];
}

/** Which identity each address of a pod and each network of a selector has. */
export class IdentityTable {
  readonly #before: Here;
  readonly #delta: PolicyDelta;
  readonly #networks: NetworkIndex;
  readonly #known: Knowledge;
  readonly #rows: DraftMap<string, { readonly prefix: Prefix; readonly identity: string }>;
  readonly #identities: InternedDraft<Identity>;

  constructor(state: PolicyState, delta: PolicyDelta, networks: NetworkIndex, known: Knowledge) {
    this.#before = state.here;
    this.#delta = delta;
    this.#networks = networks;
    this.#known = known;
    this.#rows = new DraftMap(state.rows);
    this.#identities = state.identities.draft();
  }

  /** One more than the highest slot that was ever in use. */
  get size(): number {
    return this.#identities.size;
  }

  /**
   * Puts and removes the rows that have changed.
   * @param touched - keys of prefixes that something has changed for, besides networks
   */
  update(
    touched: ReadonlySet<string>,
    addresses: Iterable<[string, Attached]>,
    { attached }: Here,
  ): void {
    const keys = new Set([...touched, ...this.#networks.touched]);
    if (this.#networks.anyShifted) {
      const look = (key: string, prefix: Prefix) => {
        if (this.#networks.hasShifted(prefix)) keys.add(key);
      };
      for (const [key, { prefix }] of addresses) look(key, prefix);
      for (const [key, { prefix }] of this.#rows) look(key, prefix);
    }
    const before = this.#before.attached;
    if (before !== attached) {
      for (const key of new Set([...before.keys(), ...attached.keys()])) {
        if (before.get(key)?.pod !== attached.get(key)?.pod) keys.add(key);
      }
    }
    for (const key of keys) this.#change(key, this.#wanted(key, attached.get(key)));
  }

  /** Puts and removes the identities that this takes. */
  settle(): void {
    const { put, removed } = this.#identities.settle();
    for (const { number, value } of put) this.#delta.putIdentity(number, value);
    for (const { number } of removed) this.#delta.removeIdentity(number);
  }

  accept(): void {
    this.#rows.accept();
    this.#identities.accept();
  }

  #change(key: string, wanted: { prefix: Prefix; identity: Identity } | null): void {
    const row = this.#rows.get(key);
    if (wanted === null) {
      if (row === undefined) return;
      this.#identities.release(row.identity);
      this.#rows.delete(key);
      this.#delta.removeNetwork(row.prefix);
      return;
    }
    const { prefix, identity } = wanted;
    const name = `${identity.ingress} ${identity.egress} ${identity.selectors.join()}`;
    if (row?.identity === name) return;
    const number = this.#identities.acquire(name, () => identity);
    if (row !== undefined) this.#identities.release(row.identity);
    this.#rows.set(key, { prefix, identity: name });
    this.#delta.putNetwork(prefix, number);
  }

  #wanted(
    key: string,
    attached: Attached | undefined,
  ): { prefix: Prefix; identity: Identity } | null {
    const owner = this.#known.owner(key);
    if (attached !== undefined && attached.pod !== owner?.pod) {
      return { prefix: attached.prefix, identity: PENDING };
    }
    const network = this.#networks.get(key);
    const prefix = owner?.prefix ?? network;
    if (prefix === undefined) return null;
    const held = this.#networks.holding(prefix);
    if (owner === undefined)
      return { prefix, identity: ruleless(this.#known.serving(held, NO_PORTS)) };
    const { pod, selectors, ingress, egress } = this.#known.pod(owner.pod);
    const all = [...selectors, ...this.#known.serving(held, pod.ports)];
    if (ingress === null || egress === null) {
      // One that only networks hold is held by the longest of them: it needs no row of its own.
      const isOwn = all.length > this.#known.serving(held, NO_PORTS).length;
      return isOwn || network !== undefined ? { prefix, identity: ruleless(all) } : null;
    }
    const slots = { ingress: this.#known.slotOf(ingress), egress: this.#known.slotOf(egress) };
    return { prefix, identity: { ...slots, selectors: ascending(all) } };
  }
}

function ruleless(selectors: readonly number[]): Identity {
  return { ingress: NO_RULES, egress: NO_RULES, selectors: ascending(selectors) };
}

function ascending(numbers: readonly number[]): number[] {
  return [...numbers].sort((a, b) => a - b);
}
