// SPDX-License-Identifier: Apache-2.0
import { access, readFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { delimiter, dirname, isAbsolute, join, resolve } from 'node:path';
import type { KubeConfig } from '@kubernetes/client-node';
import { parse } from 'yaml';
import { SluiceError } from '../../errors.js';
import { messageOf, record, text } from './status.js';

/**
 * Where the API server is, and who we are there. Without `kubeconfig`, `environment` and `master`,
 * as with `inCluster`, it is the service account of the pod, as for kube-proxy.
 */
export interface ServerOptions {
  /** A kubeconfig file. */
  kubeconfig?: string;
  /** In place of the file's current context. */
  context?: string;
  /** The files of KUBECONFIG, or else `~/.kube/config`, as kubectl takes them. */
  environment?: boolean;
  inCluster?: boolean;
  /** Address of the API server, in place of the configuration's; alone: nobody in particular. */
  master?: string;
  /** Prefix of the paths of the service account's files, for tests. */
  root?: string;
}

const TOKEN_FILE = '/var/run/secrets/kubernetes.io/serviceaccount/token';

/**
 * Reads the configuration and every token file that it names, as they are now.
 * @throws SluiceError `ERR_APISERVER`; `ERR_OPTIONS` for `master` and `context`
 */
export async function readConfiguration(options: ServerOptions): Promise<KubeConfig> {
  // It is large, and most who import Sluice never talk to an API server.
  const { KubeConfig } = await import('@kubernetes/client-node');
  const config = new KubeConfig();
  if (options.kubeconfig !== undefined) {
    await addFile(config, options.kubeconfig, KubeConfig);
  } else if (options.environment) {
    for (const file of await environmentFiles()) await addFile(config, file, KubeConfig);
  } else if (options.inCluster || options.master === undefined) {
    await loadServiceAccount(config, options.root ?? '');
  } else {
    config.loadFromClusterAndUser(
      { name: 'master', server: options.master, skipTLSVerify: false },
      {
        name: 'nobody',
      },
    );
  }
  if (options.context !== undefined) chooseContext(config, options.context);
  const cluster = config.getCurrentCluster();
  if (!cluster) {
    const path = options.kubeconfig ?? 'kubeconfig';
    throw new SluiceError('ERR_APISERVER', 'has no current context with a cluster', { path });
  }
  if (options.master !== undefined) Object.assign(cluster, { server: options.master });
  checkServer(cluster.server, options.master === undefined ? 'server' : 'master');
  return config;
}

function checkServer(server: string, path: string): void {
  const code = path === 'master' ? 'ERR_OPTIONS' : 'ERR_APISERVER';
  const url = URL.canParse(server) ? new URL(server) : undefined;
  if (url?.protocol !== 'https:' && url?.protocol !== 'http:') {
    throw new SluiceError(code, 'must be an address such as https://10.0.0.1:6443', { path });
  }
  // It is in messages and metrics.
  if (url.username !== '' || url.password !== '') {
    throw new SluiceError(code, 'must not contain a user or a password', { path });
  }
}

function chooseContext(config: KubeConfig, name: string): void {
  if (!config.getContexts().some((context) => context.name === name)) {
    const known = config.getContexts().map((context) => context.name);
    const message = `there is no context ${name}; there are: ${known.join(', ') || 'none'}`;
    throw new SluiceError('ERR_OPTIONS', message, { path: 'context' });
  }
  config.setCurrentContext(name);
}

async function loadServiceAccount(config: KubeConfig, root: string): Promise<void> {
  if (!process.env['KUBERNETES_SERVICE_HOST'] || !process.env['KUBERNETES_SERVICE_PORT']) {
    throw new SluiceError(
      'ERR_APISERVER',
      'this is no pod (KUBERNETES_SERVICE_HOST and KUBERNETES_SERVICE_PORT are not set), and no kubeconfig was given',
    );
  }
  config.loadFromCluster(root);
  const user = config.getCurrentUser() as { token?: string; authProvider?: unknown };
  // The client's own reading of token files keeps the newline at the end, and what it read.
  delete user.authProvider;
  user.token = await readToken(join(root, TOKEN_FILE));
}

async function environmentFiles(): Promise<string[]> {
  const named = (process.env['KUBECONFIG'] ?? '').split(delimiter).filter((file) => file !== '');
  if (named.length === 0) return [join(homedir(), '.kube', 'config')];
  if (named.length === 1) return named;
  const there: string[] = [];
  for (const file of named) {
    await access(file).then(
      () => there.push(file),
      () => undefined,
    );
  }
  return there;
}

/** Adds what a file has; of what two files have, kubectl takes the first. */
async function addFile(config: KubeConfig, path: string, Config: typeof KubeConfig): Promise<void> {
  const document = await readDocument(path);
  const folder = dirname(resolve(path));
  await resolveUsers(document['users'], folder);
  const added = new Config();
  try {
    added.loadFromString(JSON.stringify(document));
  } catch (error) {
    throw new SluiceError('ERR_APISERVER', messageOf(error), { path });
  }
  added.makePathsAbsolute(folder);
  const known = (list: { name: string }[]) => new Set(list.map((entry) => entry.name));
  const [clusters, users, contexts] = [
    known(config.clusters),
    known(config.users),
    known(config.contexts),
  ];
  config.clusters.push(...added.clusters.filter(({ name }) => !clusters.has(name)));
  config.users.push(...added.users.filter(({ name }) => !users.has(name)));
  config.contexts.push(...added.contexts.filter(({ name }) => !contexts.has(name)));
  config.currentContext ||= added.currentContext;
}

async function readDocument(path: string): Promise<Record<string, unknown>> {
  let source: string;
  try {
    source = await readFile(path, 'utf8');
  } catch (cause) {
    const code = (cause as NodeJS.ErrnoException).code;
    const message =
      code === 'ENOENT' ? 'there is no such file' : `cannot be read: ${messageOf(cause)}`;
    throw new SluiceError('ERR_APISERVER', message, { path, cause });
  }
  try {
    return record(parse(source));
  } catch (error) {
    // Only the first line, and no cause: the rest quotes the file, which has secrets.
    const message = `not YAML: ${messageOf(error).split('\n')[0]!.replace(/:$/, '')}`;
    throw new SluiceError('ERR_APISERVER', message, { path });
  }
}

/** What the client does not know of users: `tokenFile`, and commands relative to the file. */
async function resolveUsers(users: unknown, folder: string): Promise<void> {
  for (const entry of Array.isArray(users) ? users : []) {
    const user = record(record(entry)['user']);
    const tokenFile = text(user['tokenFile']);
    if (tokenFile !== undefined) {
      user['token'] = await readToken(isAbsolute(tokenFile) ? tokenFile : join(folder, tokenFile));
    }
    const exec = record(user['exec']);
    const command = text(exec['command']);
    if (command?.includes('/') && !isAbsolute(command)) exec['command'] = join(folder, command);
  }
}

async function readToken(path: string): Promise<string> {
  try {
    const token = (await readFile(path, 'utf8')).trim();
    if (token !== '') return token;
  } catch (cause) {
    throw new SluiceError('ERR_APISERVER', `no token: ${messageOf(cause)}`, { path, cause });
  }
  throw new SluiceError('ERR_APISERVER', 'no token: the file is empty', { path });
}
