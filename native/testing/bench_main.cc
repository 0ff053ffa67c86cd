// SPDX-License-Identifier: Apache-2.0
// main() of every benchmark: Google Benchmark's, with defaults that the command line overrides.
#include <benchmark/benchmark.h>

#include <vector>

int main(int argc, char** argv) {
  char repetitions[] = "--benchmark_repetitions=5", min_time[] = "--benchmark_min_time=0.2",
       aggregates[] = "--benchmark_report_aggregates_only=true",
       tabular[] = "--benchmark_counters_tabular=true";
  std::vector<char*> arguments = {argv[0], repetitions, min_time, aggregates, tabular};
  arguments.insert(arguments.end(), argv + 1, argv + argc);
  int count = static_cast<int>(arguments.size());
  arguments.push_back(nullptr);
  benchmark::Initialize(&count, arguments.data());
  if (benchmark::ReportUnrecognizedArguments(count, arguments.data())) return 1;
  benchmark::RunSpecifiedBenchmarks();
  benchmark::Shutdown();
  return 0;
}
