// SPDX-License-Identifier: Apache-2.0
// Reads JSON field by field; an error names the field's path.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "generator/options.h"

namespace sluice::generator {

class Field {
 public:
  Field(const nlohmann::json& value, std::string path) : value_(value), path_(std::move(path)) {}

  Field operator[](const char* name) const;
  bool has(const char* name) const { return value_.is_object() && value_.contains(name); }
  bool is_text() const { return value_.is_string(); }

  std::string text() const;
  // Index of the text among the choices.
  size_t choice(const std::vector<std::string>& choices) const;
  bool truth() const;
  double number(double least, double most) const;
  uint32_t whole(uint32_t least, uint32_t most) const;
  Mac mac() const;
  Address address(uint8_t family) const;

  [[noreturn]] void wrong(const std::string& wanted) const;

 private:
  const nlohmann::json& value_;
  const std::string path_;
};

}  // namespace sluice::generator
