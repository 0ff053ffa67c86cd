// SPDX-License-Identifier: Apache-2.0
#include "generator/fields.h"

#include <arpa/inet.h>

#include <cmath>
#include <cstdio>

namespace sluice::generator {

Field Field::operator[](const char* name) const {
  const std::string path = path_.empty() ? name : path_ + "." + name;
  if (!has(name)) throw OptionError(path + ": is missing");
  return {value_[name], path};
}

void Field::wrong(const std::string& wanted) const {
  throw OptionError(path_ + ": " + wanted + " is wanted, not " + value_.dump());
}

std::string Field::text() const {
  if (!value_.is_string()) wrong("text");
  return value_.get<std::string>();
}

size_t Field::choice(const std::vector<std::string>& choices) const {
  std::string wanted;
  for (size_t i = 0; i < choices.size(); ++i) {
    if (value_.is_string() && value_.get<std::string>() == choices[i]) return i;
    wanted += (i ? " or " : "") + choices[i];
  }
  wrong(wanted);
}

bool Field::truth() const {
  if (!value_.is_boolean()) wrong("true or false");
  return value_.get<bool>();
}

double Field::number(double least, double most) const {
  if (!value_.is_number() || value_.get<double>() < least || value_.get<double>() > most) {
    wrong("a number from " + nlohmann::json(least).dump() + " to " + nlohmann::json(most).dump());
  }
  return value_.get<double>();
}

uint32_t Field::whole(uint32_t least, uint32_t most) const {
  if (!value_.is_number() || value_.get<double>() != std::floor(value_.get<double>()) ||
      value_.get<double>() < least || value_.get<double>() > most) {
    wrong("a whole number from " + std::to_string(least) + " to " + std::to_string(most));
  }
  return static_cast<uint32_t>(value_.get<double>());
}

Mac Field::mac() const {
  Mac mac;
  int end = 0;
  const std::string given = text();
  if (std::sscanf(given.c_str(), "%2hhx:%2hhx:%2hhx:%2hhx:%2hhx:%2hhx%n", &mac[0], &mac[1], &mac[2],
                  &mac[3], &mac[4], &mac[5], &end) != 6 ||
      static_cast<size_t>(end) != given.size()) {
    wrong("a MAC such as 02:00:00:00:00:01");
  }
  return mac;
}

Address Field::address(uint8_t family) const {
  const std::string given = text();
  Address address{};
  if (family == 4) {
    be32 ipv4;
    if (inet_pton(AF_INET, given.c_str(), &ipv4) != 1) wrong("an IPv4 address");
    address = Ipv4::general(ipv4);
  } else if (inet_pton(AF_INET6, given.c_str(), &address) != 1 || address.is_ipv4()) {
    wrong("an IPv6 address");
  }
  return address;
}

}  // namespace sluice::generator
