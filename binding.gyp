{
  # The install build. The developer's build of the same sources is CMakeLists.txt.
  'targets': [{
    'target_name': 'sluice',
    'sources': ['<!@(node deploy/setup/sources.js)'],
    'include_dirs': ['native', '<!(node -p "require(\'node-addon-api\').include_dir")'],
    'defines': ['NAPI_VERSION=9', 'NODE_ADDON_API_CPP_EXCEPTIONS', 'NODE_ADDON_API_CPP_EXCEPTIONS_ALL',
      'NODE_API_SWALLOW_UNTHROWABLE_EXCEPTIONS'],
    'cflags!': ['-fno-exceptions'],
    'cflags_cc!': ['-fno-exceptions', '-std=gnu++17', '-std=gnu++20'],
    'cflags': ['<!@(node deploy/setup/dpdk-flags.js cflags)', '-fvisibility=hidden'],
    'cflags_cc': ['-std=c++20', '-O3', '-Wall', '-Wextra', '-Werror',
      # GCC 12 sees overlapping copies in std::string operator+ that are not there (GCC bug 105651).
      '-Wno-restrict'],
    # The control thread, DPDK and its workers outlive a worker_thread that loaded them.
    'ldflags': ['-Wl,-z,nodelete', '<!@(pkg-config --libs-only-L libdpdk)', '-Wl,--as-needed'],
    'libraries': ['<!@(pkg-config --libs libdpdk)'],
  }],
}
