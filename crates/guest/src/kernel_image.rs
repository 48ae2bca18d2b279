//! What the file of a kernel says of itself: bzImage headers, ARM images, and the sections of unified kernel images.

use crate::text;
use crate::{CommandLine, Machine};

/// Bytes of a kernel file that are read: the version string of a bzImage lies within its first 64 KiB.
pub const KERNEL_HEAD: usize = 64 << 10;
/// Most sections of a PE program.
const SECTIONS_MAX: usize = 96;

/// What a kernel says of itself.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct KernelImage {
    /// The version as `uname -r` prints it: `6.1.0-18-amd64`.
    pub version: Option<String>,
    /// The machine that it is for.
    pub machine: Option<Machine>,
    /// Sections of the program, if it is a PE program: a unified kernel image has `.linux`, `.initrd`, `.cmdline`.
    pub sections: Vec<Section>,
}

/// A section of a PE program.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Section {
    /// Its name.
    pub name: String,
    /// Where its bytes begin in the file.
    pub offset: u64,
    /// How many they are.
    pub length: u64,
}

impl KernelImage {
    /// A section by its name.
    pub fn section(&self, name: &str) -> Option<&Section> {
        self.sections.iter().find(|section| section.name == name)
    }

    /// Whether it is a unified kernel image: a PE program that carries a kernel.
    pub fn is_unified(&self) -> bool {
        self.section(".linux").is_some()
    }
}

/// Reads the start of a kernel file, at least [`KERNEL_HEAD`] bytes where there are as many. `None` if it is no known kernel.
///
/// Sources: the kernel's Documentation/arch/x86/boot.rst and arm64/booting.rst; the PE format.
pub fn parse_kernel(head: &[u8]) -> Option<KernelImage> {
    let sections = pe_sections(head).unwrap_or_default();
    if let Some(image) = x86(head) {
        return Some(KernelImage { sections, ..image });
    }
    // ARM64: the magic stands at 56 of the header; with an EFI stub the file is a PE program as well.
    if head.get(56..60) == Some(b"ARM\x64") {
        return Some(KernelImage { version: None, machine: Some(Machine::Aarch64), sections });
    }
    // 32-bit ARM zImage.
    if head.get(36..40) == Some(&0x016f_2818_u32.to_le_bytes()) {
        return Some(KernelImage { version: None, machine: Some(Machine::Arm), sections });
    }
    if !sections.is_empty() {
        return Some(KernelImage { version: None, machine: pe_machine(head), sections });
    }
    // A compressed ARM64 kernel (vmlinuz of Debian and Red Hat) says nothing in clear.
    let is_compressed =
        [&[0x1f, 0x8b][..], b"\xfd7zXZ", b"\x28\xb5\x2f\xfd"].iter().any(|magic| head.starts_with(magic));
    if let Some(machine) = crate::parse_elf_machine(head) {
        return Some(KernelImage { machine: Some(machine), ..KernelImage::default() });
    }
    is_compressed.then(KernelImage::default)
}

/// A bzImage: `HdrS` at 0x202, the version string at `kernel_version` + 0x200, 64-bit entry in `xloadflags`.
fn x86(head: &[u8]) -> Option<KernelImage> {
    if head.get(0x202..0x206)? != b"HdrS" {
        return None;
    }
    let protocol = u16_at(head, 0x206)?;
    let at = usize::from(u16_at(head, 0x20e)?);
    let version = (protocol >= 0x200 && at != 0).then(|| head.get(at + 0x200..)).flatten().and_then(|text| {
        let text = text.get(..256).unwrap_or(text);
        let end = text.iter().position(|byte| *byte == 0)?;
        let line = String::from_utf8_lossy(text.get(..end)?).into_owned();
        let version = line.split(' ').next().unwrap_or_default();
        version.starts_with(|c: char| c.is_ascii_digit()).then(|| text::name(version))
    });
    let machine = if protocol >= 0x20c {
        Some(if u16_at(head, 0x236)? & 1 != 0 { Machine::X86_64 } else { Machine::X86 })
    } else {
        // Older protocols do not tell.
        None
    };
    Some(KernelImage { version, machine, sections: Vec::new() })
}

fn pe_header(head: &[u8]) -> Option<usize> {
    if !head.starts_with(b"MZ") {
        return None;
    }
    let at = usize::try_from(u32_at(head, 0x3c)?).ok()?;
    (head.get(at..at.checked_add(4)?)? == b"PE\0\0").then_some(at)
}

fn pe_machine(head: &[u8]) -> Option<Machine> {
    match u16_at(head, pe_header(head)? + 4)? {
        0x8664 => Some(Machine::X86_64),
        0x14c => Some(Machine::X86),
        0xaa64 => Some(Machine::Aarch64),
        0x1c0 | 0x1c2 | 0x1c4 => Some(Machine::Arm),
        _ => None,
    }
}

fn pe_sections(head: &[u8]) -> Option<Vec<Section>> {
    let at = pe_header(head)?;
    let count = usize::from(u16_at(head, at + 6)?);
    let table = at + 24 + usize::from(u16_at(head, at + 20)?);
    let rows = head.get(table..)?.chunks_exact(40).take(count.min(SECTIONS_MAX));
    Some(
        rows.filter_map(|row| {
            let name = row.get(..8)?;
            let name = name.split(|byte| *byte == 0).next().unwrap_or(name);
            let (in_memory, in_file) = (u32_at(row, 8)?, u32_at(row, 16)?);
            // What is in the file is padded; what is beyond it is zero.
            let length = if in_memory == 0 { in_file } else { in_memory.min(in_file) };
            let name = String::from_utf8_lossy(name).into_owned();
            Some(Section { name, offset: u32_at(row, 20)?.into(), length: length.into() })
        })
        .collect(),
    )
}

fn u16_at(bytes: &[u8], at: usize) -> Option<u16> {
    bytes.get(at..)?.first_chunk().map(|bytes| u16::from_le_bytes(*bytes))
}

fn u32_at(bytes: &[u8], at: usize) -> Option<u32> {
    bytes.get(at..)?.first_chunk().map(|bytes| u32::from_le_bytes(*bytes))
}

/// The command line in the `.cmdline` section of a unified kernel image.
pub fn parse_cmdline_section(bytes: &[u8]) -> CommandLine {
    let end = bytes.iter().position(|byte| *byte == 0).unwrap_or(bytes.len());
    CommandLine::parse(&String::from_utf8_lossy(bytes.get(..end).unwrap_or_default()))
}

/// The kernel's version in the name of a file: `vmlinuz-6.1.0-18-amd64`, `initramfs-5.14.0.img`, `initrd.img-6.1.0`.
pub fn version_in_name(path: &str) -> Option<String> {
    let name = path.rsplit('/').next().unwrap_or(path);
    let start = name.char_indices().zip(name.chars().skip(1)).find_map(|((at, before), after)| {
        (matches!(before, '-' | '_') && after.is_ascii_digit()).then_some(at + 1)
    })?;
    let version = name.get(start..)?;
    let version = [".img", ".efi", ".conf", ".gz", ".xz", ".signed"]
        .iter()
        .fold(version, |version, end| version.strip_suffix(end).unwrap_or(version));
    version.contains('.').then(|| text::name(version))
}

/// The first three numbers of a kernel's version.
pub fn version_numbers(version: &str) -> Option<[u32; 3]> {
    let mut numbers = version.split(['.', '-', '+', '_']).map(|part| {
        let digits = part.bytes().take_while(u8::is_ascii_digit).count();
        part.get(..digits).and_then(|digits| digits.parse::<u32>().ok())
    });
    let (major, minor) = (numbers.next()??, numbers.next()??);
    Some([major, minor, numbers.next().flatten().unwrap_or(0)])
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    pub(crate) fn bz_image(version: &str) -> Vec<u8> {
        let mut head = vec![0; 0x800];
        head[0x202..0x206].copy_from_slice(b"HdrS");
        head[0x206..0x208].copy_from_slice(&0x20f_u16.to_le_bytes());
        head[0x20e..0x210].copy_from_slice(&0x300_u16.to_le_bytes());
        head[0x236] = 1;
        let text = format!("{version} (builder@host) #1 SMP\0");
        head[0x500..0x500 + text.len()].copy_from_slice(text.as_bytes());
        head
    }

    pub(crate) fn unified(sections: &[(&str, &[u8])]) -> Vec<u8> {
        let mut file = vec![0; 0x400 + sections.len() * 40];
        file[..2].copy_from_slice(b"MZ");
        file[0x3c] = 0x80;
        file[0x80..0x84].copy_from_slice(b"PE\0\0");
        file[0x84..0x86].copy_from_slice(&0x8664_u16.to_le_bytes());
        file[0x86] = u8::try_from(sections.len()).unwrap();
        for (index, (name, bytes)) in sections.iter().enumerate() {
            let row = 0x98 + index * 40;
            file[row..row + name.len()].copy_from_slice(name.as_bytes());
            let length = u32::try_from(bytes.len()).unwrap().to_le_bytes();
            file[row + 8..row + 12].copy_from_slice(&length);
            file[row + 16..row + 20].copy_from_slice(&length);
            let at = u32::try_from(file.len()).unwrap().to_le_bytes();
            file[row + 20..row + 24].copy_from_slice(&at);
            file.extend_from_slice(bytes);
        }
        file
    }

    #[test]
    fn a_bz_image_has_version_and_machine() {
        let image = parse_kernel(&bz_image("6.1.0-18-amd64")).unwrap();
        assert_eq!(image.version.as_deref(), Some("6.1.0-18-amd64"));
        assert_eq!(image.machine, Some(Machine::X86_64));
        assert!(!image.is_unified());
        assert_eq!(parse_kernel(b"nothing"), None);
    }

    #[test]
    fn a_unified_image_has_sections() {
        let file = unified(&[(".linux", b"kernel"), (".cmdline", b"root=UUID=ab ro\0junk")]);
        let image = parse_kernel(&file).unwrap();
        assert!(image.is_unified());
        let section = image.section(".cmdline").unwrap();
        let at = usize::try_from(section.offset).unwrap();
        let line = parse_cmdline_section(&file[at..at + usize::try_from(section.length).unwrap()]);
        assert_eq!(line.text, "root=UUID=ab ro");
    }

    #[test]
    fn names_of_files_tell_versions() {
        for (name, version) in [
            ("/boot/vmlinuz-6.1.0-18-amd64", Some("6.1.0-18-amd64")),
            ("/initramfs-5.14.0-362.el9.x86_64.img", Some("5.14.0-362.el9.x86_64")),
            ("initrd.img-6.1.0-18-amd64", Some("6.1.0-18-amd64")),
            ("/initrd-2.6.18-8.el5.img", Some("2.6.18-8.el5")),
            ("/boot/vmlinuz-linux", None),
            ("/boot/vmlinuz", None),
            ("vmlinuz-0-rescue-0123456789abcdef", None),
        ] {
            assert_eq!(version_in_name(name).as_deref(), version, "{name}");
        }
        assert_eq!(version_numbers("2.6.18-8.el5"), Some([2, 6, 18]));
        assert_eq!(version_numbers("6.12-rc1"), Some([6, 12, 0]));
        assert_eq!(version_numbers("x"), None);
        assert_eq!(version_numbers("99999999999.1"), None);
    }

    proptest! {
        #[test]
        fn altered_images_are_read(changes in prop::collection::vec((0..0x600_usize, any::<u8>()), 0..8), end in 0..0x600_usize) {
            for mut bytes in [bz_image("6.1.0"), unified(&[(".linux", b"x"), (".initrd", &[7; 600])])] {
                for (at, byte) in &changes {
                    if let Some(place) = bytes.get_mut(*at) { *place = *byte; }
                }
                parse_kernel(&bytes);
                parse_kernel(&bytes[..end.min(bytes.len())]);
            }
        }
    }
}
