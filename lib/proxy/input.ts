// SPDX-License-Identifier: Apache-2.0
import type { Readable } from 'node:stream';
import { SluiceError } from '../errors.js';
import { checkModel } from '../model/check.js';
import type { CheckedModel } from '../model/checked.js';
import { show } from '../model/explain.js';
import { isPlainObject } from '../model/fields.js';
import type { InterfaceSpec, Model } from '../model/model.js';
import { readManifests } from '../sources/files/manifests.js';
import { translate } from '../sources/kubernetes/translate.js';
import type { WantedInterface } from './interface-table.js';

/** Services out of Kubernetes manifests; interfaces and routes as in a {@link Model}. */
export interface ManifestInput extends Omit<Model, 'services'> {
  /** Files, folders (their `*.yaml`, `*.yml`, `*.json`), `-` for the standard input. */
  manifests: string | readonly string[];
  /** What `-` reads from. Default: the process's standard input. */
  stdin?: Readable;
}

/** What `ServiceProxy.apply` takes. */
export type ApplyInput = Model | ManifestInput;

/** An {@link ApplyInput} that has been read and checked. */
export interface CheckedInput {
  model: CheckedModel;
  /** `null`: the interfaces stay as they are. */
  interfaces: WantedInterface[] | null;
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
  return 'manifests' in input ? null : checked(input, {}, []);
}

/** @throws SluiceError as {@link checkInput} does, and `ERR_MANIFEST` */
export async function readInput(input: ManifestInput): Promise<CheckedInput> {
  const { manifests, stdin, ...rest } = input as ManifestInput & Model;
  if (rest.services !== undefined)
    throw new SluiceError('ERR_MODEL', 'services come from the manifests; leave one of them out', {
      path: 'services',
    });
  const read = await readManifests(pathsOf(manifests), stdin === undefined ? {} : { stdin });
  const { services, warnings } = translate(read.objects);
  return checked(
    { ...rest, services },
    read.skipped,
    warnings.map(
      ({ kind, namespace, name, message }) => `${kind} ${namespace}/${name}: ${message}`,
    ),
  );
}

function checked(input: Model, skipped: Record<string, number>, warnings: string[]): CheckedInput {
  const model = checkModel(input);
  const interfaces =
    model.interfaces?.map((each, index) => ({
      spec: structuredClone(input.interfaces![index] as InterfaceSpec),
      checked: each,
    })) ?? null;
  return { model, interfaces, skipped, warnings };
}

function pathsOf(manifests: unknown): string[] {
  const paths = typeof manifests === 'string' ? [manifests] : manifests;
  if (!Array.isArray(paths) || paths.some((path) => typeof path !== 'string' || path === ''))
    throw new SluiceError('ERR_MODEL', `expected one or more paths, found ${show(manifests)}`, {
      path: 'manifests',
    });
  return [...(paths as string[])];
}
