#!/bin/sh
# clap_complete 4.6.11 (crates.io) with clap 4.6: completions for bash of an option whose possible values have spaces.
#
# Input: `--system` with the possible values "Debian 12" and "Other(64 bit)", as names of operating systems in clouds' APIs are.
# Expected: two candidates, quoted for the shell, as the script for zsh has them.
# Seen: bash offers four words, "Debian", "12", "Other(64" and "bit)", as the script has `compgen -W "Debian 12 ..."`. No value can
# be completed.
#
# Exit status: 0 if this is what happens, 1 if it changed. Needs cargo and bash.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
mkdir src
cat >Cargo.toml <<'TOML'
[package]
name = "finding"
version = "0.0.0"
edition = "2021"
[dependencies]
clap = { version = "~4.6", default-features = false, features = ["std"] }
clap_complete = { version = "=4.6.11", default-features = false }
TOML
cat >src/main.rs <<'RUST'
use clap::{Arg, Command};
use clap_complete::{generate, shells};
fn command() -> Command {
    Command::new("finding").arg(Arg::new("system").long("system").value_parser(["Debian 12", "Other(64 bit)"]))
}
fn main() {
    generate(shells::Bash, &mut command(), "finding", &mut std::fs::File::create("bash").unwrap());
}
RUST
cargo run --quiet
# What bash offers for `finding --system <TAB>`.
bash --norc -c '. ./bash; COMP_WORDS=(finding --system ""); COMP_CWORD=2; _finding finding "" --system
  printf "bash offers: [%s]\n" "${COMPREPLY[@]}"' | tee offered
grep -q 'offers: \[Debian\]' offered && grep -q 'offers: \[12\]' offered
