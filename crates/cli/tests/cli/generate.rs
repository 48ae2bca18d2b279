//! `imsprep generate`: manual pages and completions, tried with the programs that read them.

use std::path::Path;
use std::process::Command;

use imsprep_testdata::{command, need_tools};

use crate::folder::Folder;

/// What a program prints; it has to succeed.
fn output(command: &mut Command) -> String {
    let output = command.output().unwrap();
    assert!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

/// The words of every command, as the help lists them, with those that only lead to others.
fn commands(folder: &Folder, words: &[String], found: &mut Vec<Vec<String>>) {
    found.push(words.to_vec());
    let args = words.iter().map(String::as_str).chain(["-h"]).collect::<Vec<_>>();
    let help = folder.run(&args).out;
    let Some((_, list)) = help.split_once("Commands:\n") else { return };
    for line in list.lines().take_while(|line| !line.is_empty()) {
        let name = line
            .strip_prefix("  ")
            .filter(|rest| !rest.starts_with(' '))
            .and_then(|rest| rest.split(' ').next());
        if let Some(name) = name.filter(|name| *name != "help") {
            commands(folder, &[words, &[name.to_owned()]].concat(), found);
        }
    }
}

/// The long options that a help lists.
fn options(help: &str) -> Vec<String> {
    let lines = help.lines().map(str::trim_start).filter(|line| line.starts_with('-'));
    let words = lines.filter_map(|line| line.split([' ', ',']).find(|word| word.starts_with("--")));
    words.map(str::to_owned).collect()
}

/// A page as it is read, without the backspaces of bold and underlined text.
fn read_page(page: &Path) -> String {
    let text = output(command("mandoc").args(["-T", "ascii", "-O", "width=200"]).arg(page));
    let mut plain = String::new();
    for c in text.chars() {
        if c == '\u{8}' {
            plain.pop();
        } else {
            plain.push(c);
        }
    }
    plain
}

#[test]
fn every_command_has_a_page_that_tells_all_of_it() {
    need_tools(["mandoc"]);
    let folder = Folder::new();
    let mut found = Vec::new();
    commands(&folder, &[], &mut found);
    assert!(found.len() > 20, "{found:?}");
    let run = folder.run(&["generate", "man", "--all", "man/man1"]);
    assert_eq!((run.status, run.out.as_str(), run.err.as_str()), (0, "", ""));
    let mut names = Vec::new();
    for words in &found {
        let name = [&["imsprep".to_owned()], words.as_slice()].concat().join("-");
        let page = read_page(&folder.path(&format!("man/man1/{name}.1")));
        for section in
            ["NAME", "SYNOPSIS", "DESCRIPTION", "COMMON OPTIONS", "EXIT STATUS", "ENVIRONMENT", "SEE ALSO"]
        {
            assert!(page.contains(&format!("\n{section}\n")), "{name} has no {section}: {page}");
        }
        let words = words.iter().map(String::as_str).collect::<Vec<_>>();
        let help = folder.run(&[&words, &["--help"][..]].concat()).out;
        for option in options(&help) {
            assert!(page.contains(&option), "{name} does not tell {option}: {page}");
        }
        assert_eq!(page.contains("\nEXAMPLES\n"), help.contains("Examples:\n"), "{name}: {page}");
        let alone = folder.run(&[&["generate", "man"], words.as_slice()].concat());
        assert_eq!(alone.out, std::fs::read_to_string(folder.path(&format!("man/man1/{name}.1"))).unwrap());
        names.push(format!("{name}.1"));
    }
    names.sort();
    assert_eq!(crate::folder::names_in(&folder.path("man/man1")), names);
}

#[test]
fn pages_are_sound() {
    need_tools(["mandoc"]);
    let folder = Folder::new();
    folder.run(&["generate", "man", "--all", "man1"]);
    let names = crate::folder::names_in(&folder.path("man1"));
    let mut command = command("mandoc");
    let run = command
        .args(["-T", "lint", "-W", "warning"])
        .args(&names)
        .current_dir(folder.path("man1"))
        .output()
        .unwrap();
    assert_eq!(String::from_utf8_lossy(&run.stdout), "");
    assert!(run.status.success(), "{run:?}");
}

#[test]
fn a_page_has_what_only_we_know() {
    let folder = Folder::new();
    let page = folder.run(&["generate", "man", "check"]).out;
    for part in [".SH EXAMPLES\n", "imsprep.toml", "NO_COLOR", "129, 130, 143", "imsprep\\-zvhd2(1)"] {
        assert!(page.contains(part), "{part}: {page}");
    }
    let page = folder.run(&["generate", "man", "convert"]).out;
    assert!(page.contains("SOURCE_DATE_EPOCH") && page.contains("qemu\\-nbd(8)"), "{page}");
    // Of a list of values each is told.
    let page = folder.run(&["generate", "man", "bench"]).out;
    assert!(page.contains("\\fBsparse\\-4k\\fR"), "{page}");
}

#[test]
fn what_there_is_not_is_not_made() {
    let folder = Folder::new();
    for (args, why) in [
        (&["generate", "man", "no", "such"][..], "no command no such"),
        (&["generate", "complete-bash", "check"], "completions, which are one file"),
        (&["generate", "complete-zsh", "--all", "there"], "completions, which are one file"),
        (&["generate", "man", "--json"], "cannot be used with"),
        (&["generate", "complete-tcsh"], "possible values"),
    ] {
        let run = folder.run(args);
        assert_eq!((run.status, run.out.as_str()), (2, ""), "{args:?}: {run:?}");
        assert!(run.err.contains(why), "{args:?}: {}", run.err);
    }
    assert_eq!(folder.names(), [""; 0]);
}

#[test]
fn every_shell_has_completions_of_every_command() {
    let folder = Folder::new();
    for shell in ["bash", "zsh", "fish", "powershell", "elvish"] {
        let run = folder.run(&["generate", &format!("complete-{shell}")]);
        assert_eq!((run.status, run.err.as_str()), (0, ""), "{shell}");
        for word in ["make-sample", "repair", "write-bitmap"] {
            assert!(run.out.contains(word), "{shell} lacks {word}");
        }
    }
}

#[test]
fn bash_completes() {
    let folder = Folder::new();
    folder.write("imsprep.bash", folder.run(&["generate", "complete-bash"]).out.as_bytes());
    // As bash calls the function that `complete -F` names: command, word, word before.
    let script = r#"
        source ./imsprep.bash
        function=$(complete -p imsprep | sed 's/.*-F \([^ ]*\) .*/\1/')
        try() { COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); COMPREPLY=(); "$function" imsprep "${@: -1}" "${@: -2:1}"; echo "${COMPREPLY[*]}"; }
        try imsprep zv
        try imsprep zvhd2 re
        try imsprep check --wri
        try imsprep check --profile o
    "#;
    let text = output(command("bash").args(["--norc", "-c", script]).current_dir(folder.path(".")));
    assert_eq!(text.lines().collect::<Vec<_>>(), ["zvhd2", "repair", "--write-bitmap", "otc"]);
}

#[test]
fn fish_completes() {
    need_tools(["fish"]);
    let folder = Folder::new();
    folder.write("imsprep.fish", folder.run(&["generate", "complete-fish"]).out.as_bytes());
    for (line, word) in [
        ("imsprep zv", "zvhd2"),
        ("imsprep zvhd2 rep", "repair"),
        ("imsprep check --wri", "--write-bitmap"),
        ("imsprep check --profile o", "otc"),
    ] {
        let script = format!("source imsprep.fish; complete --do-complete '{line}'");
        let mut command = command("fish");
        command
            .args(["--no-config", "-c", &script])
            .current_dir(folder.path("."))
            .env("HOME", folder.path("."));
        let text = output(&mut command);
        // Each line has the word, and what it is after a tab.
        let words = text.lines().filter_map(|line| line.split('\t').next()).collect::<Vec<_>>();
        assert!(words.iter().any(|found| found.ends_with(word)), "{line}: {text}");
    }
}

#[test]
fn zsh_completes() {
    need_tools(["zsh"]);
    let folder = Folder::new();
    std::fs::create_dir(folder.path("functions")).unwrap();
    folder.write("functions/_imsprep", folder.run(&["generate", "complete-zsh"]).out.as_bytes());
    // Completion works in an editor alone: a second zsh on a terminal of its own is typed at, and a function in the place of
    // the program tells what it was called with.
    let script = r#"
        zmodload zsh/zpty
        zpty inner zsh -f -i
        zpty -w inner 'PS1= PS2= RPS1=; unsetopt zle_bracketed_paste; fpath=($PWD/functions $fpath); autoload -U compinit; compinit -u -D; imsprep() { print -r -- "RAN<$*>" }'
        zpty -w inner 'print READY$((1 + 1))'
        zpty -r inner answer '*READY2*' || exit 3
        zpty -w inner $'imsprep zv\trepa\t--forc\t'
        zpty -r inner answer '*RAN<*>*' || exit 4
        print -r -- "$answer"
        zpty -d inner
    "#;
    let mut command = Command::new("timeout");
    command
        .args(["60", "zsh", "-f", "-c", script])
        .current_dir(folder.path("."))
        .env("HOME", folder.path("."));
    let text = output(command.env("TERM", "dumb"));
    assert!(text.contains("RAN<zvhd2 repair --force>"), "{text}");
}
