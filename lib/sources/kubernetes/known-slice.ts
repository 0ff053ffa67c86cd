// SPDX-License-Identifier: Apache-2.0
import { isPlainObject } from '../../model/fields.js';
import { readEndpointSlice } from './objects.js';
import { type Endpoints, FQDN_WARNING, serviceNameOf } from './translate-service.js';

const TRIGGER_ANNOTATION = 'endpoints.kubernetes.io/last-change-trigger-time';

/** What is kept of an EndpointSlice. */
export interface KnownSlice extends Endpoints {
  /** `namespace/name`; `null`: of none that is served. */
  service: string | null;
  warnings: readonly string[];
}

/** @throws ObjectMistake */
export function knownSliceOf(object: unknown): KnownSlice {
  const slice = readEndpointSlice(object);
  const warnings: string[] = [];
  const name = serviceNameOf(slice, (message) => warnings.push(message));
  const service = name === null ? null : `${slice.metadata.namespace}/${name}`;
  const { addressType, endpoints, ports } = slice;
  if (service !== null && addressType === 'FQDN') warnings.push(FQDN_WARNING);
  const isUsed = service !== null && addressType !== 'FQDN';
  return { service, addressType, endpoints: isUsed ? endpoints : [], ports, warnings };
}

/** When it happened what a slice was changed for, in ms since 1970; `null`: it does not say. */
export function triggerOf(object: unknown): number | null {
  const metadata = isPlainObject(object) ? object['metadata'] : null;
  const annotations = isPlainObject(metadata) ? metadata['annotations'] : null;
  const time = isPlainObject(annotations) ? annotations[TRIGGER_ANNOTATION] : null;
  const ms = typeof time === 'string' ? Date.parse(time) : Number.NaN;
  return Number.isNaN(ms) ? null : ms;
}
