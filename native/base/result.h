// SPDX-License-Identifier: Apache-2.0
// The core does not throw: what can fail returns an Error (empty: fine) or a Result.
#pragma once

#include <optional>
#include <string>
#include <utility>
#include <variant>

namespace sluice {

struct Error {
  std::string code;  // of lib/errors.ts, e.g. "ERR_PROGRAM"
  std::string message;
  std::string path;  // the column, field or option to blame; may be empty
};

using Status = std::optional<Error>;  // empty: success

template <typename T>
class Result {
 public:
  Result(T value) : value_(std::move(value)) {}
  Result(Error error) : value_(std::move(error)) {}
  bool ok() const { return std::holds_alternative<T>(value_); }
  T& value() { return std::get<T>(value_); }
  const T& value() const { return std::get<T>(value_); }
  const Error& error() const { return std::get<Error>(value_); }

 private:
  std::variant<T, Error> value_;
};

}  // namespace sluice
