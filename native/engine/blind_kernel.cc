// SPDX-License-Identifier: Apache-2.0
#include "engine/blind_kernel.h"

#include <arpa/inet.h>
#include <linux/if_ether.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netlink.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "engine/netlink_batch.h"

namespace sluice {
namespace {

constexpr const char* kChain = "ingress";
constexpr uint16_t kMake = NLM_F_CREATE | NLM_F_EXCL;
// Before whatever else hangs on the device.
constexpr int32_t kPriority = -500;

// Bytes of a packet, from its network header on, and what they have to be.
struct Match {
  uint32_t offset;
  uint32_t size;
  uint16_t value;
};
constexpr Match kArpReply{6, 2, 2};
constexpr Match kIcmpv6{6, 1, IPPROTO_ICMPV6};
constexpr Match kAdvertisement{40, 1, 136};

class Writer {
 public:
  explicit Writer(const std::string& device)
      : batch_(NFPROTO_NETDEV), device_(device), table_("sluice-" + device) {}

  int write(int socket) {
    make_table();
    make_chain();
    accept(ETH_P_ARP, {kArpReply});
    accept(ETH_P_IPV6, {kIcmpv6, kAdvertisement});
    return batch_.send(socket);
  }

 private:
  void make_table() {
    batch_.message(NFT_MSG_NEWTABLE, kMake);
    batch_.text(NFTA_TABLE_NAME, table_);
    batch_.number(NFTA_TABLE_FLAGS, NFT_TABLE_F_OWNER);
  }

  void make_chain() {
    batch_.message(NFT_MSG_NEWCHAIN, kMake);
    batch_.text(NFTA_CHAIN_TABLE, table_);
    batch_.text(NFTA_CHAIN_NAME, kChain);
    batch_.nested(NFTA_CHAIN_HOOK, [&] {
      batch_.number(NFTA_HOOK_HOOKNUM, NF_NETDEV_INGRESS);
      batch_.number(NFTA_HOOK_PRIORITY, static_cast<uint32_t>(kPriority));
      batch_.text(NFTA_HOOK_DEV, device_);
    });
    batch_.number(NFTA_CHAIN_POLICY, NF_DROP);
    batch_.text(NFTA_CHAIN_TYPE, "filter");
  }

  void accept(uint16_t ether_type, std::initializer_list<Match> matches) {
    batch_.message(NFT_MSG_NEWRULE, kMake | NLM_F_APPEND);
    batch_.text(NFTA_RULE_TABLE, table_);
    batch_.text(NFTA_RULE_CHAIN, kChain);
    batch_.nested(NFTA_RULE_EXPRESSIONS, [&] {
      expression("meta", [&] {
        batch_.number(NFTA_META_DREG, NFT_REG_1);
        batch_.number(NFTA_META_KEY, NFT_META_PROTOCOL);
      });
      compare(ether_type, sizeof(ether_type));
      for (const Match& match : matches) {
        expression("payload", [&] {
          batch_.number(NFTA_PAYLOAD_DREG, NFT_REG_1);
          batch_.number(NFTA_PAYLOAD_BASE, NFT_PAYLOAD_NETWORK_HEADER);
          batch_.number(NFTA_PAYLOAD_OFFSET, match.offset);
          batch_.number(NFTA_PAYLOAD_LEN, match.size);
        });
        compare(match.value, match.size);
      }
      expression("immediate", [&] {
        batch_.number(NFTA_IMMEDIATE_DREG, NFT_REG_VERDICT);
        batch_.nested(NFTA_IMMEDIATE_DATA, [&] {
          batch_.nested(NFTA_DATA_VERDICT, [&] { batch_.number(NFTA_VERDICT_CODE, NF_ACCEPT); });
        });
      });
    });
  }

  // The register with a number of one or two bytes in network order.
  void compare(uint16_t value, uint32_t size) {
    expression("cmp", [&] {
      batch_.number(NFTA_CMP_SREG, NFT_REG_1);
      batch_.number(NFTA_CMP_OP, NFT_CMP_EQ);
      batch_.nested(NFTA_CMP_DATA, [&] {
        const uint16_t ordered = htons(value);
        const auto* last = reinterpret_cast<const uint8_t*>(&ordered) + sizeof(ordered) - size;
        batch_.bytes(NFTA_DATA_VALUE, last, size);
      });
    });
  }

  void expression(const char* name, const std::function<void()>& fill) {
    batch_.nested(NFTA_LIST_ELEM, [&] {
      batch_.text(NFTA_EXPR_NAME, name);
      batch_.nested(NFTA_EXPR_DATA, fill);
    });
  }

  NetlinkBatch batch_;
  const std::string& device_;
  std::string table_;
};

Error error_of(int number, const std::string& device) {
  const std::string reason = std::strerror(number);
  switch (number) {
    case EPERM:
    case EACCES:
      return {"ERR_PERMISSION",
              "the kernel cannot be kept from " + device + ": " + reason +
                  "; it takes CAP_NET_ADMIN, and no other process that does the same",
              "kernel"};
    case EEXIST:
      return {"ERR_INTERFACE", "another process keeps the kernel from " + device + " already",
              "kernel"};
    case EPROTONOSUPPORT:
    case EOPNOTSUPP:
    case ENOENT:
      return {
          "ERR_INTERFACE",
          "the kernel has no nf_tables of the family netdev (CONFIG_NF_TABLES_NETDEV): " + reason,
          "kernel"};
    default:
      return {"ERR_INTERFACE", "the kernel cannot be kept from " + device + ": " + reason,
              "kernel"};
  }
}

}  // namespace

Result<std::unique_ptr<BlindKernel>> BlindKernel::to(const std::string& device) {
  const int netlink = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_NETFILTER);
  if (netlink < 0) return error_of(errno, device);
  std::unique_ptr<BlindKernel> made(new BlindKernel(netlink));
  // It answers at once; if it should not, better an error than a control thread that hangs.
  const timeval patience{.tv_sec = 2, .tv_usec = 0};
  setsockopt(netlink, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
  if (const int wrong = Writer(device).write(netlink)) return error_of(wrong, device);
  return made;
}

BlindKernel::~BlindKernel() { close(socket_); }

}  // namespace sluice
