//! What one run of a program, or of work in this process, cost.

use std::time::{Duration, Instant};

use imsprep_source::{ChildUsage, cpu_time};

use crate::{Result, machine};

/// What one run cost.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Usage {
    pub(crate) wall: Duration,
    pub(crate) cpu: Duration,
    pub(crate) device_read: u64,
    pub(crate) device_written: u64,
    pub(crate) peak_memory: u64,
}

impl From<&ChildUsage> for Usage {
    fn from(child: &ChildUsage) -> Self {
        Self {
            wall: child.wall,
            cpu: child.cpu,
            device_read: child.device_read.0,
            device_written: child.device_written.0,
            peak_memory: child.peak_memory.0,
        }
    }
}

/// Does work in this process that reads no disk, and measures it. The memory is that of the whole process, with what the
/// work is done on.
pub(crate) fn measure_here<T>(work: impl FnOnce() -> Result<T>) -> Result<(T, Usage)> {
    machine::forget_own_peak();
    let cpu_before = cpu_time();
    let begun = Instant::now();
    let result = work()?;
    let wall = begun.elapsed();
    let cpu =
        cpu_time().zip(cpu_before).map_or(Duration::ZERO, |(after, before)| after.saturating_sub(before));
    let peak_memory = machine::own_peak().unwrap_or(0);
    Ok((result, Usage { wall, cpu, device_read: 0, device_written: 0, peak_memory }))
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    #[test]
    fn work_costs_time_processor_and_memory() {
        let work = || {
            let begun = Instant::now();
            let memory = std::hint::black_box(vec![1u8; 64 << 20]);
            while begun.elapsed() < Duration::from_millis(50) {
                std::hint::spin_loop();
            }
            Ok(memory.len())
        };
        let (length, usage) = measure_here(work).unwrap();
        assert_eq!(length, 64 << 20);
        assert!(usage.wall >= Duration::from_millis(50), "{usage:?}");
        assert!(usage.cpu > Duration::ZERO && usage.peak_memory > 64 << 20, "{usage:?}");
    }
}
