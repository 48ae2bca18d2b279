//! Which machines a program or a kernel runs on.

use std::fmt;

/// Bytes of a program that are needed.
pub(crate) const ELF_HEAD: usize = 64;

/// A machine, by instruction set and word length.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Machine {
    /// x86 with 64 bits.
    X86_64,
    /// x86 with 32 bits.
    X86,
    /// ARM with 64 bits.
    Aarch64,
    /// ARM with 32 bits.
    Arm,
    /// Another one: the number in the ELF header (`e_machine`) and the bits.
    Other(u16, u32),
}

impl Machine {
    /// 32 or 64.
    pub fn bits(self) -> u32 {
        match self {
            Self::X86_64 | Self::Aarch64 => 64,
            Self::X86 | Self::Arm => 32,
            Self::Other(_, bits) => bits,
        }
    }

    /// Whether it belongs to the x86 family.
    pub fn is_x86(self) -> bool {
        matches!(self, Self::X86_64 | Self::X86)
    }

    /// Whether it belongs to the ARM family.
    pub fn is_arm(self) -> bool {
        matches!(self, Self::Aarch64 | Self::Arm)
    }
}

impl fmt::Display for Machine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::X86_64 => f.write_str("x86_64"),
            Self::X86 => f.write_str("i386"),
            Self::Aarch64 => f.write_str("aarch64"),
            Self::Arm => f.write_str("arm"),
            Self::Other(number, bits) => write!(f, "machine {number} with {bits} bits"),
        }
    }
}

/// The machine of an ELF program by its header (System V ABI, chapter 4); `None` if it is none.
pub fn parse_elf_machine(head: &[u8]) -> Option<Machine> {
    let bits = match (head.strip_prefix(b"\x7fELF")?.first()?, head.get(5)?) {
        (1, 1 | 2) => 32,
        (2, 1 | 2) => 64,
        _ => return None,
    };
    let pair = *head.get(18..20)?.first_chunk()?;
    let number = if head.get(5) == Some(&1) { u16::from_le_bytes(pair) } else { u16::from_be_bytes(pair) };
    Some(match (number, bits) {
        (62, 64) => Machine::X86_64,
        (3, 32) => Machine::X86,
        (183, 64) => Machine::Aarch64,
        (40, 32) => Machine::Arm,
        _ => Machine::Other(number, bits),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn elf(class: u8, order: u8, machine: [u8; 2]) -> Vec<u8> {
        let mut head = vec![0; ELF_HEAD];
        head[..6].copy_from_slice(&[0x7f, b'E', b'L', b'F', class, order]);
        head[18..20].copy_from_slice(&machine);
        head
    }

    #[test]
    fn machines_are_known_by_their_numbers() {
        assert_eq!(parse_elf_machine(&elf(2, 1, [62, 0])), Some(Machine::X86_64));
        assert_eq!(parse_elf_machine(&elf(1, 1, [3, 0])), Some(Machine::X86));
        assert_eq!(parse_elf_machine(&elf(2, 1, [183, 0])), Some(Machine::Aarch64));
        assert_eq!(parse_elf_machine(&elf(1, 1, [40, 0])), Some(Machine::Arm));
        assert_eq!(parse_elf_machine(&elf(2, 2, [0, 22])), Some(Machine::Other(22, 64)));
        assert_eq!(parse_elf_machine(&elf(3, 1, [62, 0])), None);
        let whole = elf(2, 1, [62, 0]);
        for end in 0..20 {
            assert_eq!(parse_elf_machine(&whole[..end]), None);
        }
    }
}
