// SPDX-License-Identifier: Apache-2.0
import { BACKENDS, CLIENTS, type WireKind } from './network.js';
import type { Traffic } from './traffic.js';

/** A device under test that has opened its two interfaces. */
export interface Target {
  /** As tables and messages call it. */
  name: string;
  attachments: Pick<Traffic, 'client' | 'backend' | 'peer'>;
}

/** Where the generator attaches to a device that has opened its sockets in `folder`. */
export function attachments(
  kind: WireKind,
  folder: string,
  peer: Traffic['peer'],
): Target['attachments'] {
  const side = (name: string, { mac, generatorMac }: typeof CLIENTS) => ({
    kind,
    socket: `${folder}/${name}.sock`,
    peerMac: mac,
    mac: generatorMac,
  });
  return { client: side('clients', CLIENTS), backend: side('backends', BACKENDS), peer };
}
