// SPDX-License-Identifier: Apache-2.0
#include "engine/netlink_batch.h"

#include <arpa/inet.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netlink.h>
#include <sys/socket.h>

#include <cerrno>
#include <cstddef>

namespace sluice {

NetlinkBatch::NetlinkBatch(uint8_t family) : family_(family) {
  begin(NFNL_MSG_BATCH_BEGIN, 0, AF_UNSPEC, NFNL_SUBSYS_NFTABLES);
}

void NetlinkBatch::begin(uint16_t type, uint16_t flags, uint8_t family, uint16_t resource) {
  end();
  start_ = data_.size();
  const nlmsghdr header{0, type, static_cast<uint16_t>(NLM_F_REQUEST | flags), sequence_++, 0};
  const nfgenmsg general{family, NFNETLINK_V0, htons(resource)};
  data_.resize(start_ + sizeof(header) + sizeof(general));
  std::memcpy(&data_[start_], &header, sizeof(header));
  std::memcpy(&data_[start_ + sizeof(header)], &general, sizeof(general));
}

void NetlinkBatch::end() {
  if (data_.empty()) return;
  const auto length = static_cast<uint32_t>(data_.size() - start_);
  std::memcpy(&data_[start_ + offsetof(nlmsghdr, nlmsg_len)], &length, sizeof(length));
}

void NetlinkBatch::message(uint16_t type, uint16_t flags) {
  awaited_++;
  begin(static_cast<uint16_t>(NFNL_SUBSYS_NFTABLES << 8 | type),
        static_cast<uint16_t>(flags | NLM_F_ACK), family_, 0);
}

void NetlinkBatch::bytes(uint16_t attribute, const void* data, size_t size) {
  const nlattr header{static_cast<uint16_t>(sizeof(nlattr) + size), attribute};
  const size_t at = data_.size();
  data_.resize(at + sizeof(header) + size);
  std::memcpy(&data_[at], &header, sizeof(header));
  std::memcpy(&data_[at + sizeof(header)], data, size);
  pad();
}

void NetlinkBatch::text(uint16_t attribute, std::string_view value) {
  std::vector<char> terminated(value.begin(), value.end());
  terminated.push_back('\0');
  bytes(attribute, terminated.data(), terminated.size());
}

void NetlinkBatch::number(uint16_t attribute, uint32_t value) {
  const uint32_t ordered = htonl(value);
  bytes(attribute, &ordered, sizeof(ordered));
}

void NetlinkBatch::nested(uint16_t attribute, const std::function<void()>& fill) {
  const size_t at = data_.size();
  data_.resize(at + sizeof(nlattr));
  fill();
  const nlattr header{static_cast<uint16_t>(data_.size() - at),
                      static_cast<uint16_t>(attribute | NLA_F_NESTED)};
  std::memcpy(&data_[at], &header, sizeof(header));
}

int NetlinkBatch::send(int socket) {
  begin(NFNL_MSG_BATCH_END, 0, AF_UNSPEC, NFNL_SUBSYS_NFTABLES);
  end();
  if (::send(socket, data_.data(), data_.size(), 0) < 0) return errno;
  int wrong = 0;
  alignas(nlmsghdr) char buffer[8192];
  while (awaited_ > 0) {
    const ssize_t got = recv(socket, buffer, sizeof(buffer), 0);
    if (got < 0) return wrong != 0 ? wrong : errno;
    auto left = static_cast<uint32_t>(got);
    for (auto* header = reinterpret_cast<nlmsghdr*>(buffer); NLMSG_OK(header, left);
         header = NLMSG_NEXT(header, left)) {
      if (header->nlmsg_type != NLMSG_ERROR) continue;
      const int error = static_cast<const nlmsgerr*>(NLMSG_DATA(header))->error;
      if (error != 0 && wrong == 0) wrong = -error;
      awaited_ -= awaited_ > 0;
    }
  }
  return wrong;
}

}  // namespace sluice
