// SPDX-License-Identifier: Apache-2.0
import { SluiceError } from '../../errors.js';
import { readConfigFile } from '../../model/config-file.js';
import { parseInterfaceSpec } from '../../model/interface-spec.js';
import type { BalancerSpec, InterfaceSpec, NodeSpec, RouteSpec } from '../../model/model.js';
import type { EngineChoice } from '../../model/options.js';
import { parseRouteSpec } from '../../model/route-spec.js';
import { openOptionsOf, type ProxyOptions } from '../../proxy/options.js';

/** The command line of `sluice run`. */
export interface RunFlags {
  file: string[];
  interface: string[];
  route: string[];
  engine?: EngineChoice;
  config?: string;
  workers?: number;
  control: string;
  logLevel: string;
}

/** What the agent shall do: the command line and the configuration file as one. */
export interface Settings {
  /** Engine and limits; what a running agent cannot change. */
  open: ProxyOptions;
  interfaces: InterfaceSpec[];
  routes: RouteSpec[];
  /** Empty: nothing is known of the node. */
  node: NodeSpec;
  manifests: string[];
  serviceProxyName: string | undefined;
  balancer: BalancerSpec | undefined;
}

/**
 * Reads the configuration file, if there is one. The command line adds interfaces, routes and
 * manifests to the file's, and has the last word on the engine and the number of workers.
 *
 * @throws SluiceError `ERR_OPTIONS`, `ERR_CONFIG`, `ERR_INTERFACE_SPEC`, `ERR_ROUTE_SPEC`
 */
export async function readSettings(flags: RunFlags): Promise<Settings> {
  const config = flags.config === undefined ? {} : await readConfigFile(flags.config);
  const manifests = [...(config.manifests ?? []), ...flags.file];
  // A router has nothing to serve, and says so.
  if (manifests.length === 0 && config.manifests === undefined)
    throw new SluiceError(
      'ERR_OPTIONS',
      'no manifests to serve; give a file, a folder or - with -f, or `manifests` in --config',
      { path: '--file' },
    );
  const open = openOptionsOf(flags.engine ?? config.engine ?? 'auto', {
    ...config.options,
    ...(flags.workers !== undefined && { workers: flags.workers }),
  });
  return {
    open,
    interfaces: [
      ...(config.interfaces ?? []),
      ...flags.interface.map((text, index) => parseInterfaceSpec(text, `--interface[${index}]`)),
    ],
    routes: [
      ...(config.routes ?? []),
      ...flags.route.map((text, index) => parseRouteSpec(text, `--route[${index}]`)),
    ],
    node: config.node ?? {},
    manifests,
    serviceProxyName: config.serviceProxyName,
    balancer: config.balancer,
  };
}
