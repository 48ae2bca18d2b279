//! How a layout was proven against the program that writes bitmap files in it.

use std::path::Path;

/// A file of a program that was run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProvenFile {
    /// Its path, as it was run.
    pub name: String,
    /// Its size in bytes.
    pub size: u64,
    /// Its SHA-256, in hexadecimal digits.
    pub sha256: String,
}

/// What a program was run on, and which program that was.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Proof {
    /// The command, with `{image}` and `{bitmap}` for the paths.
    pub command: String,
    /// The files that the command names.
    pub files: Vec<ProvenFile>,
    /// The day: `2026-11-28`.
    pub date: String,
    /// Images for which the program and the layout wrote the same bytes.
    pub images: u32,
    /// What was special about them, in words.
    pub shapes: Vec<String>,
    /// The size of the largest.
    pub largest_image: u64,
    /// Sizes that no disk has and that the program does not take.
    pub refused: Vec<u64>,
    /// imsprep's version.
    pub version: String,
}

/// Digits of a SHA-256 that stand for all of them.
const DIGITS: usize = 8;

impl Proof {
    /// In one line, to follow on "layout": "proven against CreateMF.jar 3fa9c0de.. on 2026-11-28, 46 images up to 1 TiB".
    pub fn summary(&self) -> String {
        // A program that another one runs comes last: `java -jar CreateMF.jar`.
        let program = self.files.last().map_or_else(
            || self.command.clone(),
            |file| {
                let name = Path::new(&file.name).file_name().map(|name| name.to_string_lossy());
                format!(
                    "{} {}..",
                    name.unwrap_or_default(),
                    file.sha256.get(..DIGITS).unwrap_or(&file.sha256)
                )
            },
        );
        let Self { date, images, largest_image, .. } = self;
        format!("proven against {program} on {date}, {images} images of up to {largest_image} bytes")
    }
}
