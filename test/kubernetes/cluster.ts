// SPDX-License-Identifier: Apache-2.0
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Client } from './client.js';
import { startInProcess } from './in-process.js';
import { kubectl } from './kubectl.js';
import { startProcess } from './process.js';
import { realObstacle, startReal } from './real.js';
import type { ApiServer } from './server/api-server.js';
import { type Certificates, makeCertificates } from './server/certificates.js';
import type { Tree } from './server/objects.js';

/**
 * `in-process`: the API server of server/, in the test's own process, with faults on demand.
 * `process`: the same in a process of its own. `real`: etcd and kube-apiserver.
 */
export type ClusterKind = 'in-process' | 'process' | 'real';

export const CLUSTER_KINDS: readonly ClusterKind[] = ['in-process', 'process', 'real'];

/** Why a kind cannot be run here, or null. */
export const clusterObstacle = (kind: ClusterKind): string | null =>
  kind === 'real' ? realObstacle() : null;

export interface ClusterOptions {
  /** Services' ranges. The first is of the default family. */
  serviceCidrs?: readonly string[];
  /** Not heeded by the real one, which sends one about once a minute. */
  bookmarkMs?: number;
  /** Changes that watches can go back to. Not heeded by the real one. */
  historySize?: number;
}

/** What starts a server needs. */
export interface LaunchOptions extends Required<Pick<ClusterOptions, 'serviceCidrs'>> {
  readonly bookmarkMs: number;
  readonly historySize: number;
  /** Of the caller's; it is removed when the cluster stops. */
  readonly folder: string;
  readonly certificates: Certificates;
  readonly token: string;
}

/** A server that was started. */
export interface Launched {
  readonly url: string;
  readonly server: ApiServer | null;
  /** Creates objects past HTTP. null: there is no such way. */
  readonly load: ((objects: readonly Tree[]) => Promise<void>) | null;
  /** Forgets the history: watches from before now are told 410. null: there is no such way. */
  readonly compact: (() => Promise<void>) | null;
  /** Ends it without giving it time: connections break, and new ones are refused. */
  kill9(): Promise<void>;
  /** The same again, on the same port and with what it had stored. */
  restart(): Promise<void>;
  stop(): Promise<void>;
}

/** An API server that is running, and ways to speak to it. There is no kubelet and no scheduler. */
export interface TestCluster extends Omit<Launched, 'load'>, Client {
  readonly kind: ClusterKind;
  /** PEM. */
  readonly ca: string;
  readonly caFile: string;
  /** Of somebody who may do everything. */
  readonly token: string;
  /** Path of a kubeconfig file with `token` in it. */
  readonly kubeconfig: string;
  /** A temporary folder. */
  readonly folder: string;
  /**
   * The server itself, for faults, injected objects, tokens, and what was asked.
   * null: it is in another process.
   */
  readonly server: ApiServer | null;
  /** @returns What it printed. @throws Error with what it complained about. */
  kubectl(args: string | readonly string[], stdin?: string | Tree): Promise<string>;
  /** Creates many objects (with their status), past HTTP where there is a way. */
  load(objects: readonly Tree[]): Promise<void>;
}

const LAUNCHERS: Readonly<Record<ClusterKind, (options: LaunchOptions) => Promise<Launched>>> = {
  'in-process': startInProcess,
  process: startProcess,
  real: startReal,
};

const TOKEN = 'admin-of-the-test';

/** Folders of clusters that nobody has stopped: a test that fails may end before it does. */
const folders = new Set<string>();
process.once('exit', () => {
  for (const folder of folders) rmSync(folder, { recursive: true, force: true });
});

export async function startCluster(
  kind: ClusterKind,
  options: ClusterOptions = {},
): Promise<TestCluster> {
  const folder = mkdtempSync(join(tmpdir(), 'sluice-cluster-'));
  folders.add(folder);
  try {
    const certificates = makeCertificates(folder);
    const launched = await LAUNCHERS[kind]({
      serviceCidrs: options.serviceCidrs ?? ['10.96.0.0/16', 'fd00:10:96::/112'],
      bookmarkMs: options.bookmarkMs ?? 60_000,
      historySize: options.historySize ?? 200_000,
      folder,
      certificates,
      token: TOKEN,
    });
    return new Cluster(kind, folder, certificates, launched);
  } catch (error) {
    rmSync(folder, { recursive: true, force: true });
    throw error;
  }
}

class Cluster extends Client implements TestCluster {
  readonly kind: ClusterKind;
  readonly ca: string;
  readonly caFile: string;
  readonly token = TOKEN;
  readonly kubeconfig: string;
  readonly folder: string;
  readonly url: string;
  readonly server: ApiServer | null;
  readonly compact: Launched['compact'];
  readonly #launched: Launched;

  constructor(kind: ClusterKind, folder: string, { ca }: Certificates, launched: Launched) {
    super(launched.url, ca, TOKEN);
    this.kind = kind;
    this.folder = folder;
    this.ca = ca;
    this.caFile = join(folder, 'ca.crt');
    this.kubeconfig = join(folder, 'kubeconfig');
    this.url = launched.url;
    this.server = launched.server;
    this.compact = launched.compact;
    this.#launched = launched;
    writeFileSync(this.kubeconfig, kubeconfigOf(this.url, this.caFile, TOKEN), { mode: 0o600 });
  }

  kubectl(args: string | readonly string[], stdin?: string | Tree): Promise<string> {
    const words = typeof args === 'string' ? args.split(' ') : args;
    const text = stdin === undefined || typeof stdin === 'string' ? stdin : JSON.stringify(stdin);
    return kubectl(this.kubeconfig, this.folder, words, text);
  }

  async load(objects: readonly Tree[]): Promise<void> {
    if (this.#launched.load) return this.#launched.load(objects);
    // Namespaces are first: the others go side by side.
    const isNamespace = (object: Tree): boolean => object.kind === 'Namespace';
    for (const namespace of objects.filter(isNamespace)) await this.#createWithStatus(namespace);
    const rest = objects.filter((object) => !isNamespace(object));
    const next = rest.values();
    await Promise.all(
      Array.from({ length: 16 }, async () => {
        for (const object of next) await this.#createWithStatus(object);
      }),
    );
  }

  async #createWithStatus(object: Tree): Promise<void> {
    const path = collectionPath(object);
    const created = await this.create(path, object);
    if (!object.status || !WITH_STATUS.includes(object.kind)) return;
    const at = `${path}/${created.metadata.name}/status`;
    await this.replace(at, { ...object, metadata: created.metadata });
  }

  kill9 = (): Promise<void> => this.#launched.kill9();
  restart = (): Promise<void> => this.#launched.restart();

  async stop(): Promise<void> {
    this.close();
    await this.#launched.stop();
    rmSync(this.folder, { recursive: true, force: true });
  }
}

const WITH_STATUS = ['Node', 'Pod', 'Service', 'Deployment'];
const CLUSTER_SCOPED = ['Namespace', 'Node', 'CustomResourceDefinition', 'ClusterNetworkPolicy'];

/** Where an object is created. */
export function collectionPath({ apiVersion, kind, metadata }: Tree): string {
  const lower = String(kind).toLowerCase();
  const plural = lower.endsWith('y')
    ? `${lower.slice(0, -1)}ies`
    : lower.endsWith('s')
      ? lower
      : `${lower}s`;
  const root = apiVersion === 'v1' ? '/api/v1' : `/apis/${apiVersion}`;
  if (CLUSTER_SCOPED.includes(kind)) return `${root}/${plural}`;
  return `${root}/namespaces/${metadata.namespace ?? 'default'}/${plural}`;
}

/** Where an object is. */
export const objectPath = (object: Tree): string =>
  `${collectionPath(object)}/${object.metadata.name}`;

/** A kubeconfig file. JSON is YAML. */
export function kubeconfigOf(url: string, caFile: string, token: string): string {
  return JSON.stringify({
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [{ name: 'test', cluster: { server: url, 'certificate-authority': caFile } }],
    users: [{ name: 'admin', user: { token } }],
    contexts: [{ name: 'test', context: { cluster: 'test', user: 'admin' } }],
    'current-context': 'test',
  });
}
