// SPDX-License-Identifier: Apache-2.0

/** Names of fields whose values are credentials themselves, and not the path of a file with them. */
const SECRET = /(token|password|secret|credential|keydata|certificatedata|authorization)$/i;

/**
 * What `/configz` shows: the configuration in force under the group of its `apiVersion`, as
 * Kubernetes' components do. Whatever is called like a credential is left out.
 */
export function configz(configuration: { apiVersion: string }): unknown {
  const group = configuration.apiVersion.replace(/\/.*$/, '');
  return { [group]: withoutSecrets(configuration) };
}

function withoutSecrets(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutSecrets);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .filter(([key]) => !SECRET.test(key.replace(/[^a-z]/gi, '')))
      .map(([key, inner]) => [key, withoutSecrets(inner)]),
  );
}
