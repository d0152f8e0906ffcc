# What the scripts share: telling what happens, and installing what is missing.

step() { printf '\n==> %s\n' "$*"; }
say() { printf '    %s\n' "$*"; }
done_already() { printf '  ✓ %s\n' "$*"; }
fail() { printf '\nlatchkey: %s\n' "$*" >&2; exit 1; }
has() { command -v "$1" >/dev/null 2>&1; }

as_root() {
    if [ "$(id -u)" = 0 ]; then
        "$@"
    elif has sudo; then
        sudo "$@"
    else
        fail "this needs root, and there is no sudo: $*"
    fi
}

install_packages() {
    has apt-get || fail "Please install these with your system's package manager: $*"
    step "Installing $*"
    # The lists of a fresh machine are empty or old; a fresh look takes seconds.
    as_root apt-get update -qq
    DEBIAN_FRONTEND=noninteractive as_root apt-get install -y -qq --no-install-recommends "$@" >/dev/null
}

install_packages_missing() {
    local missing=() package
    for package in "$@"; do
        dpkg -s "$package" >/dev/null 2>&1 || missing+=("$package")
    done
    [ ${#missing[@]} -eq 0 ] || install_packages "${missing[@]}"
}

# npm_packages FOLDER WHAT: what the folder's lock file names, unless it is there already.
npm_packages() {
    if cmp -s "$1/package-lock.json" "$1/node_modules/.latchkey-lock"; then
        done_already "$2"
        return
    fi
    step "Installing $2"
    npm --prefix "$1" ci --no-audit --no-fund --loglevel=error
    cp "$1/package-lock.json" "$1/node_modules/.latchkey-lock"
}

# Runs a cargo that builds for WebAssembly: the usual one where it has the target, Debian's otherwise.
wasm_cargo() {
    local target=wasm32-unknown-unknown
    if [ -n "$(find "$(rustc --print sysroot)/lib/rustlib/$target/lib" -name 'libstd-*.rlib' 2>/dev/null)" ]; then
        cargo "$@"
    elif has rustup; then
        RUSTUP_TOOLCHAIN=debian cargo "$@"
    else
        RUSTC=/usr/bin/rustc /usr/bin/cargo "$@"
    fi
}
