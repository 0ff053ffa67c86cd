// SPDX-License-Identifier: Apache-2.0

export { SluiceError } from '../errors.js';
export type { Protocol } from '../model/model.js';
export type { Comparison } from './compare.js';
export { type Expectation, type ExpectedTable, parseTable } from './expected-table.js';
export type { Direction, Judged } from './judged.js';
export type { Matrix, MatrixOptions } from './matrix.js';
export {
  type ExpectedMore,
  Network,
  type NetworkNode,
  type NetworkOptions,
  type NetworkPod,
  type NetworkService,
} from './network.js';
export type { ProbeBackend, ProbeInput, ProbeResult, Verdict } from './probe.js';
