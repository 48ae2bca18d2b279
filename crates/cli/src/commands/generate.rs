//! `imsprep generate`

use std::fs;
use std::path::Path;

use anyhow::{Context, bail};
use clap_complete::Shell;

use crate::args::{self, GenerateArgs, What};
use crate::exit::Status;
use crate::manual;
use crate::terminal::print_verbatim;

pub(crate) fn run(args: &GenerateArgs) -> anyhow::Result<Status> {
    let shell = match args.what {
        What::Man => {
            match &args.all {
                Some(folder) => write_pages(folder)?,
                None => print_page(&args.command)?,
            }
            return Ok(Status::Fine);
        }
        What::CompleteBash => Shell::Bash,
        What::CompleteZsh => Shell::Zsh,
        What::CompleteFish => Shell::Fish,
        What::CompletePowershell => Shell::PowerShell,
        What::CompleteElvish => Shell::Elvish,
    };
    if args.all.is_some() || !args.command.is_empty() {
        bail!("completions are one file for all commands: neither COMMAND nor --all has a meaning here");
    }
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut args::definition(), manual::PROGRAM, &mut script);
    print_verbatim(&script)?;
    Ok(Status::Fine)
}

fn print_page(command: &[String]) -> anyhow::Result<()> {
    let name = [&[manual::PROGRAM.to_owned()], command].concat().join("-");
    let pages = manual::pages();
    let Some(page) = pages.iter().find(|page| page.name == name) else {
        bail!("there is no command {}; imsprep help lists them", command.join(" "));
    };
    print_verbatim(page.text.as_bytes())
}

fn write_pages(folder: &Path) -> anyhow::Result<()> {
    fs::create_dir_all(folder).with_context(|| format!("cannot make the folder {}", folder.display()))?;
    for page in manual::pages() {
        let path = folder.join(page.file_name());
        fs::write(&path, page.text).with_context(|| format!("cannot write {}", path.display()))?;
    }
    Ok(())
}
