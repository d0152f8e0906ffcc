# shellcheck shell=bash
# What the scripts share: where things are, how steps speak, and which compiler makes the island.

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
target=${CARGO_TARGET_DIR:-$root/target}
# The island has a target directory of its own: its flags would have everything else built again.
front_target=$target/front
# Survives a fresh clone.
cache=${XDG_CACHE_HOME:-$HOME/.cache}/latchkey
wasm=wasm32-unknown-unknown
export DEBIAN_FRONTEND=noninteractive PLAYWRIGHT_SKIP_BROWSER_DOWNLOAD=1

# Where rustup puts its commands, for shells that were started before it was installed.
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

# python_tools: where the tools in Python that tests are run with are kept, for exactly these versions.
python_tools() {
  local versions
  versions=$({ python3 --version && cat "$root/end2end/python/requirements.txt"; } | sha256sum)
  printf '%s/python-%s' "$cache" "${versions:0:16}"
}

# Runs a command silently; shows what it said only if it fails.
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

# Seconds since the shell started, for the figures that the steps print.
took() { printf '%s s' "$((SECONDS - $1))"; }

# Does a directory hold a standard library for the browser?
has_std() { compgen -G "$1/lib/rustlib/$wasm/lib/libcore-*.rlib" >/dev/null; }

# is_recent VERSION: is it what the workspace asks for, or later?
is_recent() {
  local needed
  needed=$(sed -n 's/^rust-version = "\(.*\)"/\1/p' "$root/Cargo.toml")
  [ -n "$1" ] && [ "$(printf '%s\n%s\n' "$needed" "$1" | sort -V | head -n 1)" = "$needed" ]
}

# Is there a compiler on PATH that builds the workspace?
rust_is_recent() {
  have cargo && have rustc && is_recent "$(cd "$root" && rustc --version 2>/dev/null | awk '{print $2}')"
}

# The island is compiled with a standard library of its own, built for size where a compiler's
# source can be had: in it a panic ends the program at once, without the message that nobody would
# read in a browser, and nothing carries file names or Debug texts. That is a sixth of what travels.
# These are unstable options, hence RUSTC_BOOTSTRAP wherever they are used; whoever has no such
# library gets the ordinary one of the target and a larger island.
small=(-Zunstable-options -Cpanic=immediate-abort -Zlocation-detail=none -Zfmt-debug=none)

# compiler NAME: runs the `default` rustc, or Debian's own (`rustc-web`), which may be beside it.
compiler() {
  local name=$1
  shift
  case $name in
    default) (cd "$root" && rustc "$@") ;;
    debian) /usr/bin/rustc "$@" ;;
  esac
}

debian_version() { /usr/bin/rustc --version 2>/dev/null | awk '{print $2}'; }

# small_std NAME: where the small library of exactly this compiler is kept.
small_std() { printf '%s/std-%s' "$cache" "$(compiler "$1" -vV | sha256sum | cut -c 1-16)"; }

# Which compiler and library make the island: two words, or nothing.
front_compiler() {
  if have rustc && has_std "$(small_std default)"; then
    echo default small
  elif is_recent "$(debian_version)" && has_std "$(small_std debian)"; then
    echo debian small
  elif have rustc && has_std "$(compiler default --print sysroot)"; then
    echo default plain
  fi
}

# cargo_of NAME ARGUMENT...: cargo with that compiler.
cargo_of() {
  local name=$1
  shift
  case $name in
    default) cargo "$@" ;;
    debian) env -u RUSTC -u RUSTUP_TOOLCHAIN PATH="/usr/bin:$PATH" CARGO=/usr/bin/cargo /usr/bin/cargo "$@" ;;
  esac
}

# front_cargo ARGUMENT...: cargo for the island.
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

# bundle_embed FOLDER: the element for other people's pages and the script of the pages in its frame.
bundle_embed() {
  local esbuild=$root/tools/node_modules/.bin/esbuild
  local options=(--bundle --minify --target=es2022 --log-level=warning)
  "$esbuild" "$root/embed/embed.ts" "${options[@]}" --format=esm --outfile="$1/embed.js"
  "$esbuild" "$root/embed/frame.ts" "${options[@]}" --format=iife --outfile="$1/frame.js"
}
