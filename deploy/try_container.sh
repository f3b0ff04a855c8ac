#!/usr/bin/env bash
# Build the image and let it answer, on a machine that has no container daemon and reaches no registry:
# buildah without isolation, on a stand-in for the base image made from the Debian mirror that apt uses.
# Run as root on Debian or Ubuntu, from anywhere; options for `buildah bud` may follow, such as a folder to mount:
#
#     deploy/try_container.sh [-v /folder/of/wheels:/folder/of/wheels:ro]
set -euo pipefail
cd "$(dirname "$0")/.."
export STORAGE_DRIVER=vfs BUILDAH_ISOLATION=chroot

base=$(awk '/^FROM/ {print $2; exit}' Dockerfile)
work=$(mktemp -d)
port=5123
container=''
server=''
finish() {
    [ -z "$server" ] || kill "$server" 2>/dev/null || true
    [ -z "$container" ] || buildah rm "$container" >/dev/null
    rm -rf "$work"
}
trap finish EXIT

if ! command -v buildah >/dev/null || ! command -v debootstrap >/dev/null; then
    apt-get update -qq
    apt-get install -y -qq --no-install-recommends buildah debootstrap >/dev/null
fi

if ! buildah images -q "docker.io/library/$base" >/dev/null 2>&1; then
    mirror=$(apt-cache policy | awk '$3 == "bookworm/main" && !found {print $2; found=1}')
    debootstrap --variant=minbase --include=python3-minimal,python3-venv,python3-pip,ca-certificates \
        bookworm "$work/rootfs" "${mirror:-http://deb.debian.org/debian}" >&2
    tar -C "$work/rootfs" -cf "$work/rootfs.tar" .
    rm -rf "$work/rootfs"
    printf 'FROM scratch\nADD rootfs.tar /\n' >"$work/Dockerfile"
    buildah bud -q -t "docker.io/library/$base" "$work" >/dev/null
    rm "$work/rootfs.tar"
fi

# pip inside reaches its index the way pip outside does
mounts=(-v /etc/ssl/certs:/etc/ssl/certs:ro)
for file in /etc/pip.conf "$HOME/.config/pip/pip.conf" "$HOME/.pip/pip.conf"; do
    [ ! -f "$file" ] || mounts+=(-v "$file:$file:ro")
done
buildah bud -q --pull-never --format docker "${mounts[@]}" "$@" -t digitrec . >/dev/null

container=$(buildah from --pull-never digitrec)
root=$(buildah mount "$container")
echo "image: $(buildah images --format '{{.Size}}' digitrec), of which the base $(buildah images --format '{{.Size}}' "$base")"
echo "added: $(du -sm "$root/opt/venv" | cut -f1) MB"
buildah umount "$container" >/dev/null

PORT=$port buildah run --env "PORT=$port" "$container" -- digitrec serve --host 0.0.0.0 2>"$work/log" &
server=$!
for _ in $(seq 100); do
    curl -fs "http://127.0.0.1:$port/health" && break
    sleep 0.2
done
echo
curl -fsS -X POST -F file=@samples/photo-pen.jpg "http://127.0.0.1:$port/predict"
echo
buildah run "$container" -- python3 -c 'import os; print("runs as user", os.getuid())'
