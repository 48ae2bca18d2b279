//! The keys of a description.

use imsprep_source::BlockSize;
use serde::Deserialize;

use super::wire_fields::{WireField, WireHex, WireOrder, WireWidth, section};
use super::wire_proof::{WireLearned, WireProof};
use crate::binary::{Binary, MapForm, Padding};
use crate::bits::{BitOrder, Bits, Polarity};
use crate::cells::{Cell, Cells};
use crate::field::{Field, Value};
use crate::frame::circular_checksums;
use crate::layout::{Form, Layout, Origin};
use crate::runs::{RunNumbers, RunUnit, Runs};

/// Largest unit of padding that may be described.
const LARGEST_UNIT: u32 = 1 << 30;
/// Most checksums in a layout that is described: each is calculated over up to the complete file.
const MOST_CHECKSUMS: usize = 64;

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(super) struct WireLayout {
    name: String,
    #[serde(default)]
    title: String,
    block_size: WireBlockSize,
    bit_order: Option<WireBitOrder>,
    set_bit: Option<WireSetBit>,
    cells: Option<WireCells>,
    runs: Option<WireRuns>,
    #[serde(default)]
    padding: WirePadding,
    #[serde(default)]
    header: Vec<WireField>,
    #[serde(default)]
    trailer: Vec<WireField>,
    learned: Option<WireLearned>,
    proven: Option<WireProof>,
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

/// A value for each block.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WireCells {
    data: WireHex,
    zero: WireHex,
}

/// Two numbers for each run of data.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WireRuns {
    numbers: WireRunNumbers,
    unit: WireRunUnit,
    bytes: WireWidth,
    order: WireOrder,
    #[serde(default)]
    clipped: bool,
}

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
enum WireRunNumbers {
    OffsetLength,
    FirstLast,
    OffsetEnd,
}

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
enum WireRunUnit {
    Bytes,
    Sectors,
    Blocks,
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

impl WireLayout {
    pub(super) fn into_layout(self) -> Result<Layout, String> {
        let map = match (self.bit_order, self.set_bit, self.cells, self.runs) {
            (Some(order), Some(set_bit), None, None) => {
                MapForm::Bits(Bits { bit_order: order.into(), polarity: set_bit.into() })
            }
            (None, None, Some(cells), None) => MapForm::Cells(cells.into_cells()?),
            (None, None, None, Some(_)) if self.padding.unit.0 != 1 => {
                return Err("a list of runs has no padding".into());
            }
            (None, None, None, Some(runs)) => MapForm::Runs(runs.into()),
            _ => {
                return Err(
                    "a layout has either bit-order and set-bit, or the table [cells], or the table [runs]"
                        .into(),
                );
            }
        };
        let binary = Binary {
            map,
            padding: Padding { unit: self.padding.unit.0, bit: self.padding.bit.0 },
            header: section("header", self.header)?.into(),
            trailer: section("trailer", self.trailer)?.into(),
        };
        refuse_circular(&binary)?;
        refuse_run_count(&binary)?;
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
        Ok(Layout {
            name: self.name.into(),
            title: title.into(),
            block_size: self.block_size.0,
            form: Form::Binary(binary),
            origin,
        })
    }
}

impl From<WireBitOrder> for BitOrder {
    fn from(wire: WireBitOrder) -> Self {
        match wire {
            WireBitOrder::LeastSignificantFirst => Self::LeastSignificantFirst,
            WireBitOrder::MostSignificantFirst => Self::MostSignificantFirst,
        }
    }
}

impl From<WireSetBit> for Polarity {
    fn from(wire: WireSetBit) -> Self {
        match wire {
            WireSetBit::Data => Self::SetIsData,
            WireSetBit::Zero => Self::SetIsZero,
        }
    }
}

impl WireCells {
    fn into_cells(self) -> Result<Cells, String> {
        let cells = Cell::new(&self.data.0).zip(Cell::new(&self.zero.0));
        let cells = cells.and_then(|(data, zero)| Cells::new(data, zero));
        cells.ok_or_else(|| {
            format!("the values in [cells] have the same length, 1 to {} bytes, and differ", Cell::LONGEST)
        })
    }
}

impl From<WireRuns> for Runs {
    fn from(wire: WireRuns) -> Self {
        Self {
            unit: match wire.unit {
                WireRunUnit::Bytes => RunUnit::Byte,
                WireRunUnit::Sectors => RunUnit::Sector,
                WireRunUnit::Blocks => RunUnit::Block,
            },
            numbers: match wire.numbers {
                WireRunNumbers::OffsetLength => RunNumbers::OffsetLength,
                WireRunNumbers::FirstLast => RunNumbers::FirstLast,
                WireRunNumbers::OffsetEnd => RunNumbers::OffsetEnd,
            },
            width: wire.bytes.0,
            order: wire.order.into(),
            clipped: wire.clipped,
        }
    }
}

/// Only lists of runs count their runs.
fn refuse_run_count(binary: &Binary) -> Result<(), String> {
    let mut fields = binary.header.iter().chain(binary.trailer.iter());
    let counts = fields.any(|field| matches!(field, Field::Number { value: Value::RunCount, .. }));
    if counts && !matches!(binary.map, MapForm::Runs(_)) {
        return Err("run-count is for layouts with the table [runs]".into());
    }
    Ok(())
}

/// Checksums of both sections together: they may cover each other.
fn refuse_circular(binary: &Binary) -> Result<(), String> {
    let is_checksum = |field: &&Field| matches!(field, Field::Number { value: Value::Checksum(..), .. });
    if binary.header.iter().chain(binary.trailer.iter()).filter(is_checksum).count() > MOST_CHECKSUMS {
        return Err(format!("a layout has {MOST_CHECKSUMS} checksums at most"));
    }
    let circular = circular_checksums(&binary.header, &binary.trailer);
    if circular.is_empty() {
        return Ok(());
    }
    Err(format!(
        "the checksums {} cannot be calculated one after the other: each would cover the other",
        circular.join(", ")
    ))
}
