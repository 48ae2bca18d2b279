//! What is special about measuring `bitmap learn --program`: its command, what it printed, and the disk that its images take.

use std::ffi::OsString;
use std::path::Path;
use std::process::Command;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use imsprep_source::allocated_size;
use serde::Deserialize;

use crate::BenchOptions;

/// How often the folder of the images is looked at. Each image exists for as long as a run of the program, which takes several
/// milliseconds.
const INTERVAL: Duration = Duration::from_millis(2);

/// Folders within each other that are looked at: the learner makes two.
const DEEPEST: usize = 4;

/// Seconds that learning may take: enough for a slow machine, on which the time is the result and no failure.
const TIME_LIMIT: &str = "900";

/// The call. The program to learn from is ours, which starts fast, skips holes, and needs nothing else on the machine.
pub(crate) fn command(options: &BenchOptions, images: &Path) -> Command {
    let mut program = OsString::from("'");
    // Quoted for the rules of a POSIX shell, by which the words are split.
    program.push(options.program.to_string_lossy().replace('\'', r"'\''"));
    program.push("' bitmap create --json --no-progress --layout zvhd2 {image} -o {bitmap}");
    let mut command = Command::new(&options.program);
    command.args(["bitmap", "learn", "--json", "--no-progress", "--time-limit", TIME_LIMIT, "--temp-dir"]);
    command.arg(images).arg("--program").arg(program);
    command
}

#[derive(Deserialize)]
struct Printed {
    program: Learned,
}

#[derive(Deserialize)]
struct Learned {
    outcome: String,
    runs: usize,
    images: Vec<serde::de::IgnoredAny>,
}

/// `proven by 62 images, 70 runs, 1.3 MiB of disk at most`, from what learning printed.
///
/// # Errors
///
/// What learning came to instead, if it proved no layout; `None` if it printed no report.
pub(crate) fn proof(printed: &Path, disk: u64) -> Result<String, Option<String>> {
    let text = std::fs::read(printed).map_err(|_| None)?;
    let Printed { program } = serde_json::from_slice(&text).map_err(|_| None)?;
    let (images, runs) = (program.images.len(), program.runs);
    let disk = format!("{}.{} MiB", disk >> 20, ((disk & 0xf_ffff) * 10) >> 20);
    if program.outcome != "proven" {
        return Err(Some(program.outcome));
    }
    Ok(format!("proven by {images} images, {runs} runs, {disk} of disk at most"))
}

/// Does work, and finds the most bytes that the file system kept meanwhile for the files in a folder.
pub(crate) fn watching_disk<T>(folder: &Path, work: impl FnOnce() -> T) -> (T, u64) {
    let done = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let watcher = scope.spawn(|| {
            let mut most = 0;
            while !done.load(Ordering::Relaxed) {
                most = most.max(allocated_in(folder, DEEPEST));
                std::thread::sleep(INTERVAL);
            }
            most
        });
        let result = work();
        done.store(true, Ordering::Relaxed);
        (result, watcher.join().unwrap_or(0))
    })
}

/// Bytes that the file system keeps for the files in a folder. What is removed meanwhile counts nothing.
fn allocated_in(folder: &Path, deepest: usize) -> u64 {
    let Ok(entries) = std::fs::read_dir(folder) else { return 0 };
    let sizes = entries.flatten().map(|entry| match entry.metadata() {
        Ok(metadata) if metadata.is_dir() && deepest > 0 => allocated_in(&entry.path(), deepest - 1),
        Ok(metadata) if metadata.is_file() => allocated_size(&metadata),
        _ => 0,
    });
    sizes.fold(0, u64::saturating_add)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_proven_layout_has_a_proof() {
        let dir = tempfile::tempdir().unwrap();
        let printed = dir.path().join("printed");
        for (outcome, expected) in [
            ("proven", Ok("proven by 2 images, 7 runs, 1.5 MiB of disk at most".to_owned())),
            ("not-learned", Err(Some("not-learned".to_owned()))),
            ("too-few-images", Err(Some("too-few-images".to_owned()))),
        ] {
            let text =
                format!(r#"{{"program": {{"outcome": "{outcome}", "runs": 7, "images": [{{}}, 1]}}}}"#);
            std::fs::write(&printed, text).unwrap();
            assert_eq!(proof(&printed, 3 << 19), expected, "{outcome}");
        }
        std::fs::write(&printed, r#"{"program": null}"#).unwrap();
        assert_eq!(proof(&printed, 0), Err(None));
        assert_eq!(proof(&dir.path().join("none"), 0), Err(None));
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn the_most_that_was_on_the_disk_counts_and_holes_do_not() {
        let dir = tempfile::tempdir().unwrap();
        let inner = dir.path().join("folder/within");
        std::fs::create_dir_all(&inner).unwrap();
        let ((), most) = watching_disk(dir.path(), || {
            let image = inner.join("image");
            std::fs::write(&image, vec![1; 1 << 20]).unwrap();
            let file = std::fs::File::options().write(true).open(&image).unwrap();
            file.set_len(1 << 40).unwrap();
            file.sync_all().unwrap();
            // Much longer than the interval, however busy the machine is.
            std::thread::sleep(INTERVAL * 250);
            drop(file);
            std::fs::remove_file(&image).unwrap();
        });
        assert!((1 << 20..1 << 30).contains(&most), "{most}");
        assert_eq!(allocated_in(dir.path(), DEEPEST), 0);
    }
}
