// SPDX-License-Identifier: Apache-2.0
// The one list of Debian packages that Sluice wants, each with the reason why.

/**
 * With `for`: wanted by `npm test` or `npm run bench` alone; with `program`: only where that is not
 * there. Names are those of Debian 12.
 */
export const SYSTEM_PACKAGES = [
  { name: 'build-essential', why: 'g++ and make build the addon' },
  { name: 'python3', why: 'node-gyp runs on it' },
  { name: 'pkg-config', why: 'says where DPDK is' },
  { name: 'libdpdk-dev', why: 'DPDK: headers, libraries and the drivers, which it depends on' },
  { name: 'dpdk-dev', why: 'dpdk-testpmd, the peer behind memif and vhost-user' },
  { name: 'iproute2', why: 'ip netns: the pods of the demo' },
  { name: 'curl', why: 'the HTTP client of the demo' },
  { name: 'cmake', why: 'builds the C++ tests and benchmarks', for: ['test', 'bench'] },
  { name: 'ninja-build', why: 'builds the C++ tests and benchmarks', for: ['test', 'bench'] },
  { name: 'doctest-dev', why: 'the framework of the C++ tests', for: ['test'] },
  { name: 'clang-format', why: 'checks the format of native/', for: ['test'] },
  { name: 'clang-19', why: 'builds the fuzzer: `npm run fuzz`', for: ['test'] },
  { name: 'libclang-rt-19-dev', why: 'libFuzzer and the sanitizers of clang-19', for: ['test'] },
  { name: 'nginx-light', why: 'the HTTP server behind Sluice in e2e tests', for: ['test'] },
  { name: 'wrk', why: 'HTTP load in e2e tests', for: ['test'] },
  { name: 'iperf3', why: 'TCP and UDP streams in e2e tests', for: ['test'] },
  { name: 'ethtool', why: "turns the offloads of the tests' devices off", for: ['test'] },
  { name: 'traceroute', why: 'asks for the hops on the way in e2e tests', for: ['test'] },
  { name: 'iputils-tracepath', why: 'asks for the MTU of a way in e2e tests', for: ['test'] },
  {
    name: 'kubernetes-client',
    why: 'kubectl, which changes the clusters of tests',
    for: ['test'],
    program: 'kubectl',
  },
  { name: 'openssl', why: 'makes the certificates of the clusters of tests', for: ['test'] },
  { name: 'libbenchmark-dev', why: 'the framework of the micro-benchmarks', for: ['bench'] },
  {
    name: 'nlohmann-json3-dev',
    why: 'how the traffic generator is told what to do',
    for: ['bench'],
  },
];
