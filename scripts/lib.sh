# shellcheck shell=bash
# Shared by the scripts: paths, output, and the compiler for the island.

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
target=${CARGO_TARGET_DIR:-$root/target}
# The island has its own target directory, because its flags would invalidate all other builds.
front_target=$target/front
# Shared by all clones.
cache=${XDG_CACHE_HOME:-$HOME/.cache}/latchkey
wasm=wasm32-unknown-unknown
export DEBIAN_FRONTEND=noninteractive PLAYWRIGHT_SKIP_BROWSER_DOWNLOAD=1

# For shells that were started before rustup was installed.
case ":$PATH:" in
  *":${CARGO_HOME:-$HOME/.cargo}/bin:"*) ;;
  *) PATH=$PATH:${CARGO_HOME:-$HOME/.cargo}/bin ;;
esac

step() { printf '\033[1m==>\033[0m %s\n' "$*"; }
note() { printf '    %s\n' "$*"; }
die() {
  printf 'error: %s\n' "$*" >&2
  exit 1
}
have() { command -v "$1" >/dev/null 2>&1; }

# python_tools: folder of the Python environment for the tests, named by its versions.
python_tools() {
  local versions
  versions=$({ python3 --version && cat "$root/end2end/python/requirements.txt"; } | sha256sum)
  printf '%s/python-%s' "$cache" "${versions:0:16}"
}

# quietly COMMAND...: runs a command and shows its output only if it fails.
quietly() {
  local log
  log=$(mktemp)
  if ! "$@" >"$log" 2>&1; then
    cat "$log" >&2
    rm -f "$log"
    return 1
  fi
  rm -f "$log"
}

# took START: elapsed time since $SECONDS was START.
took() { printf '%s s' "$((SECONDS - $1))"; }

# has_std SYSROOT: whether it has a standard library for the browser.
has_std() { compgen -G "$1/lib/rustlib/$wasm/lib/libcore-*.rlib" >/dev/null; }

# is_recent VERSION: whether a Rust version is recent enough for the workspace.
is_recent() {
  local needed
  needed=$(sed -n 's/^rust-version = "\(.*\)"/\1/p' "$root/Cargo.toml")
  [ -n "$1" ] && [ "$(printf '%s\n%s\n' "$needed" "$1" | sort -V | head -n 1)" = "$needed" ]
}

# rust_is_recent: whether the compiler on PATH can build the workspace.
rust_is_recent() {
  have cargo && have rustc && is_recent "$(cd "$root" && rustc --version 2>/dev/null | awk '{print $2}')"
}

# The island is compiled with its own standard library, built for size if the compiler's source is
# available: a panic aborts without a message, and file names and Debug output are left out. This
# makes the download a sixth smaller. The options are unstable, hence RUSTC_BOOTSTRAP wherever they
# are used. Without that library the ordinary one is used and the island is larger.
small=(-Zunstable-options -Cpanic=immediate-abort -Zlocation-detail=none -Zfmt-debug=none)

# compiler NAME ARGUMENT...: runs the `default` rustc, or that of Debian (`rustc-web`).
compiler() {
  local name=$1
  shift
  case $name in
    default) (cd "$root" && rustc "$@") ;;
    debian) /usr/bin/rustc "$@" ;;
  esac
}

debian_version() { /usr/bin/rustc --version 2>/dev/null | awk '{print $2}'; }

# small_std NAME: sysroot with the small library of this compiler version.
small_std() { printf '%s/std-%s' "$cache" "$(compiler "$1" -vV | sha256sum | cut -c 1-16)"; }

# front_compiler: compiler and library for the island as two words, or nothing.
front_compiler() {
  if have rustc && has_std "$(small_std default)"; then
    echo default small
  elif is_recent "$(debian_version)" && has_std "$(small_std debian)"; then
    echo debian small
  elif have rustc && has_std "$(compiler default --print sysroot)"; then
    echo default plain
  fi
}

# cargo_of NAME ARGUMENT...: runs cargo with that compiler.
cargo_of() {
  local name=$1
  shift
  case $name in
    default) cargo "$@" ;;
    debian) env -u RUSTC -u RUSTUP_TOOLCHAIN PATH="/usr/bin:$PATH" CARGO=/usr/bin/cargo /usr/bin/cargo "$@" ;;
  esac
}

# front_cargo ARGUMENT...: runs cargo for the island.
front_cargo() {
  local name library
  read -r name library <<<"$(front_compiler)"
  case $library in
    small)
      RUSTC_BOOTSTRAP=1 CARGO_TARGET_DIR=$front_target \
        CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_RUSTFLAGS="${small[*]} --sysroot $(small_std "$name")" \
        cargo_of "$name" "$@"
      ;;
    plain) CARGO_TARGET_DIR=$front_target cargo_of "$name" "$@" ;;
    *) die "no compiler for $wasm: run scripts/setup.sh" ;;
  esac
}

# bundle_embed FOLDER: writes embed.js (the custom element), frame.js (the script of framed pages) and work.js
# (the script of pages with work to do).
bundle_embed() {
  local esbuild=$root/tools/node_modules/.bin/esbuild
  local options=(--bundle --minify --target=es2022 --log-level=warning)
  "$esbuild" "$root/embed/embed.ts" "${options[@]}" --format=esm --outfile="$1/embed.js"
  for script in frame work; do
    "$esbuild" "$root/embed/$script.ts" "${options[@]}" --format=iife --outfile="$1/$script.js"
  done
}
