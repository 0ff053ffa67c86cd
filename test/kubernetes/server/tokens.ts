// SPDX-License-Identifier: Apache-2.0
import type { Place } from './requests.js';
import { ApiError } from './status.js';

/** Who a token is of, and what he may do. */
export interface Access {
  user: string;
  /** Everything, if left out. `resource` is the plural name. */
  may?: (verb: string, resource: string, namespace: string | null) => boolean;
}

const ANONYMOUS: Access = { user: 'system:anonymous', may: () => false };
/** What everybody may read. */
const PUBLIC = /^\/(version|healthz|livez|readyz)(\/|$)/;

/** The bearer tokens of a server. They may change while it runs. */
export class Tokens {
  readonly #tokens: Map<string, Access>;

  constructor(tokens: Readonly<Record<string, Access>>) {
    this.#tokens = new Map(Object.entries(tokens));
  }

  set(token: string, access: Access): void {
    this.#tokens.set(token, access);
  }

  delete(token: string): void {
    this.#tokens.delete(token);
  }

  /** @throws ApiError 401. */
  admit(authorization: string | undefined): Access {
    if (authorization === undefined) return ANONYMOUS;
    const [, token = ''] = /^Bearer\s+(.*)$/i.exec(authorization) ?? [];
    const access = this.#tokens.get(token.trim());
    if (!access) throw new ApiError(401, 'Unauthorized', 'Unauthorized');
    return access;
  }

  /** @throws ApiError 403. */
  authorize(
    access: Access,
    path: string,
    verb: string | undefined,
    place: Place | undefined,
  ): void {
    if (!access.may || PUBLIC.test(path)) return;
    if (!place || !verb) {
      if (access !== ANONYMOUS) return;
      throw new ApiError(
        403,
        'Forbidden',
        `forbidden: User "${access.user}" cannot get path "${path}"`,
        {},
      );
    }
    const { resource, namespace, name, subresource } = place;
    if (access.may(verb, resource.plural, namespace)) return;
    const where =
      namespace === null ? 'at the cluster scope' : `in the namespace ${JSON.stringify(namespace)}`;
    const what = subresource ? `${resource.plural}/${subresource}` : resource.plural;
    const full = resource.group ? `${resource.plural}.${resource.group}` : resource.plural;
    throw new ApiError(
      403,
      'Forbidden',
      `${full}${name ? ` ${JSON.stringify(name)}` : ''} is forbidden: User "${access.user}" cannot ${verb} resource "${what}" in API group "${resource.group}" ${where}`,
      {
        ...(name && { name }),
        ...(resource.group && { group: resource.group }),
        kind: resource.plural,
      },
    );
  }
}
