//! Descriptions of layouts as TOML files. docs/bitmap-file.md specifies every key.

use std::borrow::Cow;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use imsprep_source::{BlockSize, ImageFile, ReadAt};
use serde::Deserialize;

use crate::bits::{BitOrder, Bits, Padding, Polarity};
use crate::field::{self, ByteOrder, Field, Value, Width};
use crate::layout::{Form, Layout, Origin};
use crate::proof::{Proof, ProvenFile};

/// Longest description that is read.
const LONGEST_DESCRIPTION: u64 = 1 << 20;
/// Longest header or trailer that may be described.
const LONGEST_SECTION: usize = 64 << 10;
/// Largest unit of padding that may be described.
const LARGEST_UNIT: u32 = 1 << 30;

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

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct WireLayout {
    name: String,
    #[serde(default)]
    title: String,
    block_size: WireBlockSize,
    bit_order: WireBitOrder,
    set_bit: WireSetBit,
    #[serde(default)]
    padding: WirePadding,
    #[serde(default)]
    header: Vec<WireField>,
    #[serde(default)]
    trailer: Vec<WireField>,
    learned: Option<WireLearned>,
    proven: Option<WireProof>,
}

/// How the layout was proven against a program.
#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct WireProof {
    command: String,
    date: WireDate,
    images: WireSamples,
    largest_image: u64,
    #[serde(default)]
    refused: Vec<u64>,
    #[serde(default)]
    shapes: Vec<String>,
    imsprep: String,
    #[serde(default)]
    file: Vec<WireProvenFile>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WireProvenFile {
    name: String,
    size: u64,
    sha256: WireSha256,
}

#[derive(Deserialize)]
#[serde(try_from = "String")]
struct WireSha256(String);

impl TryFrom<String> for WireSha256 {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        let is_hex = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
        let is_hash = text.len() == 64 && text.bytes().all(is_hex);
        if is_hash { Ok(Self(text)) } else { Err("a SHA-256 is 64 hexadecimal digits in lower case") }
    }
}

#[derive(Deserialize)]
#[serde(try_from = "String")]
struct WireDate(String);

impl TryFrom<String> for WireDate {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        let parts = text.split('-').map(str::len).collect::<Vec<_>>();
        let is_date = parts == [4, 2, 2] && text.bytes().all(|byte| byte == b'-' || byte.is_ascii_digit());
        if is_date { Ok(Self(text)) } else { Err("a date is written as 2026-11-28") }
    }
}

impl From<WireProof> for Proof {
    fn from(wire: WireProof) -> Self {
        let file =
            |file: WireProvenFile| ProvenFile { name: file.name, size: file.size, sha256: file.sha256.0 };
        Self {
            command: wire.command,
            files: wire.file.into_iter().map(file).collect(),
            date: wire.date.0,
            images: wire.images.0,
            shapes: wire.shapes,
            largest_image: wire.largest_image,
            refused: wire.refused,
            version: wire.imsprep,
        }
    }
}

#[derive(Deserialize)]
#[serde(try_from = "u64")]
struct WireBlockSize(BlockSize);

impl TryFrom<u64> for WireBlockSize {
    type Error = &'static str;

    fn try_from(bytes: u64) -> Result<Self, Self::Error> {
        let size =
            BlockSize::new(bytes).ok_or("a block size is a power of two from 512 to 67108864 bytes")?;
        Ok(Self(size))
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
enum WireBitOrder {
    LeastSignificantFirst,
    MostSignificantFirst,
}

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
enum WireSetBit {
    Data,
    Zero,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WirePadding {
    unit: WireUnit,
    #[serde(default)]
    bit: WireBit,
}

impl Default for WirePadding {
    fn default() -> Self {
        Self { unit: WireUnit(1), bit: WireBit(false) }
    }
}

#[derive(Deserialize)]
#[serde(try_from = "u64")]
struct WireUnit(u32);

impl TryFrom<u64> for WireUnit {
    type Error = &'static str;

    fn try_from(bytes: u64) -> Result<Self, Self::Error> {
        let unit = u32::try_from(bytes).ok().filter(|unit| (1..=LARGEST_UNIT).contains(unit));
        unit.map(Self).ok_or("a unit of padding is 1 to 1073741824 bytes")
    }
}

#[derive(Default, Deserialize)]
#[serde(try_from = "u64")]
struct WireBit(bool);

impl TryFrom<u64> for WireBit {
    type Error = &'static str;

    fn try_from(bit: u64) -> Result<Self, Self::Error> {
        match bit {
            0 | 1 => Ok(Self(bit == 1)),
            _ => Err("a bit is 0 or 1"),
        }
    }
}

/// One table of a header or trailer: a constant, a repeated byte, or a number.
#[derive(Deserialize)]
#[serde(
    untagged,
    deny_unknown_fields,
    expecting = "expected { constant = \"hex digits\" }, or { repeat = \"two hex digits\", times = N }, or { number = \"image-size\", bytes = 4 or 8, order = \"little\" or \"big\" }, where a number is one of image-size, block-size, block-count, data-blocks, bits-length, padded-length, bits-crc32, padded-crc32, crc32-before, crc32-section, crc32-header"
)]
enum WireField {
    Constant { constant: WireHex },
    Repeat { repeat: WireHexByte, times: WireTimes },
    Number { number: WireValue, bytes: WireWidth, order: WireOrder },
}

#[derive(Deserialize)]
#[serde(try_from = "String")]
struct WireHex(Vec<u8>);

impl TryFrom<String> for WireHex {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        let wrong = "a constant is pairs of hexadecimal digits, with spaces between them or not";
        let digits = text.bytes().filter(|byte| !byte.is_ascii_whitespace()).collect::<Vec<_>>();
        if digits.len() > 2 * LONGEST_SECTION || !digits.len().is_multiple_of(2) {
            return Err(wrong);
        }
        let pairs = digits.chunks(2).map(|pair| {
            let digits = std::str::from_utf8(pair).ok().filter(|_| pair.iter().all(u8::is_ascii_hexdigit))?;
            u8::from_str_radix(digits, 16).ok()
        });
        pairs.collect::<Option<Vec<_>>>().map(Self).ok_or(wrong)
    }
}

#[derive(Deserialize)]
#[serde(try_from = "String")]
struct WireHexByte(u8);

impl TryFrom<String> for WireHexByte {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        match WireHex::try_from(text)?.0.as_slice() {
            [byte] => Ok(Self(*byte)),
            _ => Err("repeat has one byte"),
        }
    }
}

#[derive(Deserialize)]
#[serde(try_from = "u64")]
struct WireTimes(usize);

impl TryFrom<u64> for WireTimes {
    type Error = &'static str;

    fn try_from(times: u64) -> Result<Self, Self::Error> {
        let times = usize::try_from(times).ok().filter(|times| *times <= LONGEST_SECTION);
        times.map(Self).ok_or("a byte is repeated 65536 times at most")
    }
}

#[derive(Deserialize)]
#[serde(try_from = "String")]
struct WireValue(Value);

impl TryFrom<String> for WireValue {
    type Error = &'static str;

    fn try_from(name: String) -> Result<Self, Self::Error> {
        let value = Value::ALL.into_iter().find(|value| value.name() == name);
        value.map(Self).ok_or("there is no number with this name")
    }
}

#[derive(Deserialize)]
#[serde(try_from = "u64")]
struct WireWidth(Width);

impl TryFrom<u64> for WireWidth {
    type Error = &'static str;

    fn try_from(bytes: u64) -> Result<Self, Self::Error> {
        match bytes {
            4 => Ok(Self(Width::U32)),
            8 => Ok(Self(Width::U64)),
            _ => Err("a number has 4 or 8 bytes"),
        }
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
enum WireOrder {
    Little,
    Big,
}

/// Where it was learned: the layout then counts as proven.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WireLearned {
    samples: WireSamples,
}

#[derive(Deserialize)]
#[serde(try_from = "u64")]
struct WireSamples(u32);

impl TryFrom<u64> for WireSamples {
    type Error = &'static str;

    fn try_from(samples: u64) -> Result<Self, Self::Error> {
        let samples = u32::try_from(samples).ok().filter(|samples| *samples > 0);
        samples.map(Self).ok_or("a layout is learned from one sample at least")
    }
}

impl WireLayout {
    fn into_layout(self) -> Result<Layout, String> {
        let bits = Bits {
            bit_order: match self.bit_order {
                WireBitOrder::LeastSignificantFirst => BitOrder::LeastSignificantFirst,
                WireBitOrder::MostSignificantFirst => BitOrder::MostSignificantFirst,
            },
            polarity: match self.set_bit {
                WireSetBit::Data => Polarity::SetIsData,
                WireSetBit::Zero => Polarity::SetIsZero,
            },
            padding: Padding { unit: self.padding.unit.0, bit: self.padding.bit.0 },
            header: section("header", self.header)?.into(),
            trailer: section("trailer", self.trailer)?.into(),
        };
        if self.name.is_empty() || self.name.chars().any(char::is_control) {
            return Err("a layout's name has letters, and no control characters".into());
        }
        if Layout::built_in(&self.name).is_some() {
            return Err(format!("{:?} is the name of a built-in layout: use another name", self.name));
        }
        let title = if self.title.is_empty() { "described in a file".into() } else { self.title };
        let origin = match (self.learned, self.proven) {
            (Some(_), Some(_)) => {
                return Err("a layout is either learned from samples or proven against a program".into());
            }
            (Some(learned), None) => Origin::Learned { samples: learned.samples.0 },
            (None, Some(proof)) => Origin::Proven(Box::new(proof.into())),
            (None, None) => Origin::Described,
        };
        let form = Form::Bits(bits);
        Ok(Layout {
            name: self.name.into(),
            title: title.into(),
            block_size: self.block_size.0,
            form,
            origin,
        })
    }
}

fn section(name: &str, fields: Vec<WireField>) -> Result<Vec<Field>, String> {
    let fields = fields
        .into_iter()
        .map(|field| match field {
            WireField::Constant { constant } => Field::Constant(Cow::Owned(constant.0)),
            WireField::Repeat { repeat, times } => Field::Constant(Cow::Owned(vec![repeat.0; times.0])),
            WireField::Number { number, bytes, order } => Field::Number {
                value: number.0,
                width: bytes.0,
                order: match order {
                    WireOrder::Little => ByteOrder::Little,
                    WireOrder::Big => ByteOrder::Big,
                },
            },
        })
        .collect::<Vec<_>>();
    if field::length_of(&fields) > LONGEST_SECTION {
        return Err(format!("the {name} is longer than {LONGEST_SECTION} bytes"));
    }
    let values = fields.iter().filter_map(|field| match field {
        Field::Number { value, .. } => Some(*value),
        Field::Constant(_) => None,
    });
    let values = values.collect::<Vec<_>>();
    if name == "header" && values.contains(&Value::CrcHeader) {
        return Err("crc32-header is for trailers; in the header itself it is crc32-section".into());
    }
    let of_section = values.iter().filter(|value| value.is_of_section()).count();
    if of_section > 1 && values.contains(&Value::CrcSection) {
        return Err(format!(
            "the {name} has a crc32-section and another checksum of itself: each would cover the other"
        ));
    }
    Ok(fields)
}

/// A description of a layout of bits, as a file with comments; `None` for a layout of text. `notes` are lines of comment that
/// come first.
pub fn describe_layout(layout: &Layout, notes: &[String]) -> Option<String> {
    let Form::Bits(bits) = &layout.form else { return None };
    let mut text = String::new();
    for note in notes {
        let _ = writeln!(text, "# {note}");
    }
    let order = match bits.bit_order {
        BitOrder::LeastSignificantFirst => "least-significant-first",
        BitOrder::MostSignificantFirst => "most-significant-first",
    };
    let set = match bits.polarity {
        Polarity::SetIsData => "data",
        Polarity::SetIsZero => "zero",
    };
    let _ = write!(
        text,
        "name = {}\ntitle = {}\n\n# Bytes of the image that one bit stands for.\nblock-size = {}\n# Where in a byte the bit of \
         the lower block is.\nbit-order = \"{order}\"\n# What a set bit says of its block.\nset-bit = \"{set}\"\n\n# The bits \
         are filled up to a multiple of so many bytes, with bits of this value.\n[padding]\nunit = {}\nbit = {}\n",
        quoted(&layout.name),
        quoted(&layout.title),
        layout.block_size,
        bits.padding.unit,
        u8::from(bits.padding.bit)
    );
    for (name, fields) in [("header", &bits.header), ("trailer", &bits.trailer)] {
        for (range, field) in field::placed(fields) {
            let _ =
                write!(text, "\n# Bytes {} to {} of the {name}", range.start, range.end.saturating_sub(1));
            match field {
                Field::Constant(bytes) => describe_constant(&mut text, name, bytes),
                Field::Number { value, width, order } => {
                    let order = match order {
                        ByteOrder::Little => "little",
                        ByteOrder::Big => "big",
                    };
                    let (title, value, bytes) = (value.title(), value.name(), width.bytes());
                    let _ = write!(
                        text,
                        ": the {title}.\n[[{name}]]\nnumber = \"{value}\"\nbytes = {bytes}\norder = \"{order}\"\n"
                    );
                }
            }
        }
    }
    match &layout.origin {
        Origin::Learned { samples } => {
            let _ = write!(
                text,
                "\n# It reproduces so many genuine files byte for byte.\n[learned]\nsamples = {samples}\n"
            );
        }
        Origin::Proven(proof) => describe_proof(&mut text, proof),
        Origin::BuiltIn | Origin::Described => {}
    }
    Some(text)
}

fn describe_proof(text: &mut String, proof: &Proof) {
    let list = |items: Vec<String>| items.join(", ");
    let _ = write!(
        text,
        "\n# The program wrote the same bytes as this layout for so many images, the largest of which had so many bytes.\n\
         [proven]\ncommand = {}\ndate = {}\nimages = {}\nlargest-image = {}\n",
        quoted(&proof.command),
        quoted(&proof.date),
        proof.images,
        proof.largest_image
    );
    if !proof.refused.is_empty() {
        let sizes = list(proof.refused.iter().map(u64::to_string).collect());
        let _ = write!(
            text,
            "# Sizes that no disk has, and that the program does not take.\nrefused = [{sizes}]\n"
        );
    }
    let shapes = proof.shapes.iter().map(|shape| format!("\n    {}", quoted(shape))).collect::<Vec<_>>();
    let _ = write!(
        text,
        "# What was in the images.\nshapes = [{}\n]\nimsprep = {}\n",
        shapes.join(","),
        quoted(&proof.version)
    );
    for file in &proof.files {
        let _ = write!(
            text,
            "\n[[proven.file]]\nname = {}\nsize = {}\nsha256 = {}\n",
            quoted(&file.name),
            file.size,
            quoted(&file.sha256)
        );
    }
}

fn describe_constant(text: &mut String, name: &str, bytes: &[u8]) {
    let first = bytes.first().copied().unwrap_or(0);
    if bytes.len() > 16 && bytes.iter().all(|byte| *byte == first) {
        let _ = write!(
            text,
            ": the same byte again and again.\n[[{name}]]\nrepeat = \"{first:02x}\"\ntimes = {}\n",
            bytes.len()
        );
        return;
    }
    let readable = bytes.iter().map(|byte| if byte.is_ascii_graphic() { char::from(*byte) } else { '.' });
    let note = match bytes.len() {
        0..=32 => format!(": the same in every file; as text {:?}", readable.collect::<String>()),
        _ => ": the same in every file".to_owned(),
    };
    let digits = bytes.iter().map(|byte| format!("{byte:02x}")).collect::<Vec<_>>().join(" ");
    let _ = write!(text, "{note}.\n[[{name}]]\nconstant = \"{digits}\"\n");
}

/// A basic string of TOML.
fn quoted(text: &str) -> String {
    let mut quoted = String::from('"');
    for c in text.chars() {
        match c {
            '"' | '\\' => quoted.extend(['\\', c]),
            c if c.is_control() => {
                let _ = write!(quoted, "\\u{:04x}", u32::from(c));
            }
            c => quoted.push(c),
        }
    }
    quoted + "\""
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::layout::{LAYOUTS, SEALED, ZVHD2};

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
            if let Form::Bits(bits) = &mut layout.form {
                let fields = Value::ALL
                    .into_iter()
                    .filter(|v| !v.is_of_section())
                    .map(|value| Field::Number { value, width: Width::U64, order: ByteOrder::Big });
                bits.trailer.to_mut().extend(fields);
                bits.header.to_mut().push(Field::Constant(vec![7; 4000].into()));
                bits.padding.bit = true;
            }
            let text = describe_layout(&layout, &["A note.".into()]).unwrap();
            assert_eq!(parse(&text), Ok(layout), "{text}");
        }
        for layout in LAYOUTS {
            assert_eq!(describe_layout(layout, &[]).is_some(), matches!(layout.form, Form::Bits(_)));
        }
    }

    #[test]
    fn what_need_not_be_said_has_a_plain_meaning() {
        let layout = parse(SHORT).unwrap();
        assert_eq!(layout.origin, Origin::Described);
        let Form::Bits(bits) = &layout.form else { unreachable!() };
        assert_eq!(bits.padding, Padding { unit: 1, bit: false });
        assert!(bits.header.is_empty() && bits.trailer.is_empty());
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
