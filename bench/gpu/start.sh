#!/usr/bin/env bash
# On a bare, offline x86-64 Linux machine with an NVIDIA GPU, in a clone with the folder .gpu/ that pack.sh made:
# unpacks Node, the npm packages and the Vulkan loader, looks for the GPU's driver, and runs bench/gpu/run.ts with the
# arguments given, or bench/gpu.ts after the word `bench`.
#
#     bench/gpu/start.sh --out FOLDER [--deadline 570]
#     bench/gpu/start.sh bench --json FILE
#
# As root, it unpacks the Vulkan loader's packages into /; python3 does where xz is missing. Nothing else outside this
# clone and /tmp changes.
set -uo pipefail
cd "$(dirname "$0")/../.." || exit 1

tools=/tmp/deghost-node
mkdir -p "$tools"
unpack() {
  python3 - "$tools" <<'P' || { xz -dc .gpu/node.xz >"$tools/node" && tar xJf .gpu/modules.tar.xz; }
import lzma, os, shutil, sys, tarfile
with lzma.open(".gpu/node.xz") as packed, open(os.path.join(sys.argv[1], "node"), "wb") as node:
    shutil.copyfileobj(packed, node, 1 << 20)
if not os.path.isdir("node_modules/webgpu"):
    tarfile.open(".gpu/modules.tar.xz").extractall(".")
P
  chmod +x "$tools/node"
}
[ -x "$tools/node" ] && [ -d node_modules/webgpu ] || unpack
export PATH=$tools:$PATH
for package in .gpu/loader/*.deb; do dpkg -x "$package" /; done
ldconfig
nproc
grep -m1 'model name' /proc/cpuinfo
nvidia-smi --query-gpu=name,driver_version,memory.total,clocks.sm,clocks.max.sm,power.limit --format=csv || true

# Whether deghost finds the adapter that is asked for.
finds() { node bench/gpu/peaks.ts --tiny --adapter "${DEGHOST_ADAPTER:-gpu}" >/dev/null 2>&1; }
# Containers have the driver's libraries, and often not its manifest where the loader looks for it; without a display
# they may lack libraries of X.
if ! finds; then
  manifest=$(find /usr/local/nvidia /usr/share/vulkan /etc/vulkan -name 'nvidia*icd*.json' 2>/dev/null | head -1)
  export VK_DRIVER_FILES=$manifest
  vendor=$(find /usr/local/nvidia /usr/share/glvnd /etc/glvnd -name '*nvidia*.json' 2>/dev/null | head -1)
  [ -n "$vendor" ] && export __EGL_VENDOR_LIBRARY_FILENAMES=$vendor
  echo "no adapter yet: trying VK_DRIVER_FILES=$manifest"
  if ! finds; then
    mkdir -p /tmp/deghost-x11
    for package in .gpu/x11/*.deb; do dpkg -x "$package" /tmp/deghost-x11; done
    added=/tmp/deghost-x11/usr/lib/x86_64-linux-gnu:/usr/local/nvidia/lib64
    export LD_LIBRARY_PATH=${LD_LIBRARY_PATH:+$LD_LIBRARY_PATH:}$added
    echo "no adapter yet: trying LD_LIBRARY_PATH=$LD_LIBRARY_PATH"
    if ! finds; then
      echo 'no adapter; the Vulkan loader says:'
      VK_LOADER_DEBUG=error,warn,driver node bench/gpu/cli.ts info 2>&1 | tail -40
    fi
  fi
fi
if [ "${1:-}" = bench ]; then
  shift
  exec node bench/gpu.ts "$@"
fi
exec node bench/gpu/run.ts --adapter "${DEGHOST_ADAPTER:-gpu}" "$@"
