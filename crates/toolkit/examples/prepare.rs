//! Prepares an image for import and prints the verdict: `cargo run --example prepare -- disk.qcow2`

#![expect(clippy::print_stdout, reason = "a program says what it found")]

use std::path::Path;

use imsprep_toolkit::{Cancel, CheckOptions, ConvertOptions, Verdict, Work, prepare_image};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let source = std::env::args_os().nth(1).ok_or("usage: prepare IMAGE")?;
    let options = ConvertOptions::default();
    let prepared = prepare_image(
        Path::new(&source),
        &options,
        &CheckOptions::default(),
        Work::new(&(), &Cancel::new()),
    )?;
    let conversion = prepared.conversion.iter().flat_map(|conversion| conversion.plan.report.findings());
    let result = prepared.checked.iter().flat_map(|checked| checked.report.findings());
    for finding in conversion.chain(result) {
        println!("{}: {}", finding.rule.code, finding.message);
    }
    let verdict = prepared.checked.map_or(Verdict::NotImportable, |checked| checked.verdict());
    println!("{verdict:?}");
    Ok(())
}
