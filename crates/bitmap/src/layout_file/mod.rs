//! Descriptions of layouts as TOML files. docs/bitmap-file.md specifies every key.

mod describe;
mod wire;
mod wire_fields;
mod wire_proof;

use std::path::{Path, PathBuf};

use imsprep_source::{ImageFile, ReadAt};

use crate::layout::Layout;
use wire::WireLayout;

pub use describe::describe_layout;

/// Longest description that is read.
const LONGEST_DESCRIPTION: u64 = 1 << 20;

/// Why a description can't be used. Each names the file.
#[derive(Debug, thiserror::Error)]
pub enum LayoutFileError {
    /// The file can't be read.
    #[error(transparent)]
    Source(#[from] imsprep_source::Error),
    /// It is too long to be one.
    #[error("{}: {size} bytes are too many for a description of a layout; the maximum is {LONGEST_DESCRIPTION}", path.display())]
    TooLong {
        /// The file.
        path: PathBuf,
        /// Its size.
        size: u64,
    },
    /// It does not say what a description has to say.
    #[error("{}: line {line}, column {column}: {what}", path.display())]
    Wrong {
        /// The file.
        path: PathBuf,
        /// The line, counted from 1.
        line: usize,
        /// The column, counted from 1.
        column: usize,
        /// What is wrong there.
        what: String,
    },
    /// It describes a layout that no file can be in.
    #[error("{}: {what}", path.display())]
    Impossible {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        what: String,
    },
}

/// Reads the description at `path`.
///
/// # Errors
///
/// [`LayoutFileError`], with the line where there is one.
pub fn read_layout(path: &Path) -> Result<Layout, LayoutFileError> {
    let file = ImageFile::open(path)?;
    if file.size() > LONGEST_DESCRIPTION {
        return Err(LayoutFileError::TooLong { path: path.to_owned(), size: file.size() });
    }
    let mut bytes = vec![0; usize::try_from(file.size()).unwrap_or(0)];
    file.read_at(&mut bytes, 0)?;
    let text = String::from_utf8(bytes).map_err(|error| LayoutFileError::Impossible {
        path: path.to_owned(),
        what: format!(
            "is not UTF-8 text, from byte {} on, and therefore not a description of a layout",
            error.utf8_error().valid_up_to()
        ),
    })?;
    parse_layout(path, &text)
}

/// Reads a description that errors call `path`.
///
/// # Errors
///
/// As [`read_layout`].
pub fn parse_layout(path: &Path, text: &str) -> Result<Layout, LayoutFileError> {
    let wire: WireLayout = toml::from_str(text).map_err(|error| {
        let at = error.span().map_or(0, |span| span.start);
        let before = text.get(..at).unwrap_or(text);
        let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
        LayoutFileError::Wrong {
            path: path.to_owned(),
            line: before.matches('\n').count() + 1,
            column: before.get(line_start..).unwrap_or_default().chars().count() + 1,
            what: error.message().replace('\n', "; "),
        }
    })?;
    wire.into_layout().map_err(|what| LayoutFileError::Impossible { path: path.to_owned(), what })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::binary::Padding;
    use crate::checksum::{Algorithm, Covered};
    use crate::field::{Field, Value};
    use crate::frame::circular_checksums;
    use crate::layout::{Form, LAYOUTS, Origin, SEALED, ZVHD2};
    use crate::number::{ByteOrder, Width};
    use crate::proof::{Proof, ProvenFile};

    fn parse(text: &str) -> Result<Layout, String> {
        parse_layout(Path::new("my.toml"), text).map_err(|error| error.to_string())
    }

    const SHORT: &str =
        "name = \"my\"\nblock-size = 2097152\nbit-order = \"least-significant-first\"\nset-bit = \"data\"\n";

    #[test]
    fn what_is_described_is_read_again() {
        let proof = Proof {
            command: "java -jar 'Create \"MF\".jar' {image} {bitmap}".into(),
            files: vec![ProvenFile { name: "CreateMF.jar".into(), size: 77, sha256: "3f".repeat(32) }],
            date: "2026-11-28".into(),
            images: 46,
            shapes: vec!["one block".into(), "an empty file".into()],
            largest_image: 1 << 40,
            refused: vec![0, 511],
            version: "0.1.0 (abc)".into(),
        };
        assert_eq!(
            proof.summary(),
            "proven against CreateMF.jar 3f3f3f3f.. on 2026-11-28, 46 images of up to 1099511627776 bytes"
        );
        for (layout, origin) in [
            (&ZVHD2, Origin::Described),
            (&SEALED, Origin::Learned { samples: 3 }),
            (&ZVHD2, Origin::Proven(Box::new(proof))),
        ] {
            let mut layout = Layout { name: "a \"name\"\\".into(), origin, ..layout.clone() };
            if let Form::Binary(binary) = &mut layout.form {
                // Of two checksums of the complete file, each would cover the other.
                let file = |value: &Value| {
                    matches!(value, Value::Checksum(_, Covered::File | Covered::Section))
                        && *value != Value::Checksum(Algorithm::Adler32, Covered::File)
                };
                let number = |value| Field::Number { value, width: Width::U64, order: ByteOrder::Big };
                let values = Value::all().filter(|value| !file(value) && *value != Value::RunCount);
                binary.trailer.to_mut().extend(values.map(number));
                binary.header.to_mut().push(Field::Constant(vec![7; 4000].into()));
                binary.padding.bit = true;
                let (header, trailer) = (&binary.header, &binary.trailer);
                assert_eq!(circular_checksums(header, trailer), [""; 0]);
            }
            let text = describe_layout(&layout, &["A note.".into()]).unwrap();
            assert_eq!(parse(&text), Ok(layout), "{text}");
        }
        for layout in LAYOUTS {
            assert_eq!(describe_layout(layout, &[]).is_some(), matches!(layout.form, Form::Binary(_)));
        }
    }

    #[test]
    fn cells_are_described_and_read_again() {
        let text = "name = \"my\"\nblock-size = 512\n[cells]\ndata = \"31\"\nzero = \"30\"\n";
        let layout = parse(text).unwrap();
        assert_eq!(
            layout.summary(),
            "blocks of 512 bytes, a byte for each block, \"1\" is data and \"0\" is zero, no padding"
        );
        assert_eq!(parse(&describe_layout(&layout, &[]).unwrap()).unwrap().form, layout.form);
        let either = "a layout has either bit-order and set-bit, or the table [cells], or the table [runs]";
        let values = "the values in [cells] have the same length, 1 to 8 bytes, and differ";
        for (text, what) in [
            (text.replace("31", "30"), values),
            (text.replace("31", "30 31"), values),
            (text.replace("31", "3"), "pairs of hexadecimal digits"),
            (text.replace("[cells]", "set-bit = \"data\"\n[cells]"), either),
            (format!("{SHORT}[cells]\ndata = \"31\"\nzero = \"30\"\n"), either),
            (SHORT.replace("set-bit = \"data\"\n", ""), either),
        ] {
            let error = parse(&text).unwrap_err();
            assert!(error.contains(what), "{what}: {error}");
        }
    }

    #[test]
    fn runs_are_described_and_read_again() {
        let text = "name = \"my\"\nblock-size = 4096\n[runs]\nnumbers = \"offset-length\"\nunit = \"bytes\"\nbytes = 8\norder = \
                    \"big\"\nclipped = true\n[[header]]\nnumber = \"run-count\"\nbytes = 4\norder = \"little\"\n";
        let layout = parse(text).unwrap();
        assert_eq!(
            layout.summary(),
            "blocks of 4 KiB, offset and length of each run of data in bytes, 8 bytes, big-endian, the last one ends with the \
             image, a header of 4 bytes"
        );
        assert_eq!(layout.encoded_len(1 << 30), None);
        for (a, b) in [("bytes\"", "sectors\""), ("offset-length", "first-last"), ("clipped = true\n", "")] {
            let other = parse(&text.replace(a, b)).unwrap();
            assert_ne!(other.form, layout.form);
            assert_eq!(parse(&describe_layout(&other, &[]).unwrap()).unwrap().form, other.form);
        }
        for (text, what) in [
            (text.replace("[runs]", "set-bit = \"data\"\n[runs]"), "the table [runs]"),
            (format!("{text}[padding]\nunit = 4\n"), "a list of runs has no padding"),
            (text.replace("bytes = 8", "bytes = 2"), "a number has 4 or 8 bytes"),
            (
                format!("{SHORT}[[header]]\nnumber = \"run-count\"\nbytes = 4\norder = \"little\"\n"),
                "run-count is for layouts with the table [runs]",
            ),
        ] {
            let error = parse(&text).unwrap_err();
            assert!(error.contains(what), "{what}: {error}");
        }
    }

    #[test]
    fn what_need_not_be_said_has_a_plain_meaning() {
        let layout = parse(SHORT).unwrap();
        assert_eq!(layout.origin, Origin::Described);
        let Form::Binary(binary) = &layout.form else { unreachable!() };
        assert_eq!(binary.padding, Padding { unit: 1, bit: false });
        assert!(binary.header.is_empty() && binary.trailer.is_empty());
    }

    #[test]
    fn each_mistake_is_named_with_its_line() {
        for (text, what) in [
            (SHORT.replace("2097152", "2097153"), "line 2, column 14: a block size is a power of two"),
            (SHORT.replace("data", "dirty"), "line 4, column 11: unknown variant `dirty`"),
            (SHORT.replace("name = \"my\"\n", ""), "missing field `name`"),
            (format!("{SHORT}colour = 3\n"), "line 5, column 1: unknown field `colour`"),
            (format!("{SHORT}[padding]\nunit = 0\n"), "line 6, column 8: a unit of padding is 1"),
            (format!("{SHORT}[padding]\nunit = 8\nbit = 2\n"), "line 7, column 7: a bit is 0 or 1"),
            (format!("{SHORT}\n\n[[header]]\nconstant = \"4\"\n"), "line 7"),
            (format!("{SHORT}[[header]]\nnumber = \"colour\"\nbytes = 4\norder = \"big\"\n"), "image-size"),
            (format!("{SHORT}[learned]\nsamples = 0\n"), "line 6, column 11: a layout is learned from one"),
            (format!("{SHORT}x"), "line 5"),
            (SHORT.replace("\"my\"", "\"zvhd2\""), "is the name of a built-in layout"),
            (
                format!("{SHORT}[[header]]\nnumber = \"crc32-header\"\nbytes = 4\norder = \"big\"\n"),
                "crc32-header is for trailers",
            ),
            (
                format!(
                    "{SHORT}{0}{0}",
                    "[[trailer]]\nnumber = \"crc32-section\"\nbytes = 4\norder = \"big\"\n"
                ),
                "each would cover the other",
            ),
            (format!("{SHORT}{}", "[[header]]\nrepeat = \"00\"\ntimes = 65536\n".repeat(2)), "longer than"),
        ] {
            let error = parse(&text).unwrap_err();
            assert!(error.starts_with("my.toml: ") && error.contains(what), "{what}: {error}");
        }
    }
}
