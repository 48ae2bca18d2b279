//! A conversion, and how it is asked for.

use std::path::PathBuf;

use imsprep_findings::Overrides;
use imsprep_rules::{HUAWEI, Profile};
use imsprep_scan::IoMode;
use imsprep_source::{Cancel, Overwrite, Progress, Sink};
use imsprep_zvhd2::Level;

use crate::{Direction, Error, Plan, RawWritten, Result, Zvhd2Written, raw, zvhd2};

/// How much of the disk in a container.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum DiskLength {
    /// What the source image had: `orig_size`.
    #[default]
    Source,
    /// What readers expose: `curr_size`, the source's size rounded up to 1 GiB.
    Disk,
}

/// How to convert.
#[derive(Clone, Debug)]
pub struct ConvertOptions {
    /// The output's name; `None` for a stream. [`prepare_image`](crate::prepare_image) takes `None` for a name beside the
    /// source.
    pub output: Option<PathBuf>,
    /// What to do with an output that is there already.
    pub overwrite: Overwrite,
    /// Whether to read the output back before it is put in place; not possible with a stream.
    pub verify: bool,
    /// Rules that the user allows or denies. An error is allowed only if the conversion works in spite of it.
    pub overrides: Overrides,
    /// Whether a warning speaks against the conversion, too.
    pub strict: bool,
    /// Which disk of an archive, counted from 1; `None` is the only one.
    pub disk: Option<u32>,
    /// The cloud's rules.
    pub profile: &'static Profile,
    /// To RAW: how much of the disk.
    pub length: DiskLength,
    /// To RAW: whether to write its bitmap file, too. A stream has none.
    pub bitmap: bool,
    /// To ZVHD2: how to read a RAW while looking for zero blocks.
    pub io: IoMode,
    /// To ZVHD2: how hard to compress.
    pub level: Level,
    /// To ZVHD2: the container's identity; `None` is a random one.
    pub uuid: Option<[u8; 16]>,
    /// To ZVHD2: when it was made, as footers hold it; `None` is now.
    pub timestamp: Option<u32>,
}

impl Default for ConvertOptions {
    /// Into a stream, nothing allowed. To RAW: what the source image had, with its bitmap. To ZVHD2: as the reference does it.
    fn default() -> Self {
        Self {
            output: None,
            overwrite: Overwrite::Refuse,
            verify: false,
            overrides: Overrides::new(),
            strict: false,
            disk: None,
            profile: &HUAWEI,
            length: DiskLength::Source,
            bitmap: true,
            io: IoMode::Auto,
            level: Level::REFERENCE,
            uuid: None,
            timestamp: None,
        }
    }
}

/// What a conversion made.
#[derive(Debug)]
pub enum Converted {
    /// A ZVHD2.
    Zvhd2(Zvhd2Written),
    /// A RAW, and perhaps its bitmap.
    Raw(RawWritten),
}

/// A conversion that was planned, and what came of it.
#[derive(Debug)]
pub struct Conversion {
    /// What was planned.
    pub plan: Plan,
    /// What it made; `None` if the plan is refused.
    pub made: Option<Converted>,
}

impl Plan {
    /// Converts the image that was looked at into the output that the options name, which appears whole or not at all; if it is
    /// verified, only after every block was read back. The bitmap of a RAW is written in the same pass, and gets its name next.
    /// A plan that is refused writes nothing.
    ///
    /// # Errors
    ///
    /// [`Error::NoOutput`] if the options name none; [`Error::MisleadingName`]; [`Error::NotAsWritten`]; damage in the image;
    /// what reading and writing brings. Nothing is left of a file that could not be finished.
    pub fn convert(self, progress: &dyn Progress, cancel: &Cancel) -> Result<Conversion> {
        if self.is_refused() {
            return Ok(Conversion { plan: self, made: None });
        }
        let Plan { image, options, .. } = &self;
        let output = options.output.as_deref();
        let output = output.ok_or_else(|| Error::NoOutput { path: image.path().to_owned() })?;
        self.check_name(output)?;
        let made = match self.direction {
            Direction::ToZvhd2 => Converted::Zvhd2(zvhd2::write(image, output, options, progress, cancel)?),
            Direction::ToRaw => Converted::Raw(raw::write(image, output, options, progress, cancel)?),
        };
        Ok(Conversion { plan: self, made: Some(made) })
    }

    /// Converts the image that was looked at into a stream; of a RAW with its zeros. A plan that is refused writes nothing.
    ///
    /// # Errors
    ///
    /// As [`convert`](Self::convert); but what went into the stream can't be taken back.
    pub fn stream(self, out: &mut dyn Sink, progress: &dyn Progress, cancel: &Cancel) -> Result<Conversion> {
        if self.is_refused() {
            return Ok(Conversion { plan: self, made: None });
        }
        let Plan { image, options, .. } = &self;
        let made = match self.direction {
            Direction::ToZvhd2 => Converted::Zvhd2(zvhd2::stream(image, out, options, progress, cancel)?),
            Direction::ToRaw => Converted::Raw(raw::stream(image, out, options, progress, cancel)?),
        };
        Ok(Conversion { plan: self, made: Some(made) })
    }
}
