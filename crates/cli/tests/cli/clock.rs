//! Clocks that are wrong, or that are set back while a command works; files from the future and from before all clocks.

use std::process::Command;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use imsprep_testdata::{command, need_tools};
use serde_json::Value;

use crate::folder::Folder;

/// All that takes time or tells of it.
const COMMANDS: &[&[&str]] = &[
    &["bitmap", "create", "disk.raw", "--force", "--json"],
    &["bitmap", "verify", "disk.raw", "--json"],
    &["check", "disk.raw", "--json"],
    &["check", "disk.raw", "--format", "sarif"],
    &["check", "disk.raw", "--manifest", "sums.json", "--force", "--json"],
    &["convert", "disk.raw", "disk.zvhd2", "--force", "--verify", "--json"],
    &["zvhd2", "info", "disk.zvhd2", "--json"],
    &["zvhd2", "check", "disk.zvhd2", "--json"],
    &["convert", "disk.zvhd2", "back.raw", "--force", "--json"],
    &["compare", "disk.raw", "disk.zvhd2", "--json"],
    &["inspect", "disk.raw", "--json"],
];

fn folder() -> Folder {
    let folder = Folder::new();
    folder.sparse("disk.raw", 9 << 20, &[0, 5 << 20]);
    folder
}

/// No number in a document is below zero, and none is as large as a difference that went below it would be.
fn assert_sane(value: &Value, context: &str) {
    match value {
        Value::Number(number) => {
            let number = number.as_f64().unwrap();
            assert!((0.0..1e18).contains(&number), "{number} in {context}");
        }
        Value::Array(items) => items.iter().for_each(|item| assert_sane(item, context)),
        Value::Object(fields) => fields.values().for_each(|item| assert_sane(item, context)),
        _ => {}
    }
}

fn assert_works(command: &mut Command, context: &str) {
    let output = command.env_remove("SOURCE_DATE_EPOCH").output().unwrap();
    let err = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!((output.status.code(), err.contains("panicked")), (Some(0), false), "{context}: {err}");
    let json = serde_json::from_slice::<Value>(&output.stdout).expect(context);
    assert_sane(&json, context);
}

#[test]
fn under_any_clock_every_command_works() {
    need_tools(["faketime"]);
    let folder = folder();
    // Before 1970 and 2000, after the last moment that a footer tells of; and one that is set back by a second at each look.
    for clock in
        ["@1960-01-01 00:00:00", "@1985-06-01 00:00:00", "@2150-01-01 00:00:00", "@2026-01-01 00:00:00 i-1.0"]
    {
        for args in COMMANDS {
            let mut command = command("faketime");
            command
                .args(["-f", clock, env!("CARGO_BIN_EXE_imsprep")])
                .args(*args)
                .current_dir(folder.path("."));
            assert_works(&mut command, &format!("{clock}: {args:?}"));
        }
        // What a footer can't tell of becomes the first moment that it can, and no other one by chance.
        let made =
            u32::from_le_bytes(std::fs::read(folder.path("disk.zvhd2")).unwrap()[24..28].try_into().unwrap());
        assert_eq!(made == 0, !clock.starts_with("@2026"), "{clock}: {made}");
    }
}

#[test]
fn files_of_any_age_are_read() {
    let folder = folder();
    assert_eq!(folder.run(&["bitmap", "create", "disk.raw"]).status, 0);
    let century = Duration::from_secs(100 * 365 * 86_400);
    let moments =
        [UNIX_EPOCH - century / 2, UNIX_EPOCH, SystemTime::now() + century, UNIX_EPOCH + 3 * century];
    for (image, bitmap) in
        moments.iter().flat_map(|image| moments.iter().map(move |bitmap| (*image, *bitmap)))
    {
        for (name, time) in [("disk.raw", image), ("disk.mf", bitmap)] {
            let file = std::fs::File::options().write(true).open(folder.path(name)).unwrap();
            file.set_modified(time).unwrap();
        }
        let (status, json) = folder.json(&["check", "disk.raw"]);
        assert_eq!(status, 0, "{json:#}");
        assert_sane(&json, "check");
        let older = crate::folder::codes(&json["files"][0]["report"]).contains(&"BM-007".to_owned());
        assert_eq!(older, bitmap < image, "{image:?} {bitmap:?}");
    }
    for args in COMMANDS {
        assert_works(
            Command::new(env!("CARGO_BIN_EXE_imsprep")).args(*args).current_dir(folder.path(".")),
            &format!("{args:?}"),
        );
    }
}
