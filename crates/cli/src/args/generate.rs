//! The command line of `imsprep generate`.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

#[derive(Debug, Args)]
#[command(after_help = "Examples:
  imsprep generate man | man -l -                    the page of imsprep
  imsprep generate man zvhd2 check > imsprep-zvhd2-check.1
  imsprep generate man --all ~/.local/share/man/man1
  imsprep generate complete-bash > ~/.local/share/bash-completion/completions/imsprep
  imsprep generate complete-zsh > ~/.zfunc/_imsprep
  imsprep generate complete-fish > ~/.config/fish/completions/imsprep.fish

The Debian package has these pages and the completions for bash, zsh and fish in their places; who installs with cargo gets \
them here.")]
pub(crate) struct GenerateArgs {
    /// What to print
    #[arg(value_name = "WHAT", conflicts_with_all = ["json", "quiet"])]
    pub(crate) what: What,
    /// To man: the command whose page it is [default: the page of imsprep]
    #[arg(value_name = "COMMAND")]
    pub(crate) command: Vec<String>,
    /// To man: write the pages of all commands into this folder, over those that are there
    #[arg(long, value_name = "DIR", conflicts_with = "command")]
    pub(crate) all: Option<PathBuf>,
}

/// What can be made from the definitions of the command line.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum What {
    /// Manual pages
    Man,
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
