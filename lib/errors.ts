// SPDX-License-Identifier: Apache-2.0

/** Every error code of the project and what it means. Codes are stable; messages are not. */
export const ERROR_CODES = {
  ERR_OPTIONS: 'An option of `ServiceProxy.open` or of the command line is wrong',
  ERR_MODEL: 'A value of the model is wrong; `path` names it',
  ERR_MANIFEST: 'A manifest cannot be read or is malformed; `path` is file, document and field',
  ERR_CONFIG: 'A configuration file is malformed; `path` names the key',
  ERR_INTERFACE_SPEC: 'An interface specification is malformed',
  ERR_ROUTE_SPEC: 'A route specification is malformed, or its gateway is on no known link',
  ERR_INTERFACE: 'An interface cannot be made: the device said no',
  ERR_INTERFACE_EXISTS: 'An interface of that name exists already',
  ERR_INTERFACE_UNKNOWN: 'There is no interface of that name',
  ERR_INTERFACE_KIND: 'The engine does not carry interfaces of that kind',
  ERR_INTERFACE_LIMIT: 'No slot or no DPDK device is left for another interface',
  ERR_HUGEPAGES: 'Hugepages are needed and there are none',
  ERR_PERMISSION: 'The operation needs root',
  ERR_PROGRAM: 'The engine refused a program; nothing has changed',
  ERR_CAPACITY: 'A table that a limit bounds has no room for what was asked',
  ERR_ENGINE_UNAVAILABLE: 'The engine that was asked for cannot run here; the message says why',
  ERR_ENGINE_BUSY: 'This process runs a native engine already; DPDK allows one',
  ERR_ENGINE: 'The engine could not start',
  ERR_CLOSED: 'The proxy has been closed',
  ERR_APISERVER:
    'The API server cannot be reached, or it refused; `path` is its address and the path of the request',
  ERR_AGENT: 'No agent answers at the control socket, or it refused the request',
  ERR_LISTEN: 'An address and port that a server of the agent shall listen on cannot be bound',
} as const;

export type ErrorCode = keyof typeof ERROR_CODES;

/**
 * The one error class of Sluice.
 *
 * `code` is stable and tells what kind of mistake it was; `path` names the field, file or option
 * that is to blame, as precisely as is known: `services[2].ports[0].port`,
 * `shop.yaml#3: spec.ports[0].port`, `--interface[1].mtu`.
 */
export class SluiceError extends Error {
  readonly code: ErrorCode;
  readonly path: string | undefined;

  constructor(code: ErrorCode, message: string, options: { path?: string; cause?: unknown } = {}) {
    super(
      options.path === undefined ? message : `${options.path}: ${message}`,
      options.cause === undefined ? undefined : { cause: options.cause },
    );
    this.name = 'SluiceError';
    this.code = code;
    this.path = options.path;
  }
}
