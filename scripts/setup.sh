#!/usr/bin/env bash
# Installs missing dependencies; cheap if nothing is missing.
#
#   scripts/setup.sh                dependencies of the build
#   scripts/setup.sh --with-tests   also three browsers, fonts, Postfix, PostgreSQL, and the packages of end2end/
#   scripts/setup.sh --with-lints   also rustfmt, Clippy, and the packages of end2end/
#   scripts/setup.sh --with-fuzz    also cargo-fuzz
#   scripts/setup.sh --with-mutants also cargo-mutants
set -euo pipefail
# shellcheck source=scripts/lib.sh
. "$(dirname "$0")/lib.sh"

with_tests='' with_lints='' with_fuzz='' with_mutants=''
for option in "$@"; do
  case $option in
    --with-tests) with_tests=yes ;;
    --with-lints) with_lints=yes ;;
    --with-fuzz) with_fuzz=yes ;;
    --with-mutants) with_mutants=yes ;;
    *) die "unknown option $option" ;;
  esac
done

packages=()
# want COMMAND PACKAGE...: adds packages to install if a command is missing.
want() { have "$1" || packages+=("${@:2}"); }

# quiet_for SECONDS COMMAND...: runs a command with a time-out and without output.
quiet_for() { timeout "$@" >/dev/null 2>&1; }

reachable() { curl --silent --fail --head --max-time 10 --output /dev/null "$1" 2>/dev/null; }

as_root() {
  if [ "$(id -u)" = 0 ]; then
    "$@"
  elif have sudo; then
    sudo -E "$@"
  else
    die "this needs root: $*"
  fi
}

# Installs all packages in one call, since most of the time is spent on starting apt.
install_packages() {
  [ ${#packages[@]} -gt 0 ] || return 0
  have apt-get || die "please install (named here as Debian does): ${packages[*]}"
  local began=$SECONDS
  step "Installing ${packages[*]}"
  apt-cache show "${packages[@]}" >/dev/null 2>&1 || quietly as_root apt-get -q update || true
  if ! quietly as_root apt-get -qy --no-install-recommends install "${packages[@]}"; then
    note 'trying again with updated package lists'
    quietly as_root apt-get -q update
    quietly as_root apt-get -qy --no-install-recommends install "${packages[@]}" \
      || die "apt-get could not install ${packages[*]}"
  fi
  packages=()
  note "done in $(took "$began")"
}

# Installs Postfix for the tests, without a configuration and without starting it. It is refused where it would
# replace another mail server.
postfix_for_tests() {
  # For an ordinary user it is not on PATH.
  [ ! -x /usr/sbin/postfix ] && ! have postfix || return 0
  have apt-get || die 'please install (named here as Debian does): postfix'
  local began=$SECONDS policy=/usr/sbin/policy-rc.d forbidden=''
  step 'Installing postfix for the tests, not as a service'
  echo 'postfix postfix/main_mailer_type select No configuration' | quietly as_root debconf-set-selections
  if [ ! -e $policy ]; then
    printf '#!/bin/sh\nexit 101\n' | as_root tee $policy >/dev/null
    as_root chmod 755 $policy
    forbidden=yes
  fi
  export DEBIAN_FRONTEND=noninteractive
  quietly as_root apt-get -qy --no-install-recommends --no-remove install postfix \
    || { quietly as_root apt-get -q update; quietly as_root apt-get -qy --no-install-recommends --no-remove install postfix; } \
    || { [ -z "$forbidden" ] || as_root rm -f $policy
         die 'apt-get could not install postfix; another mail server on this machine is left as it is'; }
  [ -z "$forbidden" ] || as_root rm -f $policy
  note "done in $(took "$began")"
}

# Installs PostgreSQL for the tests, which start servers of their own: no cluster is made, and no service runs.
postgres_for_tests() {
  ! compgen -G '/usr/lib/postgresql/*/bin/initdb' >/dev/null && ! have initdb || return 0
  have apt-get || die 'please install (named here as Debian does): postgresql'
  local began=$SECONDS config=/etc/postgresql-common/createcluster.conf
  step 'Installing PostgreSQL for the tests, not as a service'
  quietly as_root apt-get -qy --no-install-recommends install postgresql-common \
    || { quietly as_root apt-get -q update; quietly as_root apt-get -qy --no-install-recommends install postgresql-common; } \
    || die 'apt-get could not install postgresql-common'
  # For this installation alone; the last line counts.
  local kept
  kept=$(cat "$config")
  echo 'create_main_cluster = false' | as_root tee -a "$config" >/dev/null
  local failed=''
  quietly as_root apt-get -qy --no-install-recommends install postgresql || failed=yes
  echo "$kept" | as_root tee "$config" >/dev/null
  [ -z "$failed" ] || die 'apt-get could not install postgresql'
  note "done in $(took "$began")"
}

# Installs Rust with rustup if its server is reachable, else Debian's `rustc-web`, a current compiler
# that Debian maintains for its browsers.
choose_rust() {
  if rust_is_recent; then
    return
  fi
  if have rustup && quietly rustup update stable && rust_is_recent; then
    return
  fi
  if reachable https://static.rust-lang.org/rustup/release-stable.toml; then
    local began=$SECONDS components=''
    [ -z "$with_lints" ] || components=rustfmt,clippy
    step 'Installing Rust with rustup, for this user'
    curl --proto '=https' --tlsv1.2 -sSf https://sh.rustup.rs | sh -s -- -y -q --profile minimal \
      --no-modify-path --target "$wasm" ${components:+--component "$components"}
    hash -r
    rust_is_recent || die 'the Rust that was found on PATH is too old; please remove it'
    note "done in $(took "$began")"
  else
    debian_compiler
  fi
}

debian_compiler() {
  have apt-get || die "there is no Rust here that can build for browsers; install it from rustup.rs
       with: rustup target add $wasm"
  want cc gcc libc6-dev
  is_recent "$(debian_version)" || packages+=(rustc-web cargo-web)
  [ -d /usr/lib/rustlib/src/rust/library ] || packages+=(rust-web-src)
  if [ ! -e /usr/bin/rust-lld ]; then
    # The linker's package is named after the version of LLVM that the compiler uses.
    apt-cache show rust-web-llvm >/dev/null 2>&1 || quietly as_root apt-get -q update || true
    local llvm
    llvm=$(apt-cache depends rust-web-llvm 2>/dev/null | sed -n 's/.*Depends: llvm-\([0-9]*\).*/\1/p' | head -n 1)
    packages+=(rust-web-llvm "lld-${llvm:-22}")
  fi
  install_packages
}

# build_std NAME: builds the small library from the compiler's source, in a temporary crate.
build_std() {
  local name=$1 std crate began=$SECONDS
  std=$(small_std "$name")
  step "Building Rust's standard library for the browser, once ($(compiler "$name" --version))"
  crate=$(mktemp -d)
  mkdir "$crate/src"
  touch "$crate/src/lib.rs"
  printf '%s\n' '[package]' 'name = "seed"' 'version = "0.0.0"' 'edition = "2024"' \
    '[lib]' 'crate-type = ["cdylib"]' \
    '[profile.release]' 'opt-level = "z"' 'codegen-units = 1' '[workspace]' >"$crate/Cargo.toml"
  if ! (
    cd "$crate"
    export RUSTC_BOOTSTRAP=1 CARGO_TARGET_DIR=$crate/target RUSTFLAGS="${small[*]}"
    quietly cargo_of "$name" build --release --target "$wasm" \
      -Zbuild-std=std,panic_abort -Zbuild-std-features=optimize_for_size
  ); then
    rm -rf "$crate"
    return 1
  fi
  # Renamed at the end, so that an interrupted run leaves no incomplete library.
  rm -rf "$std.unfinished" "$std"
  mkdir -p "$std.unfinished/lib/rustlib/$wasm/lib"
  find "$crate/target/$wasm" -name 'lib*.rlib' ! -name 'libseed*' \
    -exec cp {} "$std.unfinished/lib/rustlib/$wasm/lib/" \;
  mv "$std.unfinished" "$std"
  rm -rf "$crate"
  note "done in $(took "$began"), kept in $std"
}

# Installs a compiler that can build for the browser: rustup's if available, else Debian's.
choose_target() {
  local refused
  case $(front_compiler) in
    *small) return ;;
  esac
  if have rustup && [ "$(command -v rustc)" != /usr/bin/rustc ]; then
    refused=$(small_std default).refused
    if [ -e "$refused" ] && [ -n "$(front_compiler)" ]; then
      return
    fi
    step "Adding the target $wasm and the library's source to this user's Rust"
    if (cd "$root" && quiet_for 300 rustup target add "$wasm" \
      && quiet_for 300 rustup component add rust-src); then
      build_std default && return
      # Not tried again with this compiler version.
      note 'this compiler cannot build its library; with the ordinary one the island is larger'
      mkdir -p "$cache" && touch "$refused"
    else
      note "rustup's server is not reachable"
    fi
    [ -z "$(front_compiler)" ] || return 0
  fi
  debian_compiler
  build_std debian || die "Debian's compiler could not build its library for $wasm"
}

lints() {
  local rustup_has=''
  have rustup && [ "$(command -v cargo)" != /usr/bin/cargo ] && rustup_has=yes
  if ! cargo clippy --version >/dev/null 2>&1 || ! cargo fmt --version >/dev/null 2>&1; then
    step 'Installing the formatter and the linter'
    if [ -n "$rustup_has" ]; then
      quietly rustup component add rustfmt clippy
    else
      packages+=(rustfmt-web rust-web-clippy)
    fi
  fi
  if [ "$(front_compiler)" = 'debian small' ] && [ ! -x /usr/bin/clippy-driver ]; then
    packages+=(rust-web-clippy)
  fi
  install_packages
}

# cargo_tool NAME VERSION: compiles a cargo command for this user, unless it is there.
cargo_tool() {
  local began=$SECONDS
  [[ $(cargo "${1#cargo-}" --version 2>/dev/null) != *" $2" ]] || return 0
  step "Installing $1 $2"
  CARGO_PROFILE_RELEASE_OPT_LEVEL=1 CARGO_PROFILE_RELEASE_LTO=off \
    quietly cargo install --locked --force "$1@$2" || die "cargo could not install $1"
  note "done in $(took "$began")"
}

# npm_packages FOLDER: installs the packages of its lock file.
npm_packages() {
  local folder=$root/$1 stamp began=$SECONDS
  stamp=$(sha256sum <"$folder/package-lock.json")
  [ "$(cat "$folder/node_modules/.latchkey" 2>/dev/null)" != "$stamp" ] || return 0
  step "Installing the packages of $1/"
  (cd "$folder" && quietly npm ci --ignore-scripts --no-fund --no-audit) \
    || die "npm could not install the packages of $1/"
  echo "$stamp" >"$folder/node_modules/.latchkey"
  note "done in $(took "$began")"
}

# Installs the Python tools of the tests in a virtual environment, each file checked by its hash.
python_packages() {
  local tools began=$SECONDS
  tools=$(python_tools)
  [ ! -x "$tools/bin/st" ] || return 0
  step 'Installing the Python tools of the tests, once'
  # Created in place, because an environment holds its own path. An incomplete one has no `st`.
  rm -rf "$tools"
  mkdir -p "$cache"
  quietly python3 -m venv "$tools" || die 'python3 cannot create virtual environments; install its package venv'
  if ! quietly "$tools/bin/pip" install --disable-pip-version-check --require-hashes \
    --only-binary :all: -r "$root/end2end/python/requirements.txt"; then
    rm -rf "$tools"
    die 'pip could not install the packages of end2end/python/'
  fi
  note "done in $(took "$began"), kept in $tools"
}

want cc gcc libc6-dev
want curl curl ca-certificates
want node nodejs
want npm npm
if [ -n "$with_tests" ]; then
  want chromium chromium
  # Debian's name; other systems have `firefox`.
  have firefox || want firefox-esr firefox-esr
  want WebKitWebDriver webkit2gtk-driver
  want Xvfb xvfb
  want openssl openssl
  want php php-cli php-curl
  python3 -c 'import ensurepip, venv' 2>/dev/null || packages+=(python3 python3-venv)
  want fc-match fontconfig
  # Without a font the browser renders boxes.
  { have fc-list && [ -n "$(fc-list : family 2>/dev/null)" ]; } || packages+=(fonts-dejavu-core)
fi
if ! rust_is_recent && have apt-get && have curl \
  && ! reachable https://static.rust-lang.org/rustup/release-stable.toml; then
  # The compiler is Debian's too, and is installed in the same call.
  debian_compiler
else
  install_packages
fi
choose_rust
choose_target
[ -z "$with_lints" ] || lints
npm_packages tools
[ -z "$with_tests$with_lints" ] || npm_packages end2end
[ -z "$with_tests" ] || python_packages
[ -z "$with_tests" ] || postfix_for_tests
[ -z "$with_tests" ] || postgres_for_tests
[ -z "$with_fuzz" ] || cargo_tool cargo-fuzz 0.13.2
[ -z "$with_mutants" ] || cargo_tool cargo-mutants 27.1.0
