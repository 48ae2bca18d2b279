//! What the machine is.

/// The processor's name.
pub(crate) fn processor() -> Option<String> {
    field("/proc/cpuinfo", "model name")
}

/// Bytes of memory.
pub(crate) fn memory() -> Option<u64> {
    kibibytes(&field("/proc/meminfo", "MemTotal")?)
}

/// The system and its version.
pub(crate) fn system() -> String {
    let read = |name: &str| std::fs::read_to_string(format!("/proc/sys/kernel/{name}")).ok();
    match (read("ostype"), read("osrelease")) {
        (Some(name), Some(release)) => format!("{} {}", name.trim(), release.trim()),
        _ => std::env::consts::OS.into(),
    }
}

/// Forgets the peak of this process's memory, so that the next value is the peak from now on.
pub(crate) fn forget_own_peak() {
    // Where that can't be, the peak reads too high, as it does for children.
    let _ = std::fs::write("/proc/self/clear_refs", "5");
}

/// The most memory that this process had at once since then, in bytes.
pub(crate) fn own_peak() -> Option<u64> {
    kibibytes(&field("/proc/self/status", "VmHWM")?)
}

fn kibibytes(text: &str) -> Option<u64> {
    text.strip_suffix(" kB")?.trim().parse::<u64>().ok()?.checked_mul(1024)
}

/// The value of the first line `name : value`.
fn field(file: &str, name: &str) -> Option<String> {
    let text = std::fs::read_to_string(file).ok()?;
    let value = text.lines().find_map(|line| line.strip_prefix(name))?;
    Some(value.trim_start().trim_start_matches(':').trim().to_owned())
}
