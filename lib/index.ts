// SPDX-License-Identifier: Apache-2.0

export type { BackendState } from './compile/view.js';
export type {
  EngineDescription,
  EngineKind,
  EngineOptions,
  FlowState,
  Occupancy,
  Timeouts,
} from './engine/engine.js';
export { DROP_REASONS, type DropReason } from './engine/reasons.js';
export { ERROR_CODES, type ErrorCode, SluiceError } from './errors.js';
export type { Changes, ModelChange } from './model/changes.js';
export { formatInterfaceSpec, parseInterfaceSpec } from './model/interface-spec.js';
export type {
  Affinity,
  Backend,
  BalancerSpec,
  Hints,
  InterfaceKind,
  InterfaceSpec,
  LoadBalancer,
  Model,
  NextHopSpec,
  NodeSpec,
  Protocol,
  RouteSpec,
  Service,
  ServicePort,
  Through,
  TrafficPolicy,
} from './model/model.js';
export type { EngineChoice } from './model/options.js';
export type {
  LabelExpression,
  LabelSelector,
  Labels,
  NamedPort,
  Namespace,
  NetworkPeer,
  Pod,
  PodSelector,
  Policy,
  PolicyAction,
  PolicyPeer,
  PolicyPort,
  PolicyProtocol,
  PolicyRule,
  PolicyTier,
} from './model/policy.js';
export { formatRouteSpec, parseRouteSpec } from './model/route-spec.js';
export type { DropCounts, InterfaceCounts } from './observe/counters.js';
export type {
  DecidingRule,
  ExplainedEndpoint,
  ExplainedPolicy,
  ExplainedRoute,
  ExplainedService,
  ExplainedTuple,
  ExplainReport,
} from './observe/explain-report.js';
export type { Occupied } from './observe/occupancy.js';
export type { Fates, InterfaceStats, Stats, WorkerQueue, WorkerStats } from './observe/stats.js';
export type {
  BackendView,
  FlowView,
  InterfaceView,
  ServiceBackendView,
  ServicePortView,
  ServiceView,
} from './observe/views.js';
export type { BackendEvent, InterfaceEvent, ProxyEvents } from './proxy/events.js';
export type { ExplainInput } from './proxy/explain.js';
export type { ApplyInput, ManifestInput } from './proxy/input.js';
export type { InterfaceSet } from './proxy/interface-set.js';
export type { ProxyOptions } from './proxy/options.js';
export { type ApplyReport, ServiceProxy } from './proxy/service-proxy.js';
