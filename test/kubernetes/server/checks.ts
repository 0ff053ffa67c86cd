// SPDX-License-Identifier: Apache-2.0
import type { Metadata, Tree } from './objects.js';
import { type FieldError, invalid, required } from './status.js';

const LABEL_1035 = /^[a-z]([-a-z0-9]*[a-z0-9])?$/;
const LABEL_1123 = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/;
const SUBDOMAIN_1123 = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/;
const QUALIFIED = /^([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]$/;

const SUBDOMAIN_SAYS =
  "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')";
const LABEL_1123_SAYS =
  "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?')";
const LABEL_1035_SAYS =
  "a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an alphabetic character, and end with an alphanumeric character (e.g. 'my-name',  or 'abc-123', regex used for validation is '[a-z]([-a-z0-9]*[a-z0-9])?')";
const QUALIFIED_SAYS =
  "name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')";
const VALUE_SAYS =
  "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyValue',  or 'my_value',  or '12345', regex used for validation is '(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')";

const matches = (form: RegExp, max: number, says: string) => (field: string, value: Tree) =>
  typeof value === 'string' && value.length <= max && form.test(value)
    ? []
    : [
        invalid(
          field,
          value,
          String(value).length > max ? `must be no more than ${max} characters` : says,
        ),
      ];

export const checkSubdomain = matches(SUBDOMAIN_1123, 253, SUBDOMAIN_SAYS);
export const checkLabel1123 = matches(LABEL_1123, 63, LABEL_1123_SAYS);
const checkLabel1035 = matches(LABEL_1035, 63, LABEL_1035_SAYS);

const NAMES: Readonly<Record<string, typeof checkSubdomain>> = {
  Namespace: checkLabel1123,
  Service: checkLabel1035,
};

export function checkMetadata(kind: string, metadata: Metadata): FieldError[] {
  const { name, generateName, labels } = metadata;
  if (!name && !generateName) {
    return [required('metadata.name', 'name or generateName is required')];
  }
  return [
    ...(NAMES[kind] ?? checkSubdomain)('metadata.name', name),
    ...Object.entries(labels ?? {}).flatMap(([key, value]) => checkLabel(key, value)),
  ];
}

function checkLabel(key: string, value: Tree): FieldError[] {
  const field = 'metadata.labels';
  const slash = key.indexOf('/');
  const name = key.slice(slash + 1);
  const errors: FieldError[] = [];
  if (slash >= 0) {
    for (const error of checkSubdomain(field, key.slice(0, slash))) {
      errors.push({
        ...error,
        message: error.message.replace(/^(Invalid value: ".*": )/, `$1prefix part `),
      });
    }
  }
  if (name.length > 63 || !QUALIFIED.test(name)) errors.push(invalid(field, key, QUALIFIED_SAYS));
  if (value === '' || value === undefined) return errors;
  if (typeof value !== 'string' || value.length > 63) {
    errors.push(invalid(field, value, 'must be no more than 63 characters'));
  } else if (!QUALIFIED.test(value)) {
    errors.push(invalid(field, value, VALUE_SAYS));
  }
  return errors;
}

export const checkPort = (field: string, port: Tree): FieldError[] =>
  Number.isInteger(port) && port >= 1 && port <= 65535
    ? []
    : [invalid(field, port ?? 0, 'must be between 1 and 65535, inclusive')];
