// SPDX-License-Identifier: Apache-2.0
// Writes a batch of messages to nf_tables, which take effect together or not at all.
#pragma once

#include <cstdint>
#include <cstring>
#include <functional>
#include <string_view>
#include <vector>

namespace sluice {

class NetlinkBatch {
 public:
  explicit NetlinkBatch(uint8_t family);

  // Begins a message: one of NFT_MSG_*.
  void message(uint16_t type, uint16_t flags);
  // Attributes of the message, or of the one that `nested` is filling.
  void text(uint16_t attribute, std::string_view value);
  void number(uint16_t attribute, uint32_t value);  // in network order
  void bytes(uint16_t attribute, const void* data, size_t size);
  void nested(uint16_t attribute, const std::function<void()>& fill);

  // Ends the batch. 0, or the first error that the kernel has.
  int send(int socket);

 private:
  void begin(uint16_t type, uint16_t flags, uint8_t family, uint16_t resource);
  void end();
  void pad() { data_.resize((data_.size() + 3) & ~size_t{3}); }

  uint8_t family_;
  std::vector<uint8_t> data_;
  size_t start_ = 0;  // of the message
  uint32_t sequence_ = 0;
  uint32_t awaited_ = 0;  // acknowledgements
};

}  // namespace sluice
