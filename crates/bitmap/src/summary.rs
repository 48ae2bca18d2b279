//! A layout in one line, for people.

use imsprep_source::BlockSize;

use crate::binary::MapForm;
use crate::bits::{BitOrder, Bits, Polarity};
use crate::cells::Cells;
use crate::field::length_of;
use crate::layout::{Form, Layout};
use crate::number::ByteOrder;
use crate::runs::{RunNumbers, RunUnit, Runs};

impl Layout {
    /// The layout in one line, such as "blocks of 2 MiB, least significant bit first, set is data, zeros up to a multiple
    /// of 4096 bytes".
    pub fn summary(&self) -> String {
        let Form::Binary(binary) = &self.form else { return self.title.clone().into_owned() };
        let mut text = summary_of_map(self.block_size, binary.map);
        let (header, trailer) = (length_of(&binary.header), length_of(&binary.trailer));
        let has_bits = matches!(binary.map, MapForm::Bits(_));
        text += &match (binary.padding.unit, binary.padding.bit) {
            (1, _) if matches!(binary.map, MapForm::Runs(_)) => String::new(),
            (1, _) if !has_bits => ", no padding".to_owned(),
            (1, false) => ", no padding but zeros in the last byte".to_owned(),
            (1, true) => ", no padding but ones in the last byte".to_owned(),
            (unit, bit) => {
                let what = if bit { "ones" } else { "zeros" };
                format!(", {what} up to a multiple of {unit} bytes")
            }
        };
        for (length, name) in [(header, "header"), (trailer, "trailer")] {
            text += &match length {
                0 => String::new(),
                length => format!(", a {name} of {length} bytes"),
            };
        }
        text
    }
}

/// Block size and form of the map.
pub(crate) fn summary_of_map(block_size: BlockSize, map: MapForm) -> String {
    let form = match map {
        MapForm::Bits(bits) => summary_of_bits(bits),
        MapForm::Cells(cells) => summary_of_cells(cells),
        MapForm::Runs(runs) => summary_of_runs(runs),
    };
    format!("blocks of {}, {form}", shown(block_size))
}

fn summary_of_bits(bits: Bits) -> String {
    let order = match bits.bit_order {
        BitOrder::LeastSignificantFirst => "least",
        BitOrder::MostSignificantFirst => "most",
    };
    let meaning = match bits.polarity {
        Polarity::SetIsData => "data",
        Polarity::SetIsZero => "zero",
    };
    format!("{order} significant bit first, set is {meaning}")
}

fn summary_of_cells(cells: Cells) -> String {
    let what = match cells.width() {
        1 => "a byte for each block".to_owned(),
        width => format!("{width} bytes for each block"),
    };
    format!("{what}, {} is data and {} is zero", in_words(cells.data()), in_words(cells.zero()))
}

fn summary_of_runs(runs: Runs) -> String {
    let unit = match runs.unit {
        RunUnit::Byte => "bytes",
        RunUnit::Sector => "sectors of 512 bytes",
        RunUnit::Block => "blocks",
    };
    let numbers = match runs.numbers {
        RunNumbers::OffsetLength => "offset and length",
        RunNumbers::FirstLast => "first and last",
        RunNumbers::OffsetEnd => "offset and end",
    };
    let order = match runs.order {
        ByteOrder::Little => "little",
        ByteOrder::Big => "big",
    };
    let end = match (runs.clipped, runs.unit) {
        (_, RunUnit::Block) => "",
        (true, _) => ", the last one ends with the image",
        (false, _) => ", all of complete blocks",
    };
    format!("{numbers} of each run of data in {unit}, {} bytes, {order}-endian{end}", runs.width.bytes())
}

/// Hexadecimal digits, or text in quotation marks.
fn in_words(bytes: &[u8]) -> String {
    match std::str::from_utf8(bytes) {
        Ok(text) if bytes.iter().all(u8::is_ascii_graphic) => format!("{text:?}"),
        _ => bytes.iter().map(|byte| format!("{byte:02x}")).collect::<Vec<_>>().join(" "),
    }
}

/// "2 MiB"; a block size is a whole number of its unit.
fn shown(block_size: BlockSize) -> String {
    match block_size.bytes() {
        bytes if bytes >= 1 << 20 => format!("{} MiB", bytes >> 20),
        bytes if bytes >= 1 << 10 => format!("{} KiB", bytes >> 10),
        bytes => format!("{bytes} bytes"),
    }
}

#[cfg(test)]
mod tests {
    use crate::layout::{SEALED, ZVHD2};

    #[test]
    fn one_line_says_it_all() {
        assert_eq!(
            ZVHD2.summary(),
            "blocks of 2 MiB, least significant bit first, set is data, zeros up to a multiple of 4096 bytes"
        );
        assert!(SEALED.summary().ends_with("4096 bytes, a trailer of 48 bytes"), "{}", SEALED.summary());
    }
}
