//! Programs run as children: what one costs the machine, and that none outlives us.

use std::io;
use std::process::Command;
use std::time::{Duration, Instant};

use crate::{Cancel, ChildUsage, sys};

/// Processor time that this process has had so far, all its threads together, in user and in system mode; `None` where the
/// system does not tell.
pub fn cpu_time() -> Option<Duration> {
    sys::cpu_time()
}

/// Runs a program to its end and measures it; kills it when the work is cancelled.
///
/// # Errors
///
/// If it can't be started or waited for; of kind [`io::ErrorKind::Interrupted`] if the work was cancelled; of kind
/// [`io::ErrorKind::Unsupported`] where the system does not tell what a child cost.
pub fn measure_child(command: &mut Command, cancel: &Cancel) -> io::Result<ChildUsage> {
    // A new program begins with the memory peak of the one that started it, as Linux counts: so ours is set back first.
    // Where that can't be, the peak of a small program reads as high as ours.
    let _ = std::fs::write("/proc/self/clear_refs", "5");
    let begun = Instant::now();
    let mut child = command.spawn()?;
    let waited = sys::wait_for_child(&child, begun, cancel);
    if waited.is_err() {
        // Neither is of use any more: it may be gone, or it may go on writing unseen.
        let _ = child.kill();
        let _ = child.wait();
    }
    waited
}

/// Makes the system end the program that `command` starts as soon as the thread that starts it ends. So the program does not outlive
/// this process, however this process ends. Does nothing on systems that cannot do this.
pub fn end_with_parent(command: &mut Command) {
    sys::end_with_parent(command);
}

#[cfg(all(test, target_os = "linux"))]
pub(crate) mod tests {
    use super::*;

    pub(crate) fn shell(script: &str) -> Command {
        let mut command = Command::new("sh");
        command.args(["-c", script]);
        command
    }

    #[test]
    fn tells_time_processor_and_memory_of_a_child() {
        let usage = measure_child(&mut shell("sleep 0.2; exit 3"), &Cancel::new()).unwrap();
        assert_eq!(usage.status.code(), Some(3));
        assert!(usage.wall >= Duration::from_millis(200), "{usage:?}");
        assert!(usage.cpu < usage.wall, "{usage:?}");
        assert!((100 << 10..100 << 20).contains(&usage.peak_memory.0), "{usage:?}");

        let hungry = "dd if=/dev/zero of=/dev/null bs=200M count=1 status=none";
        let usage = measure_child(&mut shell(hungry), &Cancel::new()).unwrap();
        assert!(usage.peak_memory.0 > 200 << 20, "{usage:?}");
        assert!(usage.cpu > Duration::from_millis(1), "{usage:?}");
        // The peak is the child's own, not that of an earlier one or ours.
        let usage = measure_child(&mut shell("true"), &Cancel::new()).unwrap();
        assert!(usage.peak_memory.0 < 100 << 20, "{usage:?}");
    }

    #[test]
    fn tells_what_was_read_from_a_disk_and_not_what_was_in_memory() {
        // Beside the sources and not in /tmp, which may be in memory.
        let dir = tempfile::tempdir_in(env!("CARGO_MANIFEST_DIR")).unwrap();
        let path = dir.path().join("image.raw");
        std::fs::write(&path, vec![1; 8 << 20]).unwrap();
        let file = std::fs::File::open(&path).unwrap();
        file.sync_all().unwrap();
        let read = |flag: &str| {
            let mut command = Command::new("dd");
            command.arg(format!("if={}", path.display()));
            command.args(["of=/dev/null", "bs=1M", "status=none", flag]);
            measure_child(&mut command, &Cancel::new()).unwrap()
        };
        let past_the_cache = read("iflag=direct");
        if past_the_cache.status.success() {
            assert!(past_the_cache.device_read.0 >= 8 << 20, "{past_the_cache:?}");
        }
        assert!(read("iflag=fullblock").status.success(), "now it is in memory");
        let usage = read("iflag=fullblock");
        assert_eq!((usage.device_read.0, usage.device_written.0), (0, 0));

        let copy = format!("cp {0} {0}.copy", path.display());
        let usage = measure_child(&mut shell(&copy), &Cancel::new()).unwrap();
        assert!(usage.status.success() && (8 << 20..9 << 20).contains(&usage.device_written.0), "{usage:?}");
    }

    #[test]
    fn own_processor_time_grows_with_work_and_not_with_sleep() {
        let ms = Duration::from_millis;
        let before = cpu_time().unwrap();
        let begun = Instant::now();
        while begun.elapsed() < ms(50) {
            std::hint::spin_loop();
        }
        assert!(cpu_time().unwrap() > before);
        let before = cpu_time().unwrap();
        std::thread::sleep(ms(1));
        assert!(cpu_time().unwrap() >= before);
    }

    #[test]
    fn a_program_that_is_not_there_is_an_error_and_one_that_hangs_is_killed() {
        let error = measure_child(&mut Command::new("no-such-program-here"), &Cancel::new()).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::NotFound);

        let cancel = Cancel::new();
        let begun = Instant::now();
        let stop = cancel.clone();
        let later = std::thread::spawn(move || {
            std::thread::sleep(Duration::from_millis(100));
            stop.cancel();
        });
        let error = measure_child(Command::new("sleep").arg("100"), &cancel).unwrap_err();
        later.join().unwrap();
        assert_eq!(error.kind(), io::ErrorKind::Interrupted);
        assert!(begun.elapsed() < Duration::from_secs(50));
    }
}
