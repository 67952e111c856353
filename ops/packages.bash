# Sourced by the commands in ops: messages, and packages installed only when they are missing.

# What `swift build` needs beside Swift itself. g++ brings the C library, the C++ runtime and a linker.
build_packages=(libssl-dev libcrypt-dev libyaml-dev zlib1g-dev pkg-config ca-certificates git g++)

# Libraries that Swift's programs are linked with, and their packages. A minimal Debian has few of them.
declare -A swift_libraries=(
    [libncurses.so.6]=libncurses6 [libtinfo.so.6]=libtinfo6 [libedit.so.2]=libedit2 [libsqlite3.so.0]=libsqlite3-0
    [libcurl.so.4]=libcurl4 [libxml2.so.2]=libxml2 [libz3.so.4]=libz3-4 [libz.so.1]=zlib1g [liblzma.so.5]=liblzma5
    [libuuid.so.1]=libuuid1 [libstdc++.so.6]=libstdc++6 [libgcc_s.so.1]=libgcc-s1 [libatomic.so.1]=libatomic1
)

# The peers of the benchmarks, and what measuring needs.
bench_packages=(nginx-light haproxy caddy websockify node-ws python3 python3-venv openssl gcc libc6-dev)
command -v node >/dev/null || bench_packages+=(nodejs)

say() {
    printf '%s: %s\n' "${0##*/}" "$*" >&2
}

# fail STATUS MESSAGE...
fail() {
    local status=$1
    shift
    say "$*"
    exit "$status"
}

# Checks that Swift is there, and installs the libraries that it needs to start. Without this, one would see only the loader's message.
need_swift() {
    command -v swift >/dev/null ||
        fail 1 "swift is not in PATH; install Swift 6.3 or later from https://www.swift.org/install/linux/"

    local library packages=() unknown=()
    for library in $(missing_swift_libraries); do
        if [ -n "${swift_libraries[$library]:-}" ]; then
            packages+=("${swift_libraries[$library]}")
        else
            unknown+=("$library")
        fi
    done
    [ ${#packages[@]} = 0 ] || install_packages "${packages[@]}"
    [ ${#unknown[@]} = 0 ] || fail 1 "swift needs ${unknown[*]}: install the packages that have them"
    local message
    message=$(swift --version 2>&1) || fail 1 "swift does not start: $message"
}

# missing_swift_libraries: the missing shared libraries of Swift's programs and of its Foundation, one per line.
missing_swift_libraries() {
    local folder name files=()
    folder=$(dirname "$(readlink -f "$(command -v swift)")")
    for name in "$folder"/{swift,swift-driver,swift-frontend,swift-build,swift-package,clang,lld} \
        "$folder"/../lib/swift/linux/libFoundation*.so; do
        [ ! -e "$name" ] || files+=("$name")
    done
    {
        ldd "${files[@]}" 2>/dev/null | sed -n 's/^[[:space:]]*\([^ ]*\) => not found$/\1/p'
        # `swift` may be another program, which starts the real one.
        swift --version 2>&1 | sed -n 's/.*error while loading shared libraries: \([^:]*\): .*/\1/p'
    } | sort -u
}

# missing_packages NAME...: those that are not installed, one per line.
missing_packages() {
    local name
    for name in "$@"; do
        [ "$(dpkg-query -W -f '${db:Status-Status}' "$name" 2>/dev/null || true)" = installed ] || printf '%s\n' "$name"
    done
}

# install_packages NAME...: installs those that are missing; quick and silent if none is. Services that come with a package are
# neither started nor enabled, because the tests run those programs themselves, at addresses of their own.
install_packages() {
    command -v dpkg-query >/dev/null ||
        fail 1 "this is not a Debian system; install the equivalents of: $*"

    local missing=()
    mapfile -t missing < <(missing_packages "$@")
    [ ${#missing[@]} -gt 0 ] || return 0

    local as_root=()
    if [ "$(id -u)" != 0 ]; then
        command -v sudo >/dev/null ||
            fail 1 "these Debian packages are missing; install them as root: apt-get install ${missing[*]}"
        as_root=(sudo)
    fi

    say "installing Debian packages: ${missing[*]}"
    ${as_root[@]+"${as_root[@]}"} bash -s -- "${missing[@]}" <<'INSTALL' || fail 1 "apt-get could not install them"
set -euo pipefail
export DEBIAN_FRONTEND=noninteractive

# While this policy says "no" (101), no new service is started.
policy=/usr/sbin/policy-rc.d
if [ ! -e "$policy" ]; then
    trap 'rm -f "$policy"' EXIT
    printf '#!/bin/sh\nexit 101\n' >"$policy"
    chmod 755 "$policy"
fi

# Another installation may be in progress: wait for its lock.
simple=(-y -qq --no-install-recommends -o Dpkg::Use-Pty=0 -o DPkg::Lock::Timeout=300)
apt-get install "${simple[@]}" "$@" >/dev/null 2>&1 || {
    apt-get update -qq
    apt-get install "${simple[@]}" "$@" >/dev/null
}
if [ -d /run/systemd/system ]; then
    for service in redis-server mosquitto nginx haproxy caddy inspircd prometheus; do
        case " $* " in *" $service "*) systemctl disable --quiet "$service" || true ;; esac
    done
fi
INSTALL
}

# install_python_packages [SUFFIX]: installs requirements-SUFFIX.txt in .venv-SUFFIX; without one, what the integration tests import in .venv.
# That is made anew when the interpreter or the list of packages has changed.
install_python_packages() {
    local venv=$root/.venv${1:+-$1} list=$root/Tests/IntegrationTests/requirements${1:+-$1}.txt stamp
    stamp=$(/usr/bin/python3 --version; cat "$list")
    [ -f "$venv/stamp" ] && [ "$(cat "$venv/stamp")" = "$stamp" ] && return 0
    say "installing Python packages in ${venv##*/}"
    rm -rf "$venv"
    /usr/bin/python3 -m venv "$venv"
    "$venv/bin/pip" install --quiet --disable-pip-version-check --requirement "$list"
    printf '%s\n' "$stamp" >"$venv/stamp"
}
