//! The command line of `imsprep generate`.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

#[derive(Debug, Args)]
#[command(after_help = "Examples:
  imsprep generate man | man -l -                    the manual page of imsprep
  imsprep generate man zvhd2 check > imsprep-zvhd2-check.1
  imsprep generate man --all ~/.local/share/man/man1
  imsprep generate schema imsprep.check
  imsprep generate complete-bash > ~/.local/share/bash-completion/completions/imsprep
  imsprep generate complete-zsh > ~/.zfunc/_imsprep
  imsprep generate complete-fish > ~/.config/fish/completions/imsprep.fish

The Debian package installs the manual pages and the completions for bash, zsh and fish; this command is for installations \
with cargo.")]
pub(crate) struct GenerateArgs {
    /// What to print
    #[arg(value_name = "WHAT", conflicts_with_all = ["json", "quiet"])]
    pub(crate) what: What,
    /// For man: command to describe [default: imsprep itself]. For schema: name of the document [default: all]
    #[arg(value_name = "COMMAND")]
    pub(crate) command: Vec<String>,
    /// For man and schema: write all pages or schemas to DIR, replacing existing ones
    #[arg(long, value_name = "DIR", conflicts_with = "command")]
    pub(crate) all: Option<PathBuf>,
}

/// What can be generated from the definitions of the command line.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum What {
    /// Manual pages
    Man,
    /// JSON Schemas of what --json prints
    Schema,
    /// Completions for bash
    CompleteBash,
    /// Completions for zsh
    CompleteZsh,
    /// Completions for fish
    CompleteFish,
    /// Completions for PowerShell
    CompletePowershell,
    /// Completions for elvish
    CompleteElvish,
}
