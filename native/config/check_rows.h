// SPDX-License-Identifier: Apache-2.0
// What the rules of docs/program.md have in common: how a fault is told, and what an address and a
// prefix are.
#pragma once

#include <string>

#include "config/master.h"

namespace sluice {

inline std::string path_of(const char* column, size_t row) {
  return std::string(column) + "[" + std::to_string(row) + "]";
}
inline Status program_error(const char* column, size_t row, const char* message) {
  return Error{"ERR_PROGRAM", message, path_of(column, row)};
}
inline Status capacity_error(const char* column, size_t row, const char* message) {
  return Error{"ERR_CAPACITY", message, path_of(column, row)};
}

// A column and the width of its rows in elements.
struct ColumnSize {
  const char* name;
  size_t elements;
  size_t width = 1;
};

// The first column that has not as many rows as the table.
inline Status check_sizes(size_t rows, std::initializer_list<ColumnSize> columns) {
  for (const ColumnSize& column : columns) {
    if (column.elements == rows * column.width) continue;
    return Error{"ERR_PROGRAM",
                 "has " + std::to_string(column.elements) + " elements where " +
                     std::to_string(rows * column.width) + " belong to " + std::to_string(rows) +
                     " rows",
                 column.name};
  }
  return {};
}

inline constexpr const char* kNoAddress = "is the unspecified address";
inline constexpr const char* kTwice = "is given twice";
inline constexpr const char* kBeyond = "is beyond the limit";
inline constexpr const char* kUnknownInterface = "names no interface";

inline bool is_address(const Address& address) { return !address.is_zero(); }

inline bool is_length(const Address& address, uint8_t length) {
  return length <= (address.is_ipv4() ? Ipv4::kBits : Ipv6::kBits);
}

// Precondition: is_length.
inline bool has_host_bits(const Address& prefix, uint8_t length) {
  const uint32_t network = length + (prefix.is_ipv4() ? Ipv6::kBits - Ipv4::kBits : 0u);
  const uint32_t whole = network / 8;
  if (whole == sizeof(prefix.bytes)) return false;
  uint32_t rest = prefix.bytes[whole] & (0xffu >> network % 8);
  for (uint32_t i = whole + 1; i < sizeof(prefix.bytes); i++) rest |= prefix.bytes[i];
  return rest != 0;
}

inline Status check_prefix(const char* prefix_column, const char* length_column,
                           const Address& prefix, uint8_t length, size_t row) {
  if (!is_length(prefix, length)) {
    return program_error(length_column, row, "is more than the family has bits");
  }
  if (has_host_bits(prefix, length)) {
    return program_error(prefix_column, row, "has host bits set");
  }
  return {};
}

inline Status check_prefixes(const char* prefix_column, const char* length_column,
                             const PrefixColumns& table) {
  const size_t rows = table.length.size();
  if (auto error = check_sizes(rows, {{prefix_column, table.prefix.size(), 16}})) return error;
  for (size_t row = 0; row < rows; row++) {
    if (auto error = check_prefix(prefix_column, length_column, address_of(table.prefix, row),
                                  table.length[row], row)) {
      return error;
    }
  }
  return {};
}

// The rules of docs/program.md: 1 to 7, 8 to 13, 14 to 16, and the others.
Status check_services(const ProgramDelta& delta, const Master& master);
Status check_routes(const ProgramDelta& delta, const Master& master);
Status check_network(const ProgramDelta& delta, const Master& master);
Status check_policy(const ProgramDelta& delta, const Master& master);

}  // namespace sluice
