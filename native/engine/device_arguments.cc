// SPDX-License-Identifier: Apache-2.0
#include "engine/device_arguments.h"

#include <net/if.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstring>

#include "base/device_text.h"

namespace sluice {
namespace {

class Arguments {
 public:
  void add(const std::string& key, const std::string& value) {
    text_ += (text_.empty() ? "" : ",") + key + "=" + value;
  }
  const std::string& text() const { return text_; }

 private:
  std::string text_;
};

Error missing(const char* key, const std::string& path) {
  return {"ERR_INTERFACE", path + ": " + std::strerror(errno), key};
}

std::string directory_of(const std::string& path) {
  const size_t slash = path.rfind('/');
  return slash == std::string::npos ? "." : slash == 0 ? "/" : path.substr(0, slash);
}

Status check_client_socket(const std::string& path) {
  struct stat status {};
  if (stat(path.c_str(), &status) != 0) return missing("socket", path);
  return {};
}

Result<DeviceArguments> vhost_user(const InterfaceRequest& request) {
  Arguments arguments;
  const std::string socket = request.parameter("socket");
  const bool server = request.parameter("role", "server") == "server";
  // A client may come before its server: the driver keeps trying.
  if (server) {
    if (Status wrong = check_server_socket(socket)) return *wrong;
    unlink(socket.c_str());  // left behind by a dead process: it would refuse the bind
  }
  arguments.add("iface", socket);
  arguments.add("queues", std::to_string(request.queues));
  arguments.add("client", server ? "0" : "1");
  return DeviceArguments{"net_vhost", arguments.text()};
}

// The client only: as a server, the driver's probe waits for its peer, and the control thread with
// it.
Result<DeviceArguments> virtio_user(const InterfaceRequest& request) {
  Arguments arguments;
  const std::string socket = request.parameter("socket");
  if (Status wrong = check_client_socket(socket)) return *wrong;
  arguments.add("path", socket);
  arguments.add("queues", std::to_string(request.queues));
  arguments.add("queue_size", "1024");
  if (request.has_mac) arguments.add("mac", format_mac(request.mac));
  return DeviceArguments{"net_virtio_user", arguments.text()};
}

Result<DeviceArguments> tap(const InterfaceRequest& request) {
  if (access("/dev/net/tun", R_OK | W_OK) != 0) {
    return Error{errno == EACCES ? "ERR_PERMISSION" : "ERR_INTERFACE",
                 std::string("/dev/net/tun: ") + std::strerror(errno), "kind"};
  }
  Arguments arguments;
  // The kernel's end gets a MAC of its own, made by the driver: ours is the other end's.
  arguments.add("iface", request.parameter("device", request.name));
  return DeviceArguments{"net_tap", arguments.text()};
}

// The driver cuts what is longer than its slots of 2,048 bytes, and says nothing: what a kernel
// hands over before it is segmented (TSO over a veth pair) comes in short of its own length and
// parse drops it. The sender has to be told not to (ethtool -K DEVICE tso off gso off). Nor does
// the driver tell that a checksum is unfinished; parse sees that by itself
// (`checksums=unfinished`). Others need neither: vhost-user finishes checksums itself and offers no
// segmentation, virtio-user and tap ask their peer for neither.
Result<DeviceArguments> af_packet(const InterfaceRequest& request) {
  Arguments arguments;
  const std::string device = request.parameter("device", request.name);
  if (if_nametoindex(device.c_str()) == 0) {
    return Error{"ERR_INTERFACE", "there is no network device " + device, "device"};
  }
  arguments.add("iface", device);
  arguments.add("qpairs", std::to_string(request.queues));
  return DeviceArguments{"net_af_packet", arguments.text()};
}

Result<DeviceArguments> pcap(const InterfaceRequest& request) {
  Arguments arguments;
  const std::string rx = request.parameter("rx");
  const std::string tx = request.parameter("tx");
  if (!rx.empty()) {
    if (access(rx.c_str(), R_OK) != 0) return missing("rx", rx);
    arguments.add("rx_pcap", rx);
  }
  if (!tx.empty()) {
    if (access(directory_of(tx).c_str(), W_OK | X_OK) != 0) return missing("tx", directory_of(tx));
    arguments.add("tx_pcap", tx);
  }
  return DeviceArguments{"net_pcap", arguments.text()};
}

}  // namespace

// Drivers cut what is too long, and meet somewhere else.
Status check_socket_path(const InterfaceRequest& request) {
  const std::string socket = request.parameter("socket");
  if (socket.empty()) {
    return Error{"ERR_INTERFACE", request.kind + " needs a socket", "socket"};
  }
  if (socket.size() >= sizeof(sockaddr_un::sun_path)) {
    return Error{"ERR_INTERFACE", socket + " is longer than a socket's path may be", "socket"};
  }
  return {};
}

Result<DeviceArguments> device_arguments(const InterfaceRequest& request) {
  std::map<std::string, std::string> values = request.parameters;
  values.emplace("name", request.name);  // names a device where no parameter does
  for (const auto& [key, value] : values) {
    // DPDK's own separators: a value with one of them would be read as something else.
    if (value.find_first_of(",=[]()\"' \t\n") != std::string::npos) {
      return Error{"ERR_INTERFACE", "\"" + value + "\" holds a character that DPDK reserves", key};
    }
  }
  if (request.kind == "vhost-user" || request.kind == "virtio-user") {
    if (Status wrong = check_socket_path(request)) return *wrong;
  }
  if (request.kind == "vhost-user") return vhost_user(request);
  if (request.kind == "virtio-user") return virtio_user(request);
  if (request.kind == "tap") return tap(request);
  if (request.kind == "af_packet") return af_packet(request);
  if (request.kind == "pcap") return pcap(request);
  return Error{"ERR_INTERFACE_KIND", "the native engine has no interfaces of kind " + request.kind,
               "kind"};
}

Status check_server_socket(const std::string& path) {
  if (access(directory_of(path).c_str(), W_OK | X_OK) != 0) {
    return missing("socket", directory_of(path));
  }
  struct stat status {};
  if (stat(path.c_str(), &status) != 0) return {};
  if (!S_ISSOCK(status.st_mode)) {
    return Error{"ERR_INTERFACE", path + " exists and is not a socket", "socket"};
  }
  if (is_listening(path)) {
    return Error{"ERR_INTERFACE", path + " is in use by another process", "socket"};
  }
  return {};
}

}  // namespace sluice
