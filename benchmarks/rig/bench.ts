// SPDX-License-Identifier: Apache-2.0
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Children } from '../../lib/cli/demo/children.js';
import { AgentRig } from './agent-rig.js';
import type { Scale } from './case.js';
import { type Measurement, type Measuring, measure } from './measure.js';
import type { WireKind } from './network.js';
import { Sluice } from './sluice.js';
import type { SluiceSetup } from './sluice-messages.js';
import { type ForwardMode, Testpmd } from './testpmd.js';

/**
 * What a case works with: the devices under test, the generator, and a place for what is found wrong.
 * Several Sluices may stand at a time; those that do not have their turn are frozen.
 */
export class Bench implements AsyncDisposable {
  readonly scale: Scale;
  /** Runs what is not a device under test. None outlives this process. */
  readonly children = new Children();
  /** Command lines of the case under way, by what they are. */
  readonly commands = new Map<string, string>();
  readonly faults = new Set<string>();
  readonly #folder = mkdtempSync(join(tmpdir(), 'sluice-bench-'));
  readonly #say: (what: string) => void;
  /** By set-up, and whether the point under way has asked for it. */
  readonly #sluices = new Map<string, { sluice: Sluice; wanted: boolean }>();
  #agentRig: { key: string; rig: AgentRig } | null = null;
  #targets = 0;
  #clients = 0;

  constructor(scale: Scale, say: (what: string) => void) {
    this.scale = scale;
    this.#say = say;
  }

  /** Something was wrong in what has been measured: the case fails, and goes on. */
  fault(what: string): void {
    if (!this.faults.has(what)) this.#say(`WRONG: ${what}`);
    this.faults.add(what);
  }

  /** The Sluice of this set-up: the one that stands, or a new one. */
  async sluice(setup: SluiceSetup): Promise<Sluice> {
    const key = JSON.stringify(setup);
    const standing = this.#sluices.get(key);
    if (standing !== undefined) {
      standing.wanted = true;
      return standing.sluice;
    }
    this.#say(`starting Sluice with ${setup.services.count} services`);
    await this.#endSluices(({ wanted }) => !wanted);
    const sluice = await Sluice.start(setup, this.#nextFolder());
    this.#sluices.set(key, { sluice, wanted: true });
    this.commands.set(`sluice, ${setup.services.count} services`, sluice.command);
    return sluice;
  }

  /** What the next point does not ask for may end when it needs the room. */
  nextPoint(): void {
    for (const each of this.#sluices.values()) each.wanted = false;
  }

  /** A set of clients that has not been used for long, for {@link population}. */
  nextClients(): number {
    return this.#clients++;
  }

  /** All of them: the next one that is asked for is new. */
  endSluices(): Promise<void> {
    return this.#endSluices(() => true);
  }

  /** The API server with so many services of so many pods, and an agent: what stands, or new ones. */
  async agentRig(services: number, each: number): Promise<AgentRig> {
    const key = `${services} ${each}`;
    if (this.#agentRig?.key === key) return this.#agentRig.rig;
    await this.endSluices();
    await this.endAgentRig();
    this.#say(`starting an API server with ${services} services`);
    const rig = await AgentRig.start(services, each, this.#nextFolder());
    this.#agentRig = { key, rig };
    return rig;
  }

  async endAgentRig(): Promise<void> {
    const ending = this.#agentRig;
    this.#agentRig = null;
    await ending?.rig[Symbol.asyncDispose]();
  }

  /** Sends traffic through Sluice. */
  throughSluice(sluice: Sluice, measuring: Measuring): Promise<Measurement> {
    this.freezeSluices(sluice);
    return measure(this, sluice, measuring);
  }

  /** Starts testpmd, sends traffic through it, ends it. */
  async throughTestpmd(
    mode: ForwardMode,
    wire: WireKind,
    measuring: Measuring,
  ): Promise<Measurement> {
    this.freezeSluices();
    await using testpmd = await Testpmd.start(this.children, mode, wire, this.#nextFolder());
    this.commands.set(`testpmd ${mode}`, testpmd.command);
    return await measure(this, testpmd, measuring);
  }

  /**
   * Stops all Sluices but the one that has its turn. An idle worker looks for packets now and then:
   * too often for whoever is being measured on the same CPU.
   */
  freezeSluices(except: Sluice | null = null): void {
    for (const { sluice } of this.#sluices.values()) sluice.freeze(sluice !== except);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.endSluices();
    await this.endAgentRig();
    this.abandon();
  }

  /** At once and synchronously, for the end of this process. */
  abandon(): void {
    this.children.killAll();
    for (const { sluice } of this.#sluices.values()) sluice.kill();
    this.#agentRig?.rig.kill();
    rmSync(this.#folder, { recursive: true, force: true });
  }

  async #endSluices(which: (each: { wanted: boolean }) => boolean): Promise<void> {
    for (const [key, each] of this.#sluices) {
      if (!which(each)) continue;
      this.#sluices.delete(key);
      await each.sluice[Symbol.asyncDispose]();
    }
  }

  #nextFolder(): string {
    this.#targets++;
    return join(this.#folder, String(this.#targets));
  }
}
