// SPDX-License-Identifier: Apache-2.0
#include "generator/fragments.h"

#include "packet/headers.h"
#include "packet/ip.h"

namespace sluice::generator {
namespace {

constexpr uint32_t kFragmentUnit = 8;
constexpr uint32_t kIdentifications = 1 << 16;
constexpr uint32_t kCheckedOneIn = 16;

uint16_t data_offset(const Layout& layout) {
  return static_cast<uint16_t>(layout.l4 + (layout.ipv4 ? 0 : sizeof(FragmentHeader)));
}

}  // namespace

Cut::Cut(const Traffic& traffic) : bytes_(traffic.run.bytes) {
  const Layout layout(traffic.population.family, traffic.population.protocol);
  const uint32_t headers = data_offset(layout) - kEthernetBytes;
  each_ = (traffic.run.mtu - headers) / kFragmentUnit * kFragmentUnit;
  count_ = static_cast<uint16_t>((bytes_ + each_ - 1) / each_);
}

FragmentMaker::FragmentMaker(const Traffic& traffic)
    : cut_(traffic),
      layout_(traffic.population.family, traffic.population.protocol),
      flows_(traffic.population),
      data_(data_offset(layout_)) {
  // A whole datagram's frame, from which the headers and the sum are taken.
  FrameKind kind = frame_kind(traffic, Direction::query);
  kind.payload = static_cast<uint16_t>(cut_.bytes() - sizeof(UdpHeader));
  const FrameTemplate whole(kind);
  std::vector<uint8_t> frame(layout_.l4 + cut_.bytes() + kBytes);
  for (size_t at = 0; at < frame.size(); ++at) frame[at] = pattern_at(at);
  whole.write(frame.data(), {}, {}, 0, 0);
  udp_sum_ = static_cast<uint16_t>(~header_at<UdpHeader>(frame.data(), layout_.l4)->checksum.raw);
  for (size_t at = 0; at < kBytes; ++at) bytes_[at] = pattern_at(at);
  std::memcpy(bytes_, frame.data(), layout_.l4);
  if (layout_.ipv4) return;
  ip_header<Ipv6>(bytes_)->next_header = kProtocolFragment;
  *header_at<FragmentHeader>(bytes_, layout_.l4) = {kProtocolUdp, 0, {}, {}};
}

void FragmentMaker::make(rte_mbuf* const* mbufs, uint32_t flow) {
  ++identification_;
  for (uint16_t fragment = 0; fragment < cut_.count(); ++fragment) {
    auto* frame = rte_pktmbuf_mtod(mbufs[fragment], uint8_t*);
    std::memcpy(frame, bytes_, kBytes);
    write_ip(frame, flow, fragment);
    if (fragment == 0) write_udp(frame, flow);
    const auto length = static_cast<uint16_t>(data_ + cut_.length(fragment));
    mbufs[fragment]->data_len = length;
    mbufs[fragment]->pkt_len = length;
  }
}

void FragmentMaker::write_ip(uint8_t* frame, uint32_t flow, uint16_t fragment) const {
  const auto length = static_cast<uint16_t>(cut_.length(fragment));
  const uint32_t offset = cut_.offset(fragment);
  const bool more = fragment + 1 < cut_.count();
  const be32 from = be32::from_host(flows_.client(flow).address);
  const be32 to = be32::from_host(flows_.service(flow).address);
  std::memcpy(frame + layout_.source, &from, sizeof(from));
  std::memcpy(frame + layout_.destination, &to, sizeof(to));
  if (layout_.ipv4) {
    auto& ip = *ip_header<Ipv4>(frame);
    ip.total_length = be16::from_host(static_cast<uint16_t>(layout_.ip_bytes + length));
    ip.identification = be16::from_host(static_cast<uint16_t>(identification_));
    ip.flags_fragment = be16::from_host(
        static_cast<uint16_t>(offset / kFragmentUnit | (more ? kIpv4MoreFragments : 0)));
    ip.checksum = {};
    ip.checksum = full_checksum(frame + kEthernetBytes, layout_.ip_bytes);
  } else {
    ip_header<Ipv6>(frame)->payload_length =
        be16::from_host(static_cast<uint16_t>(sizeof(FragmentHeader) + length));
    auto& header = *header_at<FragmentHeader>(frame, layout_.l4);
    header.offset_flags = be16::from_host(static_cast<uint16_t>(offset | more));
    header.identification = be32::from_host(identification_);
  }
}

void FragmentMaker::write_udp(uint8_t* frame, uint32_t flow) const {
  const Endpoint client = flows_.client(flow), service = flows_.service(flow);
  auto& udp = *header_at<UdpHeader>(frame, data_);
  udp.source_port = be16::from_host(client.port);
  udp.destination_port = be16::from_host(service.port);
  udp.length = be16::from_host(static_cast<uint16_t>(cut_.bytes()));
  const Tag tag{magic_of(Direction::query), flow, 0};
  std::memcpy(frame + data_ + sizeof(UdpHeader), &tag, sizeof(tag));
  const uint64_t sum = udp_sum_ + be32::from_host(client.address).raw +
                       be32::from_host(service.address).raw + udp.source_port.raw +
                       udp.destination_port.raw + flow;
  const uint16_t folded = fold_words(sum);
  udp.checksum = {folded == 0xffff ? folded : static_cast<uint16_t>(~folded)};
}

FragmentCounter::FragmentCounter(const Rig& rig)
    : proxy_(rig.traffic.proxy),
      cut_(rig.traffic),
      layout_(rig.checker.reader().layout()),
      data_(data_offset(layout_)),
      checker_(rig.checker),
      bytes_(kIdentifications),
      datagram_(layout_.l4 + cut_.bytes()) {}

bool FragmentCounter::read(const uint8_t* frame, uint32_t length, Fragment& fragment) const {
  if (length < data_) return false;
  const uint16_t type = header_at<EthernetHeader>(frame, 0)->type.host();
  uint32_t end;
  if (layout_.ipv4) {
    const auto& ip = *ip_header<Ipv4>(frame);
    if (type != kEtherTypeIpv4 || ip.version_ihl != 0x45 || ip.protocol != kProtocolUdp) {
      return false;
    }
    fragment.identification = ip.identification.host();
    fragment.offset = (ip.flags_fragment.host() & kIpv4OffsetMask) * kFragmentUnit;
    end = kEthernetBytes + ip.total_length.host();
  } else {
    const auto& ip = *ip_header<Ipv6>(frame);
    const auto& header = *header_at<FragmentHeader>(frame, layout_.l4);
    if (type != kEtherTypeIpv6 || ip.next_header != kProtocolFragment) return false;
    fragment.identification = header.identification.host();
    fragment.offset = header.offset_flags.host() & ~(kFragmentUnit - 1);
    end = uint32_t{layout_.l4} + ip.payload_length.host();
  }
  if (end < data_ || end > length || fragment.offset + end - data_ > cut_.bytes()) return false;
  fragment.length = end - data_;
  fragment.data = frame + data_;
  return true;
}

void FragmentCounter::count(const rte_mbuf& mbuf) {
  const auto* frame = rte_pktmbuf_mtod(&mbuf, const uint8_t*);
  Fragment fragment;
  if (!read(frame, mbuf.data_len, fragment)) return;
  // They come in the order in which they were sent: the first one begins an identification anew.
  uint32_t& bytes = bytes_[fragment.identification % kIdentifications];
  bytes = fragment.offset == 0 ? fragment.length : bytes + fragment.length;
  if (bytes == cut_.bytes()) ++whole_;
  if (fragment.offset == 0 && fragment.identification % kCheckedOneIn == 0) {
    begin(frame, fragment);
  } else if (collected_ > 0 && fragment.identification == collecting_) {
    collect(frame, fragment);
  }
}

void FragmentCounter::begin(const uint8_t* frame, const Fragment& first) {
  std::memcpy(datagram_.data(), frame, layout_.l4);
  if (layout_.ipv4) {
    auto& ip = *ip_header<Ipv4>(datagram_.data());
    const Ipv4Header before = ip;
    ip.total_length = be16::from_host(static_cast<uint16_t>(layout_.ip_bytes + cut_.bytes()));
    ip.flags_fragment = {};
    // Not anew: it is to be wrong if it was.
    ip.checksum =
        update_checksum(ip.checksum, checksum_delta(before.total_length, ip.total_length) +
                                         checksum_delta(before.flags_fragment, ip.flags_fragment));
  } else {
    auto& ip = *ip_header<Ipv6>(datagram_.data());
    ip.payload_length = be16::from_host(static_cast<uint16_t>(cut_.bytes()));
    ip.next_header = kProtocolUdp;
  }
  std::memcpy(datagram_.data() + layout_.l4, first.data, first.length);
  collecting_ = first.identification;
  collected_ = first.length;
}

void FragmentCounter::collect(const uint8_t* frame, const Fragment& fragment) {
  const size_t addresses = layout_.ipv4 ? 2 * sizeof(be32) : 2 * sizeof(Address);
  const size_t at = layout_.l4 - addresses;
  const bool right =
      !layout_.ipv4 || fold(checksum_sum(frame + kEthernetBytes, layout_.ip_bytes)) == 0xffff;
  if (proxy_ && (!right || std::memcmp(frame + at, datagram_.data() + at, addresses) != 0)) {
    collected_ = 0;
    return checker_.reject();
  }
  std::memcpy(datagram_.data() + layout_.l4 + fragment.offset, fragment.data, fragment.length);
  collected_ += fragment.length;
  if (collected_ < cut_.bytes()) return;
  checker_.check(datagram_.data(), static_cast<uint32_t>(datagram_.size()), Direction::query);
  collected_ = 0;
}

}  // namespace sluice::generator
