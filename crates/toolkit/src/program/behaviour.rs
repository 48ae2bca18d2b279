//! What a program's bitmap file depends on besides the content of the image, which it must not.

use std::time::{Duration, SystemTime};

use imsprep_source::Cancel;

use super::runner::{Presentation, Ran, RunFailure, Runner};
use super::sample_image::SampleImage;
use crate::Result;

/// Ways in which a program is none whose layout can be learned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FaultKind {
    /// Two runs at once on one image write different files.
    NotDeterministic,
    /// A later run on the same image writes another file.
    DependsOnTime,
    /// The file depends on the image's name.
    DependsOnImageName,
    /// The file depends on its own name.
    DependsOnBitmapName,
    /// The file depends on the image's modification time.
    DependsOnImageTime,
    /// The file depends on the file that the image is, such as its inode: an image with the same bytes brings another.
    DependsOnImageFile,
    /// The file depends on which of the image's zeros are holes.
    DependsOnHoles,
    /// The image was altered.
    ChangesImage,
    /// Processes were left running.
    LeavesChildren,
    /// It does not end.
    Hangs,
    /// It fails on every image.
    Fails,
    /// It fails on images of some sizes.
    FailsOnSomeSizes,
    /// It writes no bitmap file, or to another place.
    WritesNothing,
    /// A file that its command names was altered meanwhile.
    ChangesItself,
}

impl FaultKind {
    /// The word in reports.
    pub fn name(self) -> &'static str {
        match self {
            Self::NotDeterministic => "not-deterministic",
            Self::DependsOnTime => "depends-on-time",
            Self::DependsOnImageName => "depends-on-image-name",
            Self::DependsOnBitmapName => "depends-on-bitmap-name",
            Self::DependsOnImageTime => "depends-on-image-time",
            Self::DependsOnImageFile => "depends-on-image-file",
            Self::DependsOnHoles => "depends-on-holes",
            Self::ChangesImage => "changes-image",
            Self::LeavesChildren => "leaves-children",
            Self::Hangs => "hangs",
            Self::Fails => "fails",
            Self::FailsOnSomeSizes => "fails-on-some-sizes",
            Self::WritesNothing => "writes-nothing",
            Self::ChangesItself => "changes-itself",
        }
    }

    /// For people, to follow on "the program".
    pub fn title(self) -> &'static str {
        match self {
            Self::NotDeterministic => "is not deterministic: two runs on one image write different files",
            Self::DependsOnTime => {
                "writes what depends on the time: a later run on the same image writes another file"
            }
            Self::DependsOnImageName => "writes what depends on the name of the image",
            Self::DependsOnBitmapName => "writes what depends on the name of the bitmap file",
            Self::DependsOnImageTime => "writes what depends on the modification time of the image",
            Self::DependsOnImageFile => {
                "writes what depends on more than the image's bytes, name and time: a copy brings another file"
            }
            Self::DependsOnHoles => "writes what depends on which zeros of the image are holes",
            Self::ChangesImage => "changes the image",
            Self::LeavesChildren => "leaves processes behind",
            Self::Hangs => "does not end",
            Self::Fails => "fails",
            Self::FailsOnSomeSizes => "fails on images of some sizes",
            Self::WritesNothing => "writes no bitmap file where it should",
            Self::ChangesItself => "is another one now: a file that its command names was altered meanwhile",
        }
    }
}

/// What is wrong with a program, and what shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// In which way.
    pub kind: FaultKind,
    /// The image that showed it, in words.
    pub image: String,
    /// What was seen, in words.
    pub evidence: String,
    /// What the program printed then.
    pub output: String,
}

impl Fault {
    pub(super) fn new(kind: FaultKind, image: &SampleImage, evidence: impl Into<String>, ran: &Ran) -> Self {
        Self { kind, image: in_words(image), evidence: evidence.into(), output: ran.output.clone() }
    }
}

/// An image in words.
pub(super) fn in_words(image: &SampleImage) -> String {
    format!("image of {} bytes ({})", image.size, image.shape)
}

/// A small image with data and zeros, of which everything is asked first.
pub(super) fn base_image() -> SampleImage {
    SampleImage::mixed((10 << 20) + 4096 + 512)
}

/// Runs further apart than this show a clock that counts seconds.
const SECOND: Duration = Duration::from_millis(1100);

/// What a run shows that is wrong whatever it wrote.
pub(super) fn misconduct(image: &SampleImage, ran: &Ran) -> Option<Fault> {
    if let Some(what) = &ran.image_changed {
        return Some(Fault::new(FaultKind::ChangesImage, image, what, ran));
    }
    let count = ran.left_behind;
    (count > 0).then(|| {
        let evidence = match count {
            1 => "a process was still running after the end of the program; it was killed".to_owned(),
            count => {
                format!("{count} processes were still running after the end of the program; they were killed")
            }
        };
        Fault::new(FaultKind::LeavesChildren, image, evidence, ran)
    })
}

/// The experiments on one image: each alters one thing, and the file has to stay the same. `first` is what it was.
pub(super) fn dependence(
    runner: &mut Runner<'_>,
    image: &SampleImage,
    first: &[u8],
    cancel: &Cancel,
) -> Result<Option<Fault>> {
    let plain = Presentation::default();
    let mut made = runner.make(image)?;
    let experiments = [
        // The first run was on another file with the same bytes, so that this one is made twice.
        (None, plain.clone()),
        (Some(FaultKind::NotDeterministic), plain.clone()),
        (
            Some(FaultKind::DependsOnBitmapName),
            Presentation { bitmap_name: "quite another name.mf", ..plain.clone() },
        ),
        (
            Some(FaultKind::DependsOnImageName),
            Presentation { image_name: "a name that is longer.raw", ..plain.clone() },
        ),
        (
            Some(FaultKind::DependsOnImageTime),
            Presentation {
                modified: Some(SystemTime::UNIX_EPOCH + Duration::from_secs(1_000_000_000)),
                ..plain.clone()
            },
        ),
    ];
    let mut before: Option<Vec<u8>> = None;
    for (kind, presentation) in experiments {
        let ran = runner.run_on(&mut made, &presentation)?;
        if let Some(fault) = misconduct(image, &ran) {
            return Ok(Some(fault));
        }
        match (&ran.bitmap, &before, kind) {
            (Err(failure), ..) => {
                let evidence = format!("the first run on this image succeeded; in a later one {failure}");
                let kind = kind.unwrap_or(FaultKind::NotDeterministic);
                return Ok(Some(Fault::new(kind, image, evidence, &ran)));
            }
            (Ok(bytes), None, _) => before = Some(bytes.clone()),
            (Ok(bytes), Some(before), Some(kind)) if bytes != before => {
                let again = later(runner, cancel, |runner| runner.run_on(&mut made, &presentation))?;
                let kind = if kind != FaultKind::NotDeterministic && again.bitmap != ran.bitmap {
                    FaultKind::DependsOnTime
                } else {
                    kind
                };
                return Ok(Some(Fault::new(kind, image, difference(before, bytes), &ran)));
            }
            _ => {}
        }
    }
    let before = before.unwrap_or_default();
    if before != first {
        // It is another file, and it is later: which of both counts, the same file shows, still later.
        let again = later(runner, cancel, |runner| runner.run_on(&mut made, &plain))?;
        let kind = if again.bitmap.as_deref() == Ok(before.as_slice()) {
            FaultKind::DependsOnImageFile
        } else {
            FaultKind::DependsOnTime
        };
        return Ok(Some(Fault::new(kind, image, difference(first, &before), &again)));
    }
    drop(made);
    let written = image.clone().with_written_zeros(512 << 10, |_| true);
    let ran = runner.run(&written, &plain)?;
    let evidence = match &ran.bitmap {
        Ok(bytes) if *bytes == before => return Ok(misconduct(image, &ran)),
        Ok(bytes) => difference(&before, bytes),
        Err(failure) => failure.to_string(),
    };
    let again = later(runner, cancel, |runner| runner.run(&written, &plain))?;
    let kind = if again.bitmap == ran.bitmap { FaultKind::DependsOnHoles } else { FaultKind::DependsOnTime };
    Ok(Some(Fault::new(kind, image, evidence, &ran)))
}

/// A run when a clock that counts seconds shows another one.
fn later(
    runner: &mut Runner<'_>,
    cancel: &Cancel,
    run: impl FnOnce(&mut Runner<'_>) -> Result<Ran>,
) -> Result<Ran> {
    let begun = std::time::Instant::now();
    while begun.elapsed() < SECOND {
        cancel.check()?;
        std::thread::sleep(Duration::from_millis(20));
    }
    run(runner)
}

/// The first run once more, at least a second later.
pub(super) fn dependence_on_time(
    runner: &mut Runner<'_>,
    image: &SampleImage,
    first: &[u8],
    cancel: &Cancel,
) -> Result<Option<Fault>> {
    while runner.elapsed() < SECOND {
        cancel.check()?;
        std::thread::sleep(Duration::from_millis(20));
    }
    let ran = runner.run(image, &Presentation::default())?;
    let evidence = match &ran.bitmap {
        Ok(bytes) if bytes == first => return Ok(misconduct(image, &ran)),
        Ok(bytes) => difference(first, bytes),
        Err(RunFailure::NoTimeLeft) => return Ok(None),
        Err(failure) => format!("the first run on this image succeeded; now {failure}"),
    };
    Ok(Some(Fault::new(FaultKind::DependsOnTime, image, evidence, &ran)))
}

/// Stretches of differing bytes that are written out.
const MOST_STRETCHES: usize = 4;
/// Bytes of each that are.
const MOST_BYTES: usize = 8;

/// Where two files differ, in words, with the bytes.
pub(super) fn difference(a: &[u8], b: &[u8]) -> String {
    let mut parts = Vec::new();
    if a.len() != b.len() {
        parts.push(format!("one has {} bytes, the other {}", a.len(), b.len()));
    }
    let mut stretches: Vec<std::ops::Range<usize>> = Vec::new();
    for (at, _) in a.iter().zip(b).enumerate().filter(|(_, (a, b))| a != b) {
        match stretches.last_mut() {
            // Numbers have equal bytes in between.
            Some(last) if at <= last.end + 2 => last.end = at + 1,
            _ => stretches.push(at..at + 1),
        }
    }
    for range in stretches.iter().take(MOST_STRETCHES) {
        let hex = |file: &[u8]| {
            let bytes = file.get(range.clone()).unwrap_or_default();
            let shown =
                bytes.iter().take(MOST_BYTES).map(|byte| format!("{byte:02x}")).collect::<Vec<_>>().join(" ");
            if bytes.len() > MOST_BYTES { shown + " .." } else { shown }
        };
        let place = match range.len() {
            1 => format!("byte {}", range.start),
            _ => format!("bytes {} to {}", range.start, range.end - 1),
        };
        parts.push(format!("{place}: {} and {}", hex(a), hex(b)));
    }
    if stretches.len() > MOST_STRETCHES {
        parts.push(format!("and {} more places", stretches.len() - MOST_STRETCHES));
    }
    parts.join("; ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn differences_are_places_with_their_bytes() {
        assert_eq!(difference(b"abcdefgh", b"abXdYfgh"), "bytes 2 to 4: 63 64 65 and 58 64 59");
        assert_eq!(difference(b"abcdef", b"Xbcdefg"), "one has 6 bytes, the other 7; byte 0: 61 and 58");
        let (a, b) = (vec![0; 100], (0..100u8).map(|i| u8::from(i % 10 == 5)).collect::<Vec<_>>());
        assert!(difference(&a, &b).ends_with("and 6 more places"), "{}", difference(&a, &b));
    }
}
