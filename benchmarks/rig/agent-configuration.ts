// SPDX-License-Identifier: Apache-2.0
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { API_VERSION, KIND } from '../../lib/agent/configuration-schema.js';
import { NODE_NAME, POD_NETWORK } from './cluster-objects.js';
import { BACKENDS, CLIENTS, ROUTES } from './network.js';

/**
 * Writes the configuration of an agent between two `memory` interfaces, `clients` and `backends`; the rest
 * is as by default. @returns path of the file
 */
export function writeAgentConfiguration(
  folder: string,
  { kubeconfig, backends }: { kubeconfig: string; backends: number },
): string {
  const path = join(folder, 'agent.json');
  const document = {
    apiVersion: API_VERSION,
    kind: KIND,
    clientConnection: { kubeconfig },
    hostnameOverride: NODE_NAME,
    healthzBindAddress: '127.0.0.1:0',
    metricsBindAddress: '127.0.0.1:0',
    engine: 'dpdk',
    interfaces: [
      `memory:clients,address=${CLIENTS.addresses[0]},mac=${CLIENTS.mac}`,
      `memory:backends,address=${BACKENDS.addresses[0]},mac=${BACKENDS.mac}`,
    ],
    routes: [ROUTES[0], `${POD_NETWORK},dev=backends,mac=${BACKENDS.generatorMac}`],
    options: { backends },
    control: join(folder, 'control.sock'),
    lockFile: join(folder, 'agent.lock'),
  };
  writeFileSync(path, JSON.stringify(document));
  return path;
}
