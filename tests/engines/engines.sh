# shellcheck shell=bash
# The engines of the matrix: which there are, a root with their packages, and how one is started and ended. To be sourced, with WORK set
# to an empty folder that other users may enter.

ENGINES=(docker-20 docker-26 docker-26-tls docker-26-rootless docker-28 docker-28-containerd podman-4 podman-5 podman-5-rootless)
# The user of rootless engines, in their roots and on this machine: one that owns nothing else.
ROOTLESS=64321
# The process of the engine that is up.
ENGINE=

# The release of Debian that has an engine.
release_of() {
    case $1 in
    docker-20 | podman-4) echo bookworm ;;
    docker-26 | docker-26-tls | docker-26-rootless | podman-5 | podman-5-rootless) echo trixie ;;
    docker-28 | docker-28-containerd) echo sid ;;
    *) echo "unknown engine: $1 (there are: ${ENGINES[*]})" >&2; return 2 ;;
    esac
}

# Unpacks a package that this machine does not have, for this time, and prints where.
unpacked() {
    local tool=$WORK/tools/$1
    if [ ! -d "$tool" ]; then
        mkdir -p "$tool"
        (cd "$tool" && apt-get -qq download "$1" && dpkg-deb -x "$1"_*.deb .) > "$tool.log" 2>&1 || { cat "$tool.log" >&2; return 1; }
    fi
    echo "$tool"
}

# Makes the root of a release, with the packages of all of its engines, unless it is there.
make_root() {
    local root=$WORK/roots/$1 packages=docker.io,containerd,podman,crun,netavark,iptables,iproute2,ca-certificates
    local make=(mmdebstrap) keys=() tool
    [ ! -d "$root" ] || return 0
    [ "$1" != trixie ] || packages+=,rootlesskit,slirp4netns,uidmap
    if ! command -v mmdebstrap > /dev/null; then
        tool=$(unpacked mmdebstrap)
        make=(perl "$tool/usr/bin/mmdebstrap")
    fi
    if [ ! -f /usr/share/keyrings/debian-archive-keyring.gpg ]; then
        tool=$(unpacked debian-archive-keyring)
        keys=("--keyring=$tool/usr/share/keyrings")
    fi
    mkdir -p "$WORK/roots"
    # A mirror may stand still for longer than its lists are valid.
    "${make[@]}" --quiet --variant=minbase --aptopt='Acquire::Check-Valid-Until "false"' "${keys[@]}" --include="$packages" \
        "$1" "$root" http://deb.debian.org/debian > "$root.log" 2>&1 || { tail -5 "$root.log" >&2; return 1; }
    # The user of rootless engines, and the user IDs that it may give away.
    echo "rootless:x:$ROOTLESS:$ROOTLESS::/run:/bin/sh" >> "$root/etc/passwd"
    echo "rootless:x:$ROOTLESS:" >> "$root/etc/group"
    echo "rootless:100000:65536" | tee "$root/etc/subuid" > "$root/etc/subgid"
}

# Makes what both sides of an engine's TLS need, in a folder.
make_certificates() {
    local name
    (
        cd "$1"
        for name in ca server client; do
            openssl ecparam -genkey -name prime256v1 -noout -out "$name-key.pem"
        done
        openssl req -x509 -new -key ca-key.pem -subj /CN=matrix -days 2 -out ca.pem
        for name in server client; do
            printf 'subjectAltName=IP:127.0.0.1\nextendedKeyUsage=%sAuth\n' "$name" > "$name.ext"
            openssl req -new -key "$name-key.pem" -subj "/CN=$name" |
                openssl x509 -req -CA ca.pem -CAkey ca-key.pem -CAcreateserial -days 2 -extfile "$name.ext" -out "$name.pem"
        done
        mv client-key.pem key.pem
        mv client.pem cert.pem
    ) > "$1/openssl.log" 2>&1 || { cat "$1/openssl.log" >&2; return 1; }
}

# Starts an engine in its root and in a network of its own, with its log in FOLDER/engine.log. It is reached by FOLDER/run/e.sock, or by
# a port of this machine's loopback that is handed to it; its address goes to FOLDER/address.
#
#   start_engine NAME FOLDER
start_engine() {
    local name=$1 own=$2 root daemon before=() as=()
    root=$WORK/roots/$(release_of "$name")
    mkdir -p "$own/run" "$own/data"
    echo '{}' > "$own/run/daemon.json"
    [ "$name" = docker-26-tls ] || echo "unix://$own/run/e.sock" > "$own/address"
    local docker="dockerd --data-root /data/d --config-file /run/e/daemon.json"
    local podman="podman --root /data/c --runroot /run/c --cgroup-manager cgroupfs system service -t 0 unix:///run/e/e.sock"
    case $name in
    *-rootless)
        chown "$ROOTLESS:$ROOTLESS" "$own/run" "$own/data"
        as=(setpriv --reuid "$ROOTLESS" --regid "$ROOTLESS" --clear-groups env HOME=/run/user XDG_RUNTIME_DIR=/run/user)
        ;;
    esac
    case $name in
    docker-26-tls)
        make_certificates "$own/run"
        daemon="env LISTEN_PID=1 LISTEN_FDS=1 $docker --exec-root /run/docker -H fd:// --tlsverify"
        daemon+=" --tlscacert /run/e/ca.pem --tlscert /run/e/server.pem --tlskey /run/e/server-key.pem"
        # Opens a port of the loopback, writes it down, and leaves the listener to what it becomes.
        before=(python3 -c 'import os, socket, sys
listener = socket.socket()
listener.bind(("127.0.0.1", 0))
listener.listen()
os.dup2(listener.fileno(), 3)
os.set_inheritable(3, True)
open(sys.argv[1], "w").write("tcp://127.0.0.1:%d\n" % listener.getsockname()[1])
os.execvp(sys.argv[2], sys.argv[2:])' "$own/address")
        ;;
    docker-26-rootless)
        daemon="env DOCKERD_ROOTLESS_ROOTLESSKIT_NET=slirp4netns sh /usr/share/docker.io/contrib/dockerd-rootless.sh"
        daemon+=" --data-root /data/d --config-file /run/e/daemon.json -H unix:///run/e/e.sock"
        ;;
    docker-*) daemon="$docker --exec-root /run/docker -H unix:///run/e/e.sock --group root" ;;
    podman-*) daemon=$podman ;;
    esac
    case $name in
    docker-28-containerd) echo '{"features":{"containerd-snapshotter":true}}' > "$own/run/daemon.json" ;;
    esac
    cat > "$own/start" <<IN
set -e
mount --make-rprivate /
mount --bind $root $root
mount -t proc proc $root/proc
mount --rbind /sys $root/sys
mount --rbind /dev $root/dev
mount -t tmpfs tmpfs $root/run
mkdir -p $root/run/e $root/run/user $root/data $root/old
chown $ROOTLESS:$ROOTLESS $root/run/user
mount --bind $own/run $root/run/e
mount --bind $own/data $root/data
# As udev makes it: this machine may keep it for root alone.
mount -t tmpfs tmpfs $root/dev/net
mknod -m 0666 $root/dev/net/tun c 10 200
ip link set lo up || true
cd $root
pivot_root . old
mount --make-rprivate /old
umount -l /old
# Podman's runtime does not know control groups of both versions at once.
case $name in podman-*) umount /sys/fs/cgroup/unified 2> /dev/null || true ;; esac
export PATH=/usr/sbin:/usr/bin:/sbin:/bin
exec ${as[*]} $daemon
IN
    "${before[@]}" unshare --mount --net --pid --fork --kill-child bash "$own/start" > "$own/engine.log" 2>&1 &
    ENGINE=$!
}

# Whether the engine of a folder is alive.
is_alive() {
    kill -0 "$ENGINE" 2> /dev/null
}

# The bridges of networks that the engine has, one a line.
bridges() {
    local first daemon
    first=$(pgrep -P "$ENGINE" | head -1)
    # A rootless engine has its bridges in a network behind that of its first process.
    daemon=$(pgrep --ns "$first" --nslist pid -x dockerd | head -1)
    nsenter --net="/proc/${daemon:-$first}/ns/net" ip -o link show type bridge | grep 'br-' || true
}

# Ends the engine with all of its processes: they go with the first one of their namespace.
end_engine() {
    [ -z "$ENGINE" ] || pkill -KILL -P "$ENGINE" || true
    [ -z "$ENGINE" ] || wait "$ENGINE" 2> /dev/null || true
    ENGINE=
}
