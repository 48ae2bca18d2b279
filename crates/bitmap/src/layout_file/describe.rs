//! Writing a description.

use std::fmt::Write as _;

use crate::binary::{MapForm, Padding};
use crate::bits::{BitOrder, Polarity};
use crate::field::{self, Field};
use crate::layout::{Form, Layout, Origin};
use crate::number::ByteOrder;
use crate::proof::Proof;
use crate::runs::{RunNumbers, RunUnit};

/// A description of a layout of bytes, as a file with comments; `None` for a layout of text. `notes` are lines of comment that
/// come first.
pub fn describe_layout(layout: &Layout, notes: &[String]) -> Option<String> {
    let Form::Binary(binary) = &layout.form else { return None };
    let mut text = String::new();
    for note in notes {
        let _ = writeln!(text, "# {note}");
    }
    let _ = write!(
        text,
        "name = {}\ntitle = {}\n\n# Bytes of the image that one block has.\nblock-size = {}\n",
        quoted(&layout.name),
        quoted(&layout.title),
        layout.block_size
    );
    describe_map(&mut text, binary.map);
    if !matches!(binary.map, MapForm::Runs(_)) {
        describe_padding(&mut text, binary.padding);
    }
    for (name, fields) in [("header", &binary.header), ("trailer", &binary.trailer)] {
        for (range, field) in field::placed(fields) {
            let _ =
                write!(text, "\n# Bytes {} to {} of the {name}", range.start, range.end.saturating_sub(1));
            match field {
                Field::Constant(bytes) => describe_constant(&mut text, name, bytes),
                Field::Number { value, width, order } => {
                    let order = in_words(*order);
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

fn describe_map(text: &mut String, map: MapForm) {
    match map {
        MapForm::Bits(bits) => {
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
                "# Each block has one bit. Where in a byte the bit of the lower block is.\nbit-order = \"{order}\"\n# What a \
                 set bit says of its block.\nset-bit = \"{set}\"\n"
            );
        }
        MapForm::Cells(cells) => {
            let _ = write!(
                text,
                "\n# Each block has a value of these bytes.\n[cells]\ndata = \"{}\"\nzero = \"{}\"\n",
                digits(cells.data()),
                digits(cells.zero())
            );
        }
        MapForm::Runs(runs) => {
            let numbers = match runs.numbers {
                RunNumbers::OffsetLength => "offset-length",
                RunNumbers::FirstLast => "first-last",
                RunNumbers::OffsetEnd => "offset-end",
            };
            let unit = match runs.unit {
                RunUnit::Byte => "bytes",
                RunUnit::Sector => "sectors",
                RunUnit::Block => "blocks",
            };
            let _ = write!(
                text,
                "\n# Each run of data has two numbers.\n[runs]\nnumbers = \"{numbers}\"\nunit = \"{unit}\"\nbytes = {}\norder = \
                 \"{}\"\n# Whether a run at the end of the image ends with the image, and not with its last block.\nclipped = {}\n",
                runs.width.bytes(),
                in_words(runs.order),
                runs.clipped
            );
        }
    }
}

fn describe_padding(text: &mut String, padding: Padding) {
    let _ = write!(
        text,
        "\n# The map is filled up to a multiple of so many bytes, with bits of this value.\n[padding]\nunit = {}\nbit = {}\n",
        padding.unit,
        u8::from(padding.bit)
    );
}

fn in_words(order: ByteOrder) -> &'static str {
    match order {
        ByteOrder::Little => "little",
        ByteOrder::Big => "big",
    }
}

/// Bytes as pairs of hexadecimal digits.
fn digits(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect::<Vec<_>>().join(" ")
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
    let _ = write!(text, "{note}.\n[[{name}]]\nconstant = \"{}\"\n", digits(bytes));
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
