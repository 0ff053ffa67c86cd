// SPDX-License-Identifier: Apache-2.0
import { readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { parseAllDocuments } from 'yaml';
import { SluiceError } from '../../errors.js';

/** One document of a manifest file. */
export interface ManifestDocument {
  /** `FILE#DOCUMENT`, documents counted from 1. */
  path: string;
  value: unknown;
}

/** A file as it was read. */
export interface ManifestFile {
  /** Its path as given, a name within a folder that was given, or `stdin`. */
  name: string;
  text: string;
}

const EXTENSIONS = /\.(ya?ml|json)$/i;

/**
 * Reads the files of `paths`: files, folders (their `*.yaml`, `*.yml` and `*.json` in the order of
 * their names, without subfolders), and `-` for the standard input.
 * @throws SluiceError `ERR_MANIFEST`
 */
export async function readFiles(
  paths: readonly string[],
  stdin: Readable = process.stdin,
): Promise<ManifestFile[]> {
  const files: ManifestFile[] = [];
  for (const path of paths) {
    if (path === '-') files.push({ name: 'stdin', text: await text(stdin) });
    else for (const name of await filesAt(path)) files.push({ name, text: await readOne(name) });
  }
  return files;
}

/**
 * The files that a path stands for, as {@link readFiles} takes them: what to watch for changes.
 * @throws SluiceError `ERR_MANIFEST`
 */
export async function filesAt(path: string): Promise<string[]> {
  return orRefuse(path, async () => {
    if (!(await stat(path)).isDirectory()) return [path];
    const names = (await readdir(path)).filter((name) => EXTENSIONS.test(name)).sort();
    const files: string[] = [];
    for (const name of names) {
      const file = join(path, name);
      if ((await stat(file)).isFile()) files.push(file);
    }
    if (files.length === 0) {
      throw new SluiceError('ERR_MANIFEST', 'no *.yaml, *.yml or *.json in this folder', { path });
    }
    return files;
  });
}

/**
 * The documents of one file; empty ones are passed over.
 * @throws SluiceError `ERR_MANIFEST` where it is not YAML
 */
export function parseDocuments(file: ManifestFile): ManifestDocument[] {
  const json = parseJson(file.text);
  if (json !== undefined) return [{ path: `${file.name}#1`, value: json }];
  const documents = parseAllDocuments(file.text, { merge: true });
  if ('empty' in documents) return [];
  return documents.flatMap((document, index) => {
    const path = `${file.name}#${index + 1}`;
    const error = document.errors[0];
    if (error !== undefined) {
      const message = `not YAML: ${error.message.split('\n')[0]!.replace(/:$/, '')}`;
      throw new SluiceError('ERR_MANIFEST', message, { path, cause: error });
    }
    let value: unknown;
    try {
      value = document.toJS();
    } catch (cause) {
      const reason = cause instanceof Error ? cause.message : String(cause);
      throw new SluiceError('ERR_MANIFEST', `not YAML: ${reason}`, { path, cause });
    }
    return value === null || value === undefined ? [] : [{ path, value }];
  });
}

/** JSON is YAML too, but a JSON parser reads a large list many times faster. */
function parseJson(source: string): unknown {
  if (!/^\s*[{[]/.test(source)) return undefined;
  try {
    return JSON.parse(source);
  } catch {
    return undefined;
  }
}

function readOne(path: string): Promise<string> {
  return orRefuse(path, () => readFile(path, 'utf8'));
}

async function orRefuse<T>(path: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (cause) {
    if (cause instanceof SluiceError) throw cause;
    const code = (cause as NodeJS.ErrnoException).code;
    const reason =
      code === 'ENOENT'
        ? 'there is no such file or folder'
        : `cannot be read: ${cause instanceof Error ? cause.message : String(cause)}`;
    throw new SluiceError('ERR_MANIFEST', reason, { path, cause });
  }
}
