// SPDX-License-Identifier: Apache-2.0
#include "generator/draw.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <random>

namespace sluice::generator {
namespace {

constexpr uint32_t kDraws = 1 << 20;
constexpr double kGoldenRatio = 0.6180339887498949;

// So that all flows come once before one comes again, and neighbours in the population, which were
// opened one after the other, do not meet in a burst: their entries may lie side by side.
uint32_t even_step(uint32_t flows) {
  auto step = std::max<uint32_t>(1, static_cast<uint32_t>(flows * kGoldenRatio));
  while (std::gcd(step, flows) != 1) ++step;
  return step;
}

// By inversion of the distribution function.
std::vector<uint32_t> zipf_draws(uint32_t flows, double exponent, uint32_t seed) {
  std::vector<double> cumulated(flows);
  double sum = 0;
  for (uint32_t flow = 0; flow < flows; ++flow) {
    sum += std::pow(flow + 1.0, -exponent);
    cumulated[flow] = sum;
  }
  std::mt19937 random(seed);
  std::uniform_real_distribution<double> uniform(0, sum);
  std::vector<uint32_t> draws(kDraws);
  for (uint32_t& draw : draws) {
    const auto found = std::lower_bound(cumulated.begin(), cumulated.end() - 1, uniform(random));
    draw = static_cast<uint32_t>(found - cumulated.begin());
  }
  return draws;
}

}  // namespace

Draw Draw::spread(uint32_t flows, double zipf, uint32_t seed) {
  Draw draw(0, even_step(flows), flows);
  if (zipf > 0) draw.table_ = zipf_draws(flows, zipf, seed);
  return draw;
}

Draw Draw::fresh(uint32_t first) { return {first, 1, UINT32_MAX}; }

}  // namespace sluice::generator
