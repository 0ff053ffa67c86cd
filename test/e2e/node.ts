// SPDX-License-Identifier: Apache-2.0
import type { ExecutionContext } from 'ava';
import { ServiceProxy } from '../../lib/index.js';
import { Namespaces, type Seat } from './namespaces.js';

/** Namespaces with real programs in them, and a proxy on the native engine between them. */
export class Node extends Namespaces {
  readonly t: ExecutionContext;
  #proxy!: ServiceProxy;

  private constructor(t: ExecutionContext) {
    super(t);
    this.t = t;
  }

  static async open(t: ExecutionContext, seats: readonly Seat[]): Promise<Node> {
    const node = new Node(t);
    for (const { name } of seats) node.addNamespace(name);
    node.#proxy = await ServiceProxy.open({ engine: 'dpdk' });
    t.teardown(() => node.#proxy.close());
    await node.#proxy.apply({ services: [], interfaces: seats.map((each) => node.tap(each)) });
    for (const each of seats) node.configure(each);
    return node;
  }

  get proxy(): ServiceProxy {
    return this.#proxy;
  }
}
