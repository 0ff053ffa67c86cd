// SPDX-License-Identifier: Apache-2.0
import type { Readable } from 'node:stream';
import { SluiceError } from '../errors.js';
import type { ModelChange } from '../model/changes.js';
import { checkModel } from '../model/check.js';
import { checkBalancer } from '../model/check-balancer.js';
import { checkChange } from '../model/check-change.js';
import { checkNode } from '../model/check-node.js';
import type { CheckedBalancer, CheckedChange, CheckedModel } from '../model/checked.js';
import { show } from '../model/explain.js';
import { isPlainObject } from '../model/fields.js';
import type { BalancerSpec, InterfaceSpec, Model, NodeSpec } from '../model/model.js';
import { readManifests } from '../sources/files/manifests.js';
import { balance } from '../sources/kubernetes/balancer.js';
import { completeNode } from '../sources/kubernetes/node.js';
import type { KubernetesObjects } from '../sources/kubernetes/objects.js';
import {
  type Translation,
  type TranslationWarning,
  translate,
  warningText,
} from '../sources/kubernetes/translate.js';
import { translatePolicy } from '../sources/kubernetes/translate-policy.js';
import type { WantedInterface } from './interface-table.js';
import { wantedInterfaces } from './options.js';

/**
 * Services, namespaces, pods and policies out of Kubernetes manifests; interfaces, routes and node as in
 * a {@link Model}. The Node
 * object of the node's name, if the manifests have one, fills in what the node section leaves out.
 */
export interface ManifestInput
  extends Omit<Model, 'services' | 'namespaces' | 'pods' | 'policies'> {
  /** Files, folders (their `*.yaml`, `*.yml`, `*.json`), `-` for the standard input. */
  manifests: string | readonly string[];
  /** What `-` reads from. Default: the process's standard input. */
  stdin?: Readable;
  /**
   * Serve only services whose label `service.kubernetes.io/service-proxy-name` says this. Default:
   * those without the label, as kube-proxy does.
   */
  serviceProxyName?: string;
  /**
   * Balance over the nodes of the manifests, in place of serving endpoints: there is a tunnel to each,
   * besides `interfaces`. Default: serve endpoints.
   */
  balancer?: BalancerSpec;
}

/** What `ServiceProxy.apply` takes. */
export type ApplyInput = Model | ManifestInput;

/** A {@link ModelChange} that has been checked by itself. */
export interface CheckedChangeInput {
  change: CheckedChange;
  /** `null`: the interfaces stay as they are. */
  interfaces: WantedInterface[] | null;
}

/** An {@link ApplyInput} that has been read and checked. */
export interface CheckedInput {
  model: CheckedModel;
  /** `null`: the interfaces stay as they are. */
  interfaces: WantedInterface[] | null;
  /** Interfaces that are made because of the services; `null`: they stay as the services do. */
  tunnels: WantedInterface[] | null;
  skipped: Record<string, number>;
  warnings: string[];
}

/**
 * Checks a model at once, so that its owner may change it afterwards.
 *
 * @returns `null` if `input` names manifests, which are for {@link readInput}
 * @throws SluiceError `ERR_MODEL`, `ERR_INTERFACE_SPEC`, `ERR_ROUTE_SPEC`
 */
export function checkInput(input: ApplyInput): CheckedInput | null {
  if (!isPlainObject(input))
    throw new SluiceError('ERR_MODEL', `expected a model or manifests, found ${show(input)}`);
  if (!('manifests' in input)) {
    // Services that are given are none of a balancer's.
    return { ...checked(input, {}, []), tunnels: input.services === undefined ? null : [] };
  }
  if (input.balancer !== undefined) checkBalancer(input.balancer, 'balancer');
  if (input.node !== undefined) checkNode(input.node, 'node');
  return null;
}

/**
 * Checks a change at once, so that its owner may change it afterwards.
 *
 * @throws SluiceError `ERR_MODEL`, `ERR_INTERFACE_SPEC`, `ERR_ROUTE_SPEC`
 */
export function checkChangeInput(input: ModelChange): CheckedChangeInput {
  const change = checkChange(input);
  return { change, interfaces: wantedOf(input, change) };
}

/**
 * @param node - the node section that is in force, for an input without one
 * @throws SluiceError as {@link checkInput} does, and `ERR_MANIFEST`
 */
export async function readInput(
  input: ManifestInput,
  node: NodeSpec | undefined,
): Promise<CheckedInput> {
  const { manifests, stdin, serviceProxyName, balancer, ...rest } = input as ManifestInput & Model;
  for (const path of ['services', 'namespaces', 'pods', 'policies'] as const) {
    if (rest[path] === undefined) continue;
    const message = `${path} come from the manifests; leave one of them out`;
    throw new SluiceError('ERR_MODEL', message, { path });
  }
  const read = await readManifests(pathsOf(manifests), stdin === undefined ? {} : { stdin });
  const translation = translate(read.objects, proxyNameOf(serviceProxyName));
  const wanted =
    balancer === undefined
      ? ofEndpoints(translation, read.objects)
      : ofNodes(translation, read.objects, checkBalancer(balancer, 'balancer'));
  const given = rest.node ?? node;
  // What is wrong with the section itself is for the check of the model to say.
  const completed = isPlainObject(given) ? completeNode(given, read.objects.nodes) : given;
  return {
    ...checked(
      { ...rest, ...wanted.sections, ...(completed !== undefined && { node: completed }) },
      read.skipped,
      [...translation.warnings, ...wanted.warnings].map(warningText),
    ),
    tunnels: wantedInterfaces(wanted.tunnels).map((tunnel) => ({ ...tunnel, made: true })),
  };
}

/** What manifests come to. */
interface Wanted {
  sections: Required<Pick<Model, 'services' | 'namespaces' | 'pods' | 'policies'>>;
  tunnels: InterfaceSpec[];
  warnings: TranslationWarning[];
}

function ofEndpoints({ services }: Translation, objects: KubernetesObjects): Wanted {
  const { warnings, ...policy } = translatePolicy(objects);
  return { sections: { services, ...policy }, tunnels: [], warnings };
}

/** A balancer has no pods, and policies are for those who have. */
function ofNodes(
  translation: Translation,
  { nodes }: KubernetesObjects,
  balancer: CheckedBalancer,
): Wanted {
  const { services, tunnels, warnings } = balance(translation.services, nodes, balancer);
  return { sections: { services, namespaces: [], pods: [], policies: [] }, tunnels, warnings };
}

function checked(
  input: Model,
  skipped: Record<string, number>,
  warnings: string[],
): Omit<CheckedInput, 'tunnels'> {
  const model = checkModel(input);
  return { model, interfaces: wantedOf(input, model), skipped, warnings };
}

function wantedOf(
  given: Pick<Model, 'interfaces'>,
  { interfaces }: Pick<CheckedModel, 'interfaces'>,
): WantedInterface[] | null {
  if (interfaces === undefined) return null;
  return interfaces.map((checked, index) => ({
    spec: structuredClone(given.interfaces![index]!),
    checked,
  }));
}

function proxyNameOf(name: unknown): { serviceProxyName?: string } {
  if (name === undefined) return {};
  if (typeof name === 'string' && name !== '') return { serviceProxyName: name };
  throw new SluiceError('ERR_MODEL', `expected the name of a proxy, found ${show(name)}`, {
    path: 'serviceProxyName',
  });
}

function pathsOf(manifests: unknown): string[] {
  const paths = typeof manifests === 'string' ? [manifests] : manifests;
  if (!Array.isArray(paths) || paths.some((path) => typeof path !== 'string' || path === ''))
    throw new SluiceError('ERR_MODEL', `expected one or more paths, found ${show(manifests)}`, {
      path: 'manifests',
    });
  return [...(paths as string[])];
}
