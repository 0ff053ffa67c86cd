// SPDX-License-Identifier: Apache-2.0
import type { Prefix } from '../../model/address.js';
import type { CheckedInterface } from '../../model/checked.js';
import type { CheckedNamedPort, CheckedNamespace, CheckedPod } from '../../model/checked-policy.js';
import type { RuleView } from '../view.js';
import { Interned } from './interned.js';
import type { Labelled, PodMatcher } from './match-index.js';
import { NetworkState } from './network-index.js';
import type { Identity } from './policy-delta.js';
import type { CompiledPolicy } from './policy-rows.js';
import type { RuleSet } from './rule-sets.js';
import type { Selector } from './selectors.js';

/** What is known of a pod. Pods in the network of their node are none. */
export interface PodState extends Labelled {
  readonly pod: CheckedPod;
  /** It is a subject: it runs on this node. */
  readonly local: boolean;
  /** Keys of the policies that are for it, in the order in which they are asked. */
  readonly policies: readonly string[];
  /** Numbers of the selectors of pods that find it. */
  readonly selectors: readonly number[];
  /** Keys of its rule sets; `null`: it is no subject. */
  readonly ingress: string | null;
  readonly egress: string | null;
}

/** An address of a pod's interface. */
export interface Attached {
  readonly prefix: Prefix;
  /** `namespace/name`. */
  readonly pod: string;
}

/** Where we are, as far as policy asks. */
export interface Here {
  /** What the rest was made of. */
  readonly interfaces: readonly CheckedInterface[];
  readonly node: string | null;
  /** By key of the prefix. */
  readonly attached: ReadonlyMap<string, Attached>;
  readonly attachedPods: ReadonlySet<string>;
}

/** What has been accepted of the policy. */
export class PolicyState {
  here: Here = { interfaces: [], node: null, attached: new Map(), attachedPods: new Set() };
  readonly namespaces = new Map<string, CheckedNamespace>();
  /** Pods of which the node is known. */
  placed = 0;
  readonly pods = new Map<string, PodState>();
  /** Keys of `pods`. */
  readonly podsByNamespace = new Map<string, Set<string>>();
  readonly policies = new Map<string, CompiledPolicy>();
  /** How many pods have which number under a name, `name/protocol`. */
  readonly portNumbers = new Map<string, ReadonlyMap<number, number>>();
  /** Pods' addresses by key of the prefix. */
  readonly addresses = new Map<string, Attached>();
  /** The program's table of identity networks: keys of identities by key of the prefix. */
  readonly rows = new Map<string, { readonly prefix: Prefix; readonly identity: string }>();
  readonly subjects = new Map<string, ReadonlyMap<string, PodMatcher>>();
  readonly podSelectors = new Map<string, ReadonlyMap<number, PodMatcher>>();
  readonly networks = new NetworkState();
  /** What selectors ask their peers to serve, by number. */
  readonly asked = new Map<number, CheckedNamedPort>();
  readonly selectors = new Interned<Selector>();
  readonly rules = new Interned<RuleView>();
  readonly sets = new Interned<RuleSet>();
  readonly identities = new Interned<Identity>();
}
