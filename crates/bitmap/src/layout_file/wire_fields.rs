//! The tables of a header or trailer.

use std::borrow::Cow;

use serde::Deserialize;

use crate::checksum::Covered;
use crate::field::{self, Field, Value};
use crate::number::{ByteOrder, Width};

/// Longest header or trailer that may be described.
const LONGEST_SECTION: usize = 64 << 10;

/// One table of a header or trailer: a constant, a repeated byte, or a number.
#[derive(Deserialize)]
#[serde(
    untagged,
    deny_unknown_fields,
    expecting = "expected { constant = \"hex digits\" }, or { repeat = \"two hex digits\", times = N }, or { number = \"image-size\", bytes = 4 or 8, order = \"little\" or \"big\" }, where a number is one of image-size, image-sectors, image-kib, image-mib, these three with -up, block-size, block-count, data-blocks, run-count, bits-length, padded-length, and for each of crc32, crc32c and adler32: bits-crc32, padded-crc32, crc32-before, crc32-section, crc32-header, crc32-file-before, crc32-file"
)]
pub(super) enum WireField {
    Constant { constant: WireHex },
    Repeat { repeat: WireHexByte, times: WireTimes },
    Number { number: WireValue, bytes: WireWidth, order: WireOrder },
}

#[derive(Deserialize)]
#[serde(try_from = "String")]
pub(super) struct WireHex(pub(super) Vec<u8>);

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
pub(super) struct WireHexByte(u8);

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
pub(super) struct WireTimes(usize);

impl TryFrom<u64> for WireTimes {
    type Error = &'static str;

    fn try_from(times: u64) -> Result<Self, Self::Error> {
        let times = usize::try_from(times).ok().filter(|times| *times <= LONGEST_SECTION);
        times.map(Self).ok_or("a byte is repeated 65536 times at most")
    }
}

#[derive(Deserialize)]
#[serde(try_from = "String")]
pub(super) struct WireValue(Value);

impl TryFrom<String> for WireValue {
    type Error = &'static str;

    fn try_from(name: String) -> Result<Self, Self::Error> {
        let value = Value::all().find(|value| value.name() == name);
        value.map(Self).ok_or("there is no number with this name")
    }
}

#[derive(Deserialize)]
#[serde(try_from = "u64")]
pub(super) struct WireWidth(pub(super) Width);

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
pub(super) enum WireOrder {
    Little,
    Big,
}

impl From<WireOrder> for ByteOrder {
    fn from(wire: WireOrder) -> Self {
        match wire {
            WireOrder::Little => Self::Little,
            WireOrder::Big => Self::Big,
        }
    }
}

pub(super) fn section(name: &str, fields: Vec<WireField>) -> Result<Vec<Field>, String> {
    let fields = fields
        .into_iter()
        .map(|field| match field {
            WireField::Constant { constant } => Field::Constant(Cow::Owned(constant.0)),
            WireField::Repeat { repeat, times } => Field::Constant(Cow::Owned(vec![repeat.0; times.0])),
            WireField::Number { number, bytes, order } => {
                Field::Number { value: number.0, width: bytes.0, order: order.into() }
            }
        })
        .collect::<Vec<_>>();
    if field::length_of(&fields) > LONGEST_SECTION {
        return Err(format!("the {name} is longer than {LONGEST_SECTION} bytes"));
    }
    let is_of_header =
        |field: &Field| matches!(field, Field::Number { value: Value::Checksum(_, Covered::Header), .. });
    if let ("header", Some(Field::Number { value, .. })) = (name, fields.iter().find(|f| is_of_header(f))) {
        let word = value.name();
        let own = word.replace("-header", "-section");
        return Err(format!("{word} is for trailers; in the header itself it is {own}"));
    }
    Ok(fields)
}
