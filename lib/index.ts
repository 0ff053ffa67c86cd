// SPDX-License-Identifier: Apache-2.0
export type {
  EngineDescription,
  EngineKind,
  EngineOptions,
  FlowState,
  FlowTimeouts,
} from './engine/engine.js';
export { DROP_REASONS, type DropReason } from './engine/reasons.js';
export { ERROR_CODES, type ErrorCode, SluiceError } from './errors.js';
export type {
  Backend,
  InterfaceKind,
  InterfaceSpec,
  Model,
  Protocol,
  RouteSpec,
  Service,
  ServicePort,
} from './model/model.js';
