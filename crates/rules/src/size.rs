//! Sizes as people read them.

use std::fmt;

/// A number of bytes that prints exactly and in the largest binary unit that divides it or keeps three digits:
/// `1099511627776 bytes (1 TiB)`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Size(pub u64);

const UNITS: [(&str, u32); 6] =
    [("EiB", 60), ("PiB", 50), ("TiB", 40), ("GiB", 30), ("MiB", 20), ("KiB", 10)];

impl Size {
    /// The size in the largest unit of which there is at least one: `1 TiB`, `about 1.5 GiB`, `17 bytes`. Rounded down,
    /// so that what is above a limit never reads as the limit: one byte more than 1 TiB is `just over 1 TiB`.
    pub fn scaled(self) -> String {
        let Some((unit, shift)) = UNITS.iter().find(|(_, shift)| self.0 >> shift > 0) else {
            return if self.0 == 1 { "1 byte".into() } else { format!("{} bytes", self.0) };
        };
        let (whole, rest) = (self.0 >> shift, self.0 & ((1u64 << shift) - 1));
        // Hundredths, rounded down; below 2^60 * 100 the product fits into u128 only.
        let hundredths = (u128::from(rest) * 100) >> shift;
        match (rest, hundredths) {
            (0, _) => format!("{whole} {unit}"),
            (_, 0) => format!("just over {whole} {unit}"),
            (_, h) if h % 10 == 0 => format!("{whole}.{} {unit}", h / 10),
            (_, h) => format!("{whole}.{h:02} {unit}"),
        }
    }
}

impl fmt::Display for Size {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0 < 1024 {
            return f.write_str(&self.scaled());
        }
        write!(f, "{} bytes ({})", self.0, self.scaled())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exact_and_scaled_and_never_rounded_to_a_limit() {
        for (bytes, text) in [
            (0, "0 bytes"),
            (1, "1 byte"),
            (1023, "1023 bytes"),
            (1024, "1024 bytes (1 KiB)"),
            (1 << 40, "1099511627776 bytes (1 TiB)"),
            ((1 << 40) + 1, "1099511627777 bytes (just over 1 TiB)"),
            ((1 << 40) - 1, "1099511627775 bytes (1023.99 GiB)"),
            (3 << 29, "1610612736 bytes (1.5 GiB)"),
            (u64::MAX, "18446744073709551615 bytes (15.99 EiB)"),
        ] {
            assert_eq!(Size(bytes).to_string(), text);
        }
    }
}
