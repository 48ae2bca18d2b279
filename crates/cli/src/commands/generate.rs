//! `imsprep generate`

use std::fs;
use std::path::Path;

use anyhow::{Context, bail};
use clap_complete::Shell;
use imsprep_rules::KnownSystem;

use crate::args::{self, GenerateArgs, What};
use crate::exit::Status;
use crate::manual;
use crate::terminal::{json_text, print_verbatim};
use crate::wire::schema;

pub(crate) fn run(args: &GenerateArgs) -> anyhow::Result<Status> {
    let shell = match args.what {
        What::Man => {
            match &args.all {
                Some(folder) => write_all(
                    folder,
                    manual::pages().into_iter().map(|page| Ok((page.file_name(), page.text))),
                )?,
                None => print_page(&args.command)?,
            }
            return Ok(Status::Fine);
        }
        What::Schema => {
            match &args.all {
                Some(folder) => write_all(folder, schema::names().map(schema_file))?,
                None => print_schemas(&args.command)?,
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
        bail!("COMMAND and --all do not apply to completions, which are one file for all commands");
    }
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut args::definition(), manual::PROGRAM, &mut script);
    match shell {
        Shell::Bash => script = with_values_for_bash(&String::from_utf8(script)?).into_bytes(),
        Shell::Fish => script = with_values_for_fish(&String::from_utf8(script)?).into_bytes(),
        _ => {}
    }
    print_verbatim(&script)?;
    Ok(Status::Fine)
}

/// Replaces the list of os_version in a script for bash: its values have spaces, at which `compgen -W` would take them apart.
fn with_values_for_bash(script: &str) -> String {
    let values = KnownSystem::all().iter().map(|known| known.value).collect::<Vec<_>>();
    let list = format!("($(compgen -W \"{}\" -- \"${{cur}}\"))", values.join(" "));
    let script = script.replace(&format!("COMPREPLY={list}"), "_imsprep_os_versions \"${cur}\"");
    format!("{script}\n{OS_VERSIONS_IN_BASH}{}\nEND_OF_VALUES\n}}\n", values.join("\n"))
}

/// Offers the values that begin as the word does: within quotes as they are, else with their spaces quoted.
const OS_VERSIONS_IN_BASH: &str = r#"_imsprep_os_versions() {
    local word=${1//\\/} quoted= value
    case $word in
        [\"\']*) quoted=yes; word=${word:1} ;;
    esac
    COMPREPLY=()
    while IFS= read -r value; do
        [[ $value == "$word"* ]] || continue
        [[ -n $quoted ]] || printf -v value %q "$value"
        COMPREPLY+=("$value")
    done <<'END_OF_VALUES'
"#;

/// Puts a function in the place of the list of os_version in a script for fish, which would take the values apart at their
/// spaces, and run what stands in their brackets.
fn with_values_for_fish(script: &str) -> String {
    let replaced = script.split_once(" -l os-version ").and_then(|(before, rest)| {
        let (option, rest) = rest.split_once(" -a \"")?;
        let (_, after) = rest.split_once('"')?;
        Some(format!("{before} -l os-version {option} -a \"(__imsprep_os_versions)\"{after}"))
    });
    let values =
        KnownSystem::all().iter().map(|known| format!(" \\\n        '{}'", known.value)).collect::<String>();
    let function = format!("function __imsprep_os_versions\n    printf '%s\\n'{values}\nend\n");
    format!("{}\n{function}", replaced.as_deref().unwrap_or(script))
}

fn print_page(command: &[String]) -> anyhow::Result<()> {
    let name = [&[manual::PROGRAM.to_owned()], command].concat().join("-");
    let pages = manual::pages();
    let Some(page) = pages.iter().find(|page| page.name == name) else {
        bail!("there is no command {}; imsprep help lists all commands", command.join(" "));
    };
    print_verbatim(page.text.as_bytes())
}

fn print_schemas(names: &[String]) -> anyhow::Result<()> {
    let text = match names {
        [] => json_text(&schema::names().filter_map(schema::find).collect::<Vec<_>>())?,
        [name] => {
            let known = || schema::names().collect::<Vec<_>>().join(", ");
            let schema = schema::find(name);
            json_text(&schema.with_context(|| format!("there is no schema {name}; there are {}", known()))?)?
        }
        _ => bail!("only one schema can be named"),
    };
    print_verbatim(text.as_bytes())
}

fn schema_file(name: &str) -> anyhow::Result<(String, String)> {
    Ok((format!("{name}.json"), json_text(&schema::find(name))?))
}

/// Writes files, over those that are there.
fn write_all(
    folder: &Path,
    files: impl Iterator<Item = anyhow::Result<(String, String)>>,
) -> anyhow::Result<()> {
    fs::create_dir_all(folder).with_context(|| format!("cannot create the folder {}", folder.display()))?;
    for file in files {
        let (name, text) = file?;
        let path = folder.join(name);
        fs::write(&path, text).with_context(|| format!("cannot write {}", path.display()))?;
    }
    Ok(())
}
