// SPDX-License-Identifier: Apache-2.0
import type { Tree } from './objects.js';
import { ApiError, badRequest } from './status.js';

/**
 * Theory of operation. New versions of kubectl write what `kubectl create namespace` and its like
 * make as Protocol Buffers: `k8s\0`, then a message `Unknown` (1: TypeMeta, 2: the object). This
 * reads what those commands set, by the field numbers of Kubernetes' generated.proto files; fields
 * that are not listed are skipped. Answers are JSON, which clients take as well.
 */
export const PROTOBUF = 'application/vnd.kubernetes.protobuf';

type Scalar = 'string' | 'number' | 'boolean' | 'bytes' | 'intOrString';
interface Field {
  readonly name: string;
  readonly type: Scalar | Message;
  readonly form: 'one' | 'list' | 'map';
}
type Message = Readonly<Record<number, Field>>;

const one = (name: string, type: Field['type'] = 'string'): Field => ({ name, type, form: 'one' });
const list = (name: string, type: Field['type'] = 'string'): Field => ({
  name,
  type,
  form: 'list',
});
const map = (name: string, type: Scalar = 'string'): Field => ({ name, type, form: 'map' });

const METADATA: Message = {
  1: one('name'),
  2: one('generateName'),
  3: one('namespace'),
  5: one('uid'),
  6: one('resourceVersion'),
  11: map('labels'),
  12: map('annotations'),
  14: list('finalizers'),
};
const SERVICE_PORT: Message = {
  1: one('name'),
  2: one('protocol'),
  3: one('port', 'number'),
  4: one('targetPort', 'intOrString'),
  5: one('nodePort', 'number'),
  6: one('appProtocol'),
};
const SERVICE_SPEC: Message = {
  1: list('ports', SERVICE_PORT),
  2: map('selector'),
  3: one('clusterIP'),
  4: one('type'),
  5: list('externalIPs'),
  7: one('sessionAffinity'),
  8: one('loadBalancerIP'),
  9: list('loadBalancerSourceRanges'),
  10: one('externalName'),
  11: one('externalTrafficPolicy'),
  12: one('healthCheckNodePort', 'number'),
  13: one('publishNotReadyAddresses', 'boolean'),
  17: one('ipFamilyPolicy'),
  18: list('clusterIPs'),
  19: list('ipFamilies'),
  20: one('allocateLoadBalancerNodePorts', 'boolean'),
  21: one('loadBalancerClass'),
  22: one('internalTrafficPolicy'),
  23: one('trafficDistribution'),
};
const CONTAINER_PORT: Message = {
  1: one('name'),
  2: one('hostPort', 'number'),
  3: one('containerPort', 'number'),
  4: one('protocol'),
};
const CONTAINER: Message = {
  1: one('name'),
  2: one('image'),
  3: list('command'),
  4: list('args'),
  6: list('ports', CONTAINER_PORT),
};
const POD_SPEC: Message = {
  2: list('containers', CONTAINER),
  3: one('restartPolicy'),
  4: one('terminationGracePeriodSeconds', 'number'),
  6: one('dnsPolicy'),
  10: one('nodeName'),
  11: one('hostNetwork', 'boolean'),
};
const DEPLOYMENT_SPEC: Message = {
  1: one('replicas', 'number'),
  2: one('selector', { 1: map('matchLabels') }),
  3: one('template', { 1: one('metadata', METADATA), 2: one('spec', POD_SPEC) }),
};

const KINDS: Readonly<Record<string, Message>> = {
  'v1 Namespace': { 1: one('metadata', METADATA) },
  'v1 Service': { 1: one('metadata', METADATA), 2: one('spec', SERVICE_SPEC) },
  'v1 ConfigMap': { 1: one('metadata', METADATA), 2: map('data'), 3: map('binaryData', 'bytes') },
  'v1 Secret': { 1: one('metadata', METADATA), 2: map('data', 'bytes'), 3: one('type') },
  'v1 Pod': { 1: one('metadata', METADATA), 2: one('spec', POD_SPEC) },
  'apps/v1 Deployment': { 1: one('metadata', METADATA), 2: one('spec', DEPLOYMENT_SPEC) },
};

const ENVELOPE: Message = {
  1: one('typeMeta', { 1: one('apiVersion'), 2: one('kind') }),
  2: one('raw', 'bytes'),
};

const OMITTED_EMPTY = new Set([
  'healthCheckNodePort',
  'publishNotReadyAddresses',
  'nodePort',
  'hostPort',
  'hostNetwork',
]);

/** @throws ApiError 400, or 415 for a kind that is not listed above. */
export function readProtobuf(body: Buffer): Tree {
  if (body.toString('latin1', 0, 4) !== 'k8s\0') throw badRequest('no protobuf of Kubernetes');
  const { typeMeta, raw } = readMessage(body.subarray(4), ENVELOPE);
  const message = KINDS[`${typeMeta.apiVersion} ${typeMeta.kind}`];
  if (!message) {
    const why = `protobuf of ${typeMeta.apiVersion} ${typeMeta.kind} is not read here: use JSON`;
    throw new ApiError(415, 'UnsupportedMediaType', why);
  }
  const object = readMessage(Buffer.from(raw ?? '', 'base64'), message);
  return { ...typeMeta, ...object };
}

function readMessage(bytes: Buffer, message: Message): Tree {
  const result: Tree = {};
  let at = 0;
  const varint = (): number => {
    let value = 0n;
    for (let shift = 0n; ; shift += 7n) {
      const byte = bytes[at++];
      if (byte === undefined) throw badRequest('unexpected EOF');
      value |= BigInt(byte & 0x7f) << shift;
      if (byte < 0x80) return Number(BigInt.asIntN(64, value));
    }
  };
  while (at < bytes.length) {
    const tag = varint();
    const wire = tag & 7;
    let value: number | Buffer;
    if (wire === 0) value = varint();
    else if (wire === 2) {
      const length = varint();
      value = bytes.subarray(at, at + length);
      at += length;
    } else if (wire === 1 || wire === 5) {
      at += wire === 1 ? 8 : 4;
      continue;
    } else {
      throw badRequest(`wire type ${wire}`);
    }
    const field = message[tag >> 3];
    if (field) put(result, field, value);
  }
  return result;
}

function put(object: Tree, { name, type, form }: Field, value: number | Buffer): void {
  if (form === 'map') {
    const entry = readMessage(value as Buffer, { 1: one('key'), 2: one('value', type) });
    object[name] = { ...object[name], [entry.key ?? '']: entry.value ?? '' };
  } else if (form === 'list') {
    object[name] = [...(object[name] ?? []), read(type, value)];
  } else {
    const single = read(type, value);
    // Go writes what is empty, too, of all fields but pointers.
    if (single !== '' && !(OMITTED_EMPTY.has(name) && !single)) object[name] = single;
  }
}

function read(type: Field['type'], value: number | Buffer): Tree {
  if (type === 'number') return value;
  if (type === 'boolean') return value !== 0;
  if (type === 'string') return value.toString();
  if (type === 'bytes') return (value as Buffer).toString('base64');
  if (type !== 'intOrString') return readMessage(value as Buffer, type);
  const held = readMessage(value as Buffer, {
    1: one('type', 'number'),
    2: one('number', 'number'),
    3: one('text'),
  });
  return held.type === 1 ? (held.text ?? '') : (held.number ?? 0);
}

/** Media type in which old kubectls want the schemas (OpenAPI v2). */
export const OPENAPI_PROTOBUF = 'application/com.github.proto-openapi.spec.v2@v1.0+protobuf';

/**
 * A description of the API without any schema: kubectl then takes objects as they are. A Document
 * of gnostic: 1 is the version of Swagger, 2 the Info (title, version), 8 the paths.
 */
export function emptyOpenApi(version: string): Buffer {
  const field = (number: number, bytes: Buffer): Buffer =>
    Buffer.concat([Buffer.from([(number << 3) | 2, bytes.length]), bytes]);
  const text = (number: number, value: string): Buffer => field(number, Buffer.from(value));
  const info = Buffer.concat([text(1, 'Kubernetes'), text(2, version)]);
  return Buffer.concat([text(1, '2.0'), field(2, info), field(8, Buffer.alloc(0))]);
}
