// SPDX-License-Identifier: Apache-2.0
import { rmSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  collectionPath,
  objectPath,
  startCluster,
  type TestCluster,
} from '../../test/kubernetes/cluster.js';
import type { Programmed, Sample, Wanted } from './agent-messages.js';
import {
  benchService,
  firstObjects,
  type KubeObject,
  podAddress,
  populatedService,
  type ServiceOfPods,
  serviceObject,
  sliceName,
  sliceObject,
} from './cluster-objects.js';

/** Services whose objects go to the server in one order. */
const LOADED_AT_ONCE = 500;
/** Addresses of Services made while measuring are taken again after so many. */
const BENCH_SERVICES = 1_500;
const PROBE_ADDRESS = 0;

/**
 * An API server in a process of its own that holds many Services, what was last written of them, and ways to
 * change them. Writes are unconditional, and one slice is never written twice at a time.
 */
export class PopulatedCluster implements AsyncDisposable {
  readonly server: TestCluster;
  readonly services: ServiceOfPods[];
  readonly #probe: ServiceOfPods;
  readonly #extras: ServiceOfPods[] = [];
  readonly #busy = new Set<ServiceOfPods>();
  #nextPod: number;
  #nextService = PROBE_ADDRESS;

  private constructor(server: TestCluster, services: ServiceOfPods[]) {
    this.server = server;
    this.services = services;
    this.#nextPod = services.reduce((sum, { pods }) => sum + pods.length, 0);
    this.#probe = benchService('probe', PROBE_ADDRESS, [this.#nextPod++]);
  }

  /** @param each - pods of a Service */
  static async start(count: number, each: number): Promise<PopulatedCluster> {
    const server = await startCluster('process');
    try {
      const services = Array.from({ length: count }, (_, at) => populatedService(at, each));
      const cluster = new PopulatedCluster(server, services);
      await server.load(firstObjects());
      const all = [...services, cluster.#probe];
      for (let at = 0; at < all.length; at += LOADED_AT_ONCE)
        await server.load(all.slice(at, at + LOADED_AT_ONCE).flatMap(objectsOf));
      return cluster;
    } catch (error) {
      await server.stop();
      throw error;
    }
  }

  /** Services made by the churn that are there. */
  get extras(): number {
    return this.#extras.length;
  }

  /** What a proxy has when it has everything. */
  get programmed(): Programmed {
    const all = [...this.services, ...this.#extras, this.#probe];
    return { services: all.length, backends: all.reduce((sum, { pods }) => sum + pods.length, 0) };
  }

  /** Some services, spread over all. */
  samples(count: number): Sample[] {
    const { services } = this;
    const step = Math.max(1, services.length / count);
    return Array.from({ length: Math.min(count, services.length) }, (_, at) => {
      const { address, protocol, pods } = services[Math.floor(at * step)]!;
      return { address, protocol, backends: pods.map(podAddress) };
    });
  }

  /** The probe's one endpoint becomes another one. */
  nextProbe(): { wanted: Wanted; write(): Promise<void> } {
    const probe = this.#probe;
    probe.pods = [this.#nextPod++];
    return { wanted: wantedOf(probe, false), write: () => this.#replace(probe) };
  }

  /** A Service and its slice, and their end. */
  newService(): { wanted: Wanted; write(): Promise<void>; remove(): Promise<void> } {
    const made = this.#newService('new');
    return {
      wanted: wantedOf(made, true),
      write: () => this.#create(made),
      remove: () => this.#remove(made),
    };
  }

  async replaceEndpoint(): Promise<void> {
    const service = await this.#idleService();
    this.#busy.add(service);
    const at = Math.floor(Math.random() * service.pods.length);
    service.pods = service.pods.with(at, this.#nextPod++);
    await this.#replace(service).finally(() => this.#busy.delete(service));
  }

  async addExtra(): Promise<void> {
    const extra = this.#newService('extra');
    this.#extras.push(extra);
    this.#busy.add(extra);
    await this.#create(extra).finally(() => this.#busy.delete(extra));
  }

  async removeExtra(): Promise<void> {
    const at = this.#extras.findIndex((each) => !this.#busy.has(each));
    if (at >= 0) await this.#remove(this.#extras.splice(at, 1)[0]!);
  }

  /** For the end of this process, with which the server's own ends. */
  abandon(): void {
    rmSync(this.server.folder, { recursive: true, force: true });
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.server.stop();
  }

  #newService(name: string): ServiceOfPods {
    this.#nextService = (this.#nextService % BENCH_SERVICES) + 1;
    const pods = [this.#nextPod++];
    return benchService(`${name}-${this.#nextService}`, this.#nextService, pods);
  }

  /** One that is not being written, as soon as there is one. */
  async #idleService(): Promise<ServiceOfPods> {
    for (;;) {
      const first = Math.floor(Math.random() * this.services.length);
      for (let more = 0; more < this.services.length; more++) {
        const service = this.services[(first + more) % this.services.length]!;
        if (!this.#busy.has(service)) return service;
      }
      await sleep(1);
    }
  }

  async #replace(service: ServiceOfPods): Promise<void> {
    const slice = sliceObject(service);
    await this.server.replace(objectPath(slice), slice);
  }

  async #create(service: ServiceOfPods): Promise<void> {
    for (const object of objectsOf(service))
      await this.server.create(collectionPath(object), object);
  }

  async #remove(service: ServiceOfPods): Promise<void> {
    for (const object of objectsOf(service).reverse()) await this.server.remove(objectPath(object));
  }
}

function objectsOf(service: ServiceOfPods): KubeObject[] {
  return [serviceObject(service), sliceObject(service)];
}

function wantedOf({ namespace, name, address, pods }: ServiceOfPods, isNew: boolean): Wanted {
  return {
    ...{ service: `${namespace}/${name}`, slice: sliceName(name), address, isNew },
    backend: podAddress(pods[0]!),
  };
}
