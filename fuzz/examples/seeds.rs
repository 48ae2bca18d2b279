//! Writes the seeds of every target, or of those that are named, into folders of their names:
//! `seeds FOLDER [TARGET...]`.

use std::path::PathBuf;
use std::process::ExitCode;

use imsprep_fuzz::targets::ALL;

fn main() -> ExitCode {
    let mut arguments = std::env::args().skip(1);
    let Some(folder) = arguments.next().map(PathBuf::from) else {
        eprintln!("seeds FOLDER [TARGET...]");
        return ExitCode::from(2);
    };
    let wanted = arguments.collect::<Vec<_>>();
    for (name, seeds) in ALL.iter().filter(|(name, _)| wanted.is_empty() || wanted.iter().any(|w| w == name))
    {
        let folder = folder.join(name);
        let seeds = seeds();
        let written = std::fs::create_dir_all(&folder).and_then(|()| {
            seeds
                .iter()
                .enumerate()
                .try_for_each(|(number, seed)| std::fs::write(folder.join(format!("seed-{number:03}")), seed))
        });
        if let Err(error) = written {
            eprintln!("{}: {error}", folder.display());
            return ExitCode::FAILURE;
        }
        let largest = seeds.iter().map(Vec::len).max().unwrap_or(0);
        println!("{name}: {} seeds, the largest of {largest} bytes", seeds.len());
    }
    ExitCode::SUCCESS
}
