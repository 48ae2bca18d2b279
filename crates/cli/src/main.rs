//! `imsprep`: checks and prepares disk images for quick import into Huawei Cloud and Open Telekom Cloud.

mod args;
mod codes;
mod commands;
mod config;
mod emit;
mod exit;
mod failure;
mod foreseen;
mod identity;
mod layouts;
mod manual;
mod moment;
mod outcome;
mod page;
mod policy;
mod progress;
mod project_layout;
mod render;
#[cfg(test)]
mod sample;
mod setup;
mod signals;
mod style;
mod summary;
mod terminal;
mod version;
mod visible;
mod wire;
mod words;

use std::process::ExitCode;

use args::{BitmapCommand, Command, Zvhd2Command};
use setup::Setup;

fn main() -> ExitCode {
    let args = args::parse();
    let setup = match Setup::new(&args.common) {
        Ok(setup) => setup,
        Err(error) => return failure::report_failure(&error).into(),
    };
    let result = match args.command {
        Command::Check(args) => commands::check::run(&args, &setup),
        Command::Detect(args) => commands::detect::run(&args, &setup),
        Command::Inspect(args) => commands::inspect::run(&args, &setup),
        Command::Bitmap(BitmapCommand::Create(args)) => commands::bitmap::create(&args, &setup),
        Command::Bitmap(BitmapCommand::Verify(args)) => commands::bitmap::verify(&args, &setup),
        Command::Bitmap(BitmapCommand::Show(args)) => commands::bitmap_files::show(&args, &setup),
        Command::Bitmap(BitmapCommand::Diff(args)) => commands::bitmap_files::diff(&args, &setup),
        Command::Bitmap(BitmapCommand::Convert(args)) => commands::bitmap_files::convert(&args, &setup),
        Command::Bitmap(BitmapCommand::Learn(args)) => commands::learn::learn(&args, &setup),
        Command::Bitmap(BitmapCommand::Layouts) => commands::layouts::list(&setup),
        Command::Bitmap(BitmapCommand::MakeSample(args)) => commands::learn::make_sample(&args, &setup),
        Command::Prepare(args) => commands::prepare::run(&args, &setup),
        Command::Verify(args) => commands::verify::run(&args, &setup),
        Command::Convert(args) => commands::convert::run(&args, &setup),
        Command::Compare(args) => commands::compare::run(&args, &setup),
        Command::Boot(args) => commands::boot::run(&args, &setup),
        Command::Serve(args) => commands::serve::run(&args, &setup),
        Command::Zvhd2(Zvhd2Command::Check(args)) => commands::zvhd2::check(&args, &setup),
        Command::Zvhd2(Zvhd2Command::Info(args)) => commands::zvhd2::info(&args, &setup),
        Command::Zvhd2(Zvhd2Command::Map(args)) => commands::map::run(&args, &setup),
        Command::Zvhd2(Zvhd2Command::Repair(args)) => commands::repair::run(&args, &setup),
        Command::Request(args) => commands::request::run(&args, &setup),
        Command::OsVersions(args) => commands::os_versions::run(&args, &setup),
        Command::Rules(args) => commands::rules::run(&args, &setup),
        Command::Summary(args) => commands::summary::run(&args, &setup),
        Command::Bench(args) => commands::bench::run(&args, &setup),
        Command::Generate(args) => commands::generate::run(&args),
    };
    let status = result.unwrap_or_else(|error| failure::report_failure(&error));
    setup.exit_code(status)
}
