//! A conversion.

use imsprep_source::{Sink, Work};

use crate::{Direction, Error, OpenedImage, Plan, RawWritten, Result, Zvhd2Written, raw, zvhd2};

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
    /// Converts the image that was read into the output that the options name, which appears complete or not at all; if it is
    /// verified, only after every block was read back. The bitmap of a RAW is written in the same pass, and gets its name next.
    /// A plan that is refused writes nothing. The disk in a compressed file is judged once all of it was unpacked; if that refuses the plan,
    /// nothing is left of the output.
    ///
    /// # Errors
    ///
    /// [`Error::NoOutput`] if the options name none; [`Error::MisleadingName`]; [`Error::NotAsWritten`]; damage in the image;
    /// what reading and writing brings. Nothing is left of a file that could not be finished.
    pub fn convert(mut self, work: Work<'_>) -> Result<Conversion> {
        if self.is_refused() {
            return Ok(Conversion { plan: self, made: None });
        }
        let output = self.options.output.clone();
        let output = output.ok_or_else(|| Error::NoOutput { path: self.source.path().to_owned() })?;
        self.check_name(&output)?;
        let made = match self.direction {
            Direction::ToZvhd2 => {
                zvhd2::write(&mut self, &output, work).map(|made| made.map(Converted::Zvhd2))
            }
            Direction::ToRaw => raw::write(&mut self, &output, work).map(|made| made.map(Converted::Raw)),
        };
        match made {
            Ok(made) => Ok(Conversion { plan: self, made }),
            Err(error) => Err(match self.source.image().and_then(OpenedImage::hash) {
                Some(hash) => hash.instead_of(error, work),
                None => error,
            }),
        }
    }

    /// Converts the image that was read into a stream; of a RAW with its zeros. A plan that is refused writes nothing.
    ///
    /// # Errors
    ///
    /// As [`convert`](Self::convert); but what went into the stream can't be taken back.
    pub fn stream(self, out: &mut dyn Sink, work: Work<'_>) -> Result<Conversion> {
        if self.is_refused() {
            return Ok(Conversion { plan: self, made: None });
        }
        if let Some(image) = self.source.image() {
            // Of another file nothing may go into the stream.
            image.verify_hash(work)?;
        }
        let made = match self.direction {
            Direction::ToZvhd2 => Converted::Zvhd2(zvhd2::stream(&self, out, work)?),
            Direction::ToRaw => Converted::Raw(raw::stream(&self, out, work)?),
        };
        Ok(Conversion { plan: self, made: Some(made) })
    }
}
