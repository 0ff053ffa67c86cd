// SPDX-License-Identifier: Apache-2.0
import { SluiceError } from '../errors.js';
import { checkInterface, INTERFACE_KEYS } from './check-interface.js';
import { join, nearest, show, unknownWord } from './explain.js';
import { INTERFACE_KINDS, type InterfaceKind, type InterfaceSpec } from './model.js';
import { readPairs } from './spec-text.js';

const CODE = 'ERR_INTERFACE_SPEC';
const NUMBER_KEYS = ['mtu', 'worker', 'id', 'queues'];

/** Lists, and the keys that they are written with in text, once or more. */
const LIST_KEYS: Readonly<Record<string, string>> = { addresses: 'address', sources: 'source' };

const TEXT_KEYS = INTERFACE_KEYS.filter((key) => key !== 'kind' && key !== 'name').map(textKey);

/**
 * Reads `KIND:NAME[,key=value...]`, such as
 * `memif:up,role=server,socket=/run/sluice/up.sock,id=0,address=10.0.0.1/24`. `address` and
 * `source` may be repeated.
 * @param path - what errors name, such as `--interface[1]`; the key is added to it
 * @throws SluiceError `ERR_INTERFACE_SPEC`
 */
export function parseInterfaceSpec(text: string, path: string): InterfaceSpec {
  const [head = '', ...rest] = text.split(',');
  const colon = head.indexOf(':');
  if (colon < 0) {
    const meant = nearest(head, INTERFACE_KINDS);
    const hint = meant === null ? '' : `; did you mean ${meant}:NAME?`;
    throw new SluiceError(
      CODE,
      `expected KIND:NAME[,key=value...], such as tap:web-1,netns=web-1, found ${show(text)}${hint}`,
      { path },
    );
  }
  const kind = head.slice(0, colon);
  if (!INTERFACE_KINDS.includes(kind as InterfaceKind)) {
    throw new SluiceError(CODE, unknownWord(kind, INTERFACE_KINDS), { path: join(path, 'kind') });
  }
  const pairs = readPairs(rest, path, CODE, TEXT_KEYS, Object.values(LIST_KEYS));
  const spec: Record<string, unknown> = { kind, name: head.slice(colon + 1) };
  for (const [key, values] of pairs) {
    const list = Object.keys(LIST_KEYS).find((name) => LIST_KEYS[name] === key);
    if (list !== undefined) spec[list] = values;
    else spec[key] = NUMBER_KEYS.includes(key) ? readNumber(values[0]!) : values[0];
  }
  checkInterface(spec, path, (key) => join(path, textKey(key)));
  return spec as unknown as InterfaceSpec;
}

/** The text form of a specification that {@link parseInterfaceSpec} reads back as the same. */
export function formatInterfaceSpec(spec: InterfaceSpec): string {
  const parts = [`${spec.kind}:${spec.name}`];
  for (const [key, value] of Object.entries(spec)) {
    if (key === 'kind' || key === 'name' || value === undefined) continue;
    if (Object.hasOwn(LIST_KEYS, key)) {
      for (const item of value as readonly string[]) parts.push(`${LIST_KEYS[key]}=${item}`);
    } else parts.push(`${key}=${value}`);
  }
  return parts.join(',');
}

function textKey(key: string): string {
  return LIST_KEYS[key] ?? key;
}

/** What is no decimal number stays text, so that the check can show what was found. */
function readNumber(text: string): number | string {
  return /^(0|[1-9][0-9]{0,8})$/.test(text) ? Number(text) : text;
}
