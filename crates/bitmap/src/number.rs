//! Numbers as bytes.

/// Bytes of a number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Width {
    /// Four bytes.
    U32,
    /// Eight bytes.
    U64,
}

impl Width {
    /// How many bytes.
    pub fn bytes(self) -> usize {
        match self {
            Self::U32 => 4,
            Self::U64 => 8,
        }
    }
}

/// The widths that a number may have, the widest first.
pub(crate) const WIDTHS: [Width; 2] = [Width::U64, Width::U32];

/// Which byte of a number comes first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ByteOrder {
    /// The least significant one.
    Little,
    /// The most significant one.
    Big,
}

/// The bytes of a number, or `None` if it needs more than there are.
pub(crate) fn number_bytes(number: u64, width: Width, order: ByteOrder) -> Option<Vec<u8>> {
    Some(match (width, order) {
        (Width::U32, ByteOrder::Little) => u32::try_from(number).ok()?.to_le_bytes().to_vec(),
        (Width::U32, ByteOrder::Big) => u32::try_from(number).ok()?.to_be_bytes().to_vec(),
        (Width::U64, ByteOrder::Little) => number.to_le_bytes().to_vec(),
        (Width::U64, ByteOrder::Big) => number.to_be_bytes().to_vec(),
    })
}

/// The number in these bytes, of which there are four or eight.
pub(crate) fn number_in(bytes: &[u8], order: ByteOrder) -> u64 {
    let add = |number: u64, byte: &u8| number << 8 | u64::from(*byte);
    match order {
        ByteOrder::Little => bytes.iter().rev().fold(0, add),
        ByteOrder::Big => bytes.iter().fold(0, add),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_of_both_widths_and_orders() {
        let cases = [
            (Width::U32, ByteOrder::Little, vec![4, 3, 2, 1]),
            (Width::U32, ByteOrder::Big, vec![1, 2, 3, 4]),
            (Width::U64, ByteOrder::Little, vec![4, 3, 2, 1, 0, 0, 0, 0]),
            (Width::U64, ByteOrder::Big, vec![0, 0, 0, 0, 1, 2, 3, 4]),
        ];
        for (width, order, bytes) in cases {
            assert_eq!(number_bytes(0x0102_0304, width, order).as_ref(), Some(&bytes));
            assert_eq!(number_in(&bytes, order), 0x0102_0304);
        }
        assert_eq!(number_bytes(1 << 32, Width::U32, ByteOrder::Little), None);
    }
}
