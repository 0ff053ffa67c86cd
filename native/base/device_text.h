// SPDX-License-Identifier: Apache-2.0
// What the arguments of a virtual device are made of and checked by.
#pragma once

#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <cstdio>
#include <string>

namespace sluice {

// Whether somebody accepts connections there. memif speaks SEQPACKET, vhost-user STREAM; asked with
// the wrong one, a live listener answers EPROTOTYPE, and notices nothing.
inline bool is_listening(const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  path.copy(address.sun_path, sizeof(address.sun_path) - 1);
  const int probe = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  if (probe < 0) return false;
  const int connected = connect(probe, reinterpret_cast<sockaddr*>(&address), sizeof(address));
  const bool listening = connected == 0 || errno == EPROTOTYPE;
  close(probe);
  return listening;
}

inline std::string format_mac(const uint8_t mac[6]) {
  char text[18];
  std::snprintf(text, sizeof(text), "%02x:%02x:%02x:%02x:%02x:%02x", mac[0], mac[1], mac[2], mac[3],
                mac[4], mac[5]);
  return text;
}

}  // namespace sluice
