#!/usr/bin/env bash
# Makes the folder in which `npm run isa` compiles: a Debian sid with Mesa's drivers, stub devices for them
# (mesa-drm-shim), a Vulkan loader and Node. Once; 2 to 5 minutes, 1 GB. As root, on x86-64 Debian or Ubuntu.
# Each time, the Vulkan layer that reads what the compilers say (stats.c), in LAYER: a folder for each version of the
# layer, so that several clones can use one lab at once.
#
#     bench/isa/setup.sh FOLDER LAYER
set -euo pipefail
folder=${1:?usage: setup.sh FOLDER LAYER}
layer=$folder/${2:?usage: setup.sh FOLDER LAYER}
here=$(cd "$(dirname "$0")" && pwd)

if ! { command -v debootstrap && command -v gcc && [ -e /usr/include/vulkan/vk_layer.h ]; } >/dev/null; then
  apt-get update -qq
  packages='debootstrap debian-archive-keyring gcc libc6-dev libvulkan-dev'
  # shellcheck disable=SC2086
  DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $packages >/dev/null
fi

mkdir -p "$folder"
exec 9>"$folder/.lock"
flock 9   # another run may be installing
if [ ! -e "$folder/.ready" ]; then
  # On Debian, the mirror that this machine uses, in either of the formats of apt's sources. Else debootstrap's own.
  mirror=
  if [ "$(. /etc/os-release && echo "$ID")" = debian ]; then
    mirror=$(cat /etc/apt/sources.list.d/*.sources 2>/dev/null | awk '/^URIs:/ {print $2; exit}')
    lines='$1 == "deb" {for (i = 2; i < NF; i++) if ($i ~ /^http/) {print $i; exit}}'
    [ -n "$mirror" ] || mirror=$(awk "$lines" /etc/apt/sources.list)
  fi
  debootstrap --variant=minbase --include=ca-certificates sid "$folder" ${mirror:+"$mirror"} >"$folder.log" ||
    { tail -5 "$folder.log" >&2; exit 1; }
  chroot "$folder" env DEBIAN_FRONTEND=noninteractive \
    apt-get install -y -qq -o Dpkg::Use-Pty=0 --no-install-recommends \
    mesa-vulkan-drivers mesa-drm-shim libvulkan1 nodejs >/dev/null
  mkdir -p "$folder/deghost"
  touch "$folder/.ready"
fi

if [ ! -e "$layer/stats.json" ]; then
  mkdir -p "$layer"
  gcc -std=c11 -Wall -Wextra -shared -fPIC -O1 -o "$layer/libstats.so" "$here/stats.c"
  cp "$here/stats.json" "$layer/"
fi
