// SPDX-License-Identifier: Apache-2.0
import { SluiceError } from '../errors.js';
import type { ModelChange } from '../model/changes.js';
import type { Policy } from '../model/policy.js';
import type { ApplyReport } from '../proxy/service-proxy.js';

/** The sections whose members have keys, in the order in which they are tried. */
const SECTIONS = ['namespaces', 'pods', 'policies', 'services'] as const;
type Section = (typeof SECTIONS)[number];

/** A member of a section that the proxy has refused. */
export interface RefusedMember {
  section: Section;
  /** `namespace/name`, or the name. */
  key: string;
  reason: string;
}

export interface Programmed {
  /** Of the last commit; `null`: there was none. */
  report: ApplyReport | null;
  /** Those that were not refused before, or for another reason. */
  refused: RefusedMember[];
}

/** What the programmer makes changes with. */
export interface Updatable {
  update(change: ModelChange): Promise<ApplyReport>;
}

/** So many refusals end an attempt to fill the room that has come. */
const REFUSALS = 16;

interface Member {
  readonly section: Section;
  readonly value: { readonly name: string; readonly namespace?: string };
}

/**
 * Makes changes of which some part may be refused: that part is set aside, so that it does not hold up
 * the rest. What is in force under its key stays in force. It is tried again when it changes, and
 * by `retry`.
 */
export class Programmer {
  readonly #proxy: Updatable;
  readonly #aside = new Map<string, { member: Member; reason: string }>();

  constructor(proxy: Updatable) {
    this.#proxy = proxy;
  }

  /** How many members are set aside. */
  get aside(): number {
    return this.#aside.size;
  }

  /** @throws Error where it is no member's fault, such as `ERR_CLOSED`: what is done by then stays done */
  async program(change: ModelChange): Promise<Programmed> {
    const told = new Map([...this.#aside].map(([id, { reason }]) => [id, reason]));
    this.#forget(change);
    try {
      return { report: await this.#proxy.update(change), refused: [] };
    } catch (error) {
      if (!isRefusal(error)) throw error;
    }
    const members = membersOf(change);
    const { report, failed } = await this.#byParts(change, members);
    const first = failed[0]?.error;
    // What befalls everybody is nobody's fault.
    const isOurs = failed.every(({ error }) => !(error instanceof SluiceError));
    if (members.length > 1 && failed.length === members.length && isOurs) throw first;
    const refused: RefusedMember[] = [];
    for (const { member, error } of failed) {
      const reason = error.message;
      const id = idOf(member);
      this.#aside.set(id, { member, reason });
      const { section, value } = member;
      if (told.get(id) !== reason) refused.push({ section, key: keyOf(section, value), reason });
    }
    return { report, refused };
  }

  /**
   * Tries again what is set aside.
   * @throws Error as `program`: it stays set aside
   */
  async retry(): Promise<Programmed> {
    if (this.#aside.size === 0) return { report: null, refused: [] };
    const before = [...this.#aside];
    try {
      return await this.program(changeOf(before.map(([, { member }]) => member)));
    } catch (error) {
      // Nobody else remembers it.
      for (const [id, entry] of before) this.#aside.set(id, entry);
      throw error;
    }
  }

  /**
   * There may be room where there was none: tries again what is set aside, those first that have waited longest,
   * until a few are refused again.
   */
  async retrySome(): Promise<Programmed> {
    let report: ApplyReport | null = null;
    const refused: RefusedMember[] = [];
    let tries = REFUSALS;
    for (const [id, { member, reason: before }] of [...this.#aside]) {
      this.#aside.delete(id);
      try {
        report = await this.#proxy.update(changeOf([member]));
      } catch (error) {
        const reason = isRefusal(error) ? error.message : before;
        this.#aside.set(id, { member, reason });
        if (!isRefusal(error)) throw error;
        const { section, value } = member;
        if (reason !== before) refused.push({ section, key: keyOf(section, value), reason });
        if (--tries === 0) break;
      }
    }
    return { report, refused };
  }

  /** What the change says anew of a member is the last word on it. */
  #forget(change: ModelChange): void {
    for (const section of SECTIONS) {
      const { put = [], removed = [] } = change[section] ?? {};
      for (const value of put) this.#aside.delete(idOf({ section, value }));
      for (const key of removed) this.#aside.delete(`${section} ${key}`);
    }
  }

  async #byParts(change: ModelChange, members: readonly Member[]) {
    const { interfaces, routes, node } = change;
    // Nobody refuses a removal, and it may make room for what comes.
    let report = await this.#proxy.update({
      ...(interfaces !== undefined && { interfaces }),
      ...(routes !== undefined && { routes }),
      ...(node !== undefined && { node }),
      ...Object.fromEntries(
        SECTIONS.map((section) => [section, { removed: change[section]?.removed ?? [] }]),
      ),
    });
    const attempt = async (members: readonly Member[]): Promise<Error | null> => {
      try {
        report = await this.#proxy.update(changeOf(members));
        return null;
      } catch (error) {
        if (!isRefusal(error)) throw error;
        return error;
      }
    };
    // Who is to blame goes, and the others are tried together, as they may pass things on to each other.
    const sift = async (members: readonly Member[]): Promise<Member[]> => {
      const blamed: Member[] = [];
      for (let rest = members; rest.length > 0; ) {
        const error = await attempt(rest);
        if (error === null) break;
        const at = rest.length === 1 ? 0 : blamedBy(error, rest);
        if (at < 0) {
          const half = rest.length >> 1;
          blamed.push(...(await sift(rest.slice(0, half))), ...(await sift(rest.slice(half))));
          break;
        }
        blamed.push(rest[at]!);
        rest = rest.toSpliced(at, 1);
      }
      return blamed;
    };
    const failed: { member: Member; error: Error }[] = [];
    // Once more, because one may have waited for another that came after it.
    for (const member of await sift(members)) {
      const error = await attempt([member]);
      if (error !== null) failed.push({ member, error });
    }
    return { report, failed };
  }
}

/** A mistake of our own that one member brings to light is as good a reason as the proxy's. */
function isRefusal(error: unknown): error is Error {
  if (!(error instanceof SluiceError)) return error instanceof Error;
  return error.code !== 'ERR_CLOSED' && error.code !== 'ERR_ENGINE';
}

/** Which of the members the error's path is in, such as `services.put[3].addresses[0]`; -1: it does not say. */
function blamedBy(error: Error, members: readonly Member[]): number {
  const { path = '' } = error instanceof SluiceError ? error : {};
  const [, name, index] = /^(\w+)\.put\[(\d+)\]/.exec(path) ?? [];
  const ofSection = members.filter(({ section }) => section === name);
  const blamed = ofSection[Number(index)];
  return blamed === undefined ? -1 : members.indexOf(blamed);
}

function membersOf(change: ModelChange): Member[] {
  return SECTIONS.flatMap((section) =>
    [...(change[section]?.put ?? [])].map((value): Member => ({ section, value })),
  );
}

function changeOf(members: readonly Member[]): ModelChange {
  const sections = SECTIONS.map((section) => {
    const put = members.filter((member) => member.section === section).map(({ value }) => value);
    return [section, { put }] as const;
  });
  return Object.fromEntries(sections.filter(([, { put }]) => put.length > 0)) as ModelChange;
}

function idOf({ section, value }: Member): string {
  return `${section} ${keyOf(section, value)}`;
}

function keyOf(section: Section, value: Member['value']): string {
  const { name, namespace = 'default' } = value;
  const isAlone =
    section === 'namespaces' || (section === 'policies' && (value as Policy).tier !== 'network');
  return isAlone ? name : `${namespace}/${name}`;
}
