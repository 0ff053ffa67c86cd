// SPDX-License-Identifier: Apache-2.0
import { posix } from 'node:path';

/**
 * The directions in which the parts of Sluice may know each other, and a checker of them that works
 * on text: paths are relative to the root of the repository.
 */

/** Folder of native/ to the folders of native/ that its files may include. */
const NATIVE: Readonly<Record<string, readonly string[]>> = {
  base: ['base'],
  packet: ['base', 'packet'],
  table: ['base', 'packet', 'table'],
  memif: ['base', 'memif'],
  config: ['base', 'packet', 'table', 'config'],
  stage: ['base', 'packet', 'table', 'config', 'stage'],
  engine: ['base', 'packet', 'table', 'config', 'stage', 'memif', 'engine'],
  binding: ['base', 'packet', 'table', 'config', 'stage', 'memif', 'engine', 'binding'],
  // What C++ tests share. No other folder names it, so nothing that is shipped can include it.
  testing: ['base', 'packet', 'table', 'config', 'stage', 'memif', 'engine', 'testing'],
};

/** Prefix of a path in lib/ to the prefixes that it may import. The longest prefix decides. */
const LIB: Readonly<Record<string, readonly string[]>> = {
  'errors.ts': [],
  'model/': ['errors.ts', 'model/'],
  'compile/': ['errors.ts', 'model/', 'compile/'],
  // The program names an interface's kind, and that is all that an engine has to do with the model.
  'engine/': ['errors.ts', 'compile/program.ts', 'engine/'],
  'engine/software/': [
    'errors.ts',
    'compile/program.ts',
    'engine/engine.ts',
    'engine/reasons.ts',
    'engine/software/',
  ],
  'engine/native/': [
    'errors.ts',
    'compile/program.ts',
    'engine/engine.ts',
    'engine/reasons.ts',
    'engine/native/',
  ],
  'sources/': ['errors.ts', 'model/', 'sources/'],
  'observe/': ['errors.ts', 'model/', 'compile/', 'engine/', 'observe/'],
  'proxy/': ['errors.ts', 'model/', 'compile/', 'engine/', 'sources/', 'observe/', 'proxy/'],
  'index.ts': ['errors.ts', 'model/', 'compile/', 'engine/', 'sources/', 'observe/', 'proxy/'],
  // Cluster tests: their table of shares is the engines' own.
  'testing/': [
    'errors.ts',
    'model/',
    'engine/reasons.ts',
    'engine/software/table/maglev.ts',
    'sources/',
    'observe/',
    'proxy/',
    'testing/',
  ],
  // The node agent is wired of what the others make, and uses the proxy as a user of the package does.
  'agent/': [
    'errors.ts',
    'index.ts',
    'model/',
    'engine/reasons.ts',
    'sources/',
    'observe/',
    'proxy/',
    'agent/',
  ],
  'cli/': [
    'errors.ts',
    'index.ts',
    'agent/',
    'model/',
    'compile/',
    'engine/',
    'sources/',
    'observe/',
    'proxy/',
    'testing/',
    'cli/',
  ],
};

/** The one file outside native/engine/ that wraps a DPDK library. */
const DPDK_TABLE = 'native/table/routes.cc';
/** The one file that loads the addon, and so the one that may name a package in lib/engine/. */
const ADDON_LOADER = 'lib/engine/native/addon.ts';
const ADDON_CONTRACT = 'typings/addon';

/** Packages that only one part of lib/ may know, and that part. */
const PACKAGE_HOMES: Readonly<Record<string, string>> = {
  '@kubernetes/client-node': 'sources/apiserver/',
  'prom-client': 'agent/',
};

/**
 * Violations in one file, each a sentence that says which line is wrong and why.
 *
 * @param path - Path of the file, such as `native/stage/parse.cc` or `lib/model/check.ts`.
 * @param text - What is in it.
 */
export function importViolations(path: string, text: string): string[] {
  if (path.startsWith('native/')) return nativeViolations(path, text);
  if (path.startsWith('lib/')) return libViolations(path, text);
  return [];
}

function nativeViolations(path: string, text: string): string[] {
  const folder = path.split('/')[1] ?? '';
  const allowed = NATIVE[folder];
  if (!allowed) return [`${path}: native/${folder}/ has no place in the order of imports`];
  const isTest = folder === 'testing' || /_(test|bench|fuzz)\.cc$/.test(path);
  const violations: string[] = [];
  for (const [, quote, target = ''] of text.matchAll(/^\s*#\s*include\s*(["<])([^">]+)[">]/gm)) {
    const first = target.split('/')[0] ?? '';
    if (
      target === 'napi.h' ||
      target.startsWith('node_api') ||
      target.startsWith('js_native_api')
    ) {
      if (folder !== 'binding') violations.push(`${path}: ${target} belongs in native/binding/`);
    } else if (target.startsWith('rte_')) {
      if (folder !== 'engine' && path !== DPDK_TABLE && !isTest) {
        violations.push(`${path}: ${target} belongs in native/engine/ or ${DPDK_TABLE}`);
      }
    } else if (quote === '"' && !isTest && !allowed.includes(first)) {
      violations.push(`${path}: native/${folder}/ must not include ${target}`);
    }
  }
  return violations;
}

function libViolations(path: string, text: string): string[] {
  const inLib = path.slice('lib/'.length);
  const rule = longestPrefix(Object.keys(LIB), inLib);
  if (rule === undefined) return [`${path}: lib/${inLib} has no place in the order of imports`];
  const allowed = LIB[rule] ?? [];
  const violations: string[] = [];
  for (const specifier of specifiers(text)) {
    if (!specifier.startsWith('.')) {
      const isPackage = !specifier.startsWith('node:');
      if (rule.startsWith('engine/') && isPackage && path !== ADDON_LOADER) {
        violations.push(`${path}: an engine uses no package, but imports ${specifier}`);
      }
      const home = PACKAGE_HOMES[specifier];
      if (home !== undefined && !inLib.startsWith(home)) {
        violations.push(`${path}: ${specifier} belongs in lib/${home}`);
      }
      continue;
    }
    const target = posix.join(posix.dirname(path), specifier).replace(/\.js$/, '.ts');
    if (target.startsWith(ADDON_CONTRACT)) {
      if (rule !== 'engine/native/') {
        violations.push(`${path}: only lib/engine/native/ may know the addon's contract`);
      }
    } else if (!allowed.some((prefix) => target.startsWith(`lib/${prefix}`))) {
      violations.push(`${path}: must not import ${target}`);
    }
  }
  return violations;
}

/** What a module imports or re-exports: statically, dynamically, or as a type. */
function specifiers(text: string): string[] {
  const code = text.replace(/\/\*[\s\S]*?\*\//g, '').replace(/^\s*\/\/.*$/gm, '');
  return [...code.matchAll(/(?:\bfrom|\bimport)\s*\(?\s*['"]([^'"]+)['"]/g)].map(
    ([, specifier = '']) => specifier,
  );
}

function longestPrefix(prefixes: readonly string[], path: string): string | undefined {
  return prefixes
    .filter((prefix) => path === prefix || (prefix.endsWith('/') && path.startsWith(prefix)))
    .sort((a, b) => b.length - a.length)[0];
}
