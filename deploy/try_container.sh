#!/usr/bin/env bash
# Build the image and let it answer, on a machine that has no container daemon and reaches no registry:
# buildah without isolation, on a stand-in for the base image made from the Debian mirror that apt uses.
# Run as root on Debian or Ubuntu, from anywhere; options for `buildah bud` may follow, such as a folder to mount:
#
#     deploy/try_container.sh [-v /folder/of/wheels:/folder/of/wheels:ro]
set -euo pipefail
cd "$(dirname "$0")/.."
export STORAGE_DRIVER=vfs BUILDAH_ISOLATION=chroot

pinned=$(awk '/^FROM/ {print $2; exit}' Dockerfile)
base=${pinned%@*} # the stand-in has the name, and cannot have the digest
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
sed "s|$pinned|$base|" Dockerfile >"$work/Dockerfile"
buildah bud -q --pull-never -f "$work/Dockerfile" --format docker "${mounts[@]}" "$@" -t digitrec . >/dev/null

container=$(buildah from --pull-never digitrec)
root=$(buildah mount "$container")
echo "image: $(buildah images --format '{{.Size}}' digitrec), of which the base $(buildah images --format '{{.Size}}' "$base")"
echo "added: $(du -sm "$root/opt/venv" | cut -f1) MB"
# The image's own entry point, command, user and variables, under a root that nobody can write to.
mapfile -t run < <(buildah inspect --format '{{range .OCIv1.Config.Entrypoint}}{{println .}}{{end}}{{range .OCIv1.Config.Cmd}}{{println .}}{{end}}' "$container" | sed '/^$/d')
mapfile -t variables < <(buildah inspect --format '{{range .OCIv1.Config.Env}}{{println .}}{{end}}' "$container" | sed '/^$/d')
user=$(buildah inspect --format '{{.OCIv1.Config.User}}' "$container")
root=$(buildah mount "$container")
inside() { # a command in the container; it ends with the shell that unshare makes
    unshare --mount --kill-child bash -c 'mount --bind "$1" "$1" && mount -o remount,bind,ro "$1" &&
        mount -t proc proc "$1/proc" && shift 1 && exec chroot --userspec="$1" "$0" "${@:2}"' \
        "$root" "$root" "$user" env -i "${variables[@]}" "PORT=$port" "$@"
}
echo "runs: ${run[*]}, as $user"
inside "${run[@]}" 2>"$work/log" &
server=$!
for _ in $(seq 100); do
    curl -fs "http://127.0.0.1:$port/health" && break
    sleep 0.2
done
echo
curl -fsS -X POST -F file=@samples/photo-pen.jpg "http://127.0.0.1:$port/predict"
echo
inside python3 /opt/healthcheck.py && echo "healthy"
inside python3 -c 'import os; print("runs as user", os.getuid())'
! inside touch /tmp/written 2>/dev/null && echo "cannot write"
