//! Which extensions files of a format have.

use crate::Format;

/// Formats and their usual extensions, without the dot and in lower case. What is left out are extensions that say nothing,
/// or that RAW disks have as well: `.img`, `.bin`, `.dd`; `.hdd` and `.hds`, whose plain form is RAW; `.dmg`, whose
/// uncompressed form is RAW.
const EXTENSIONS: &[(Format, &[&str])] = &[
    (Format::Zvhd2, &["zvhd2"]),
    (Format::Zvhd, &["zvhd"]),
    (Format::Qcow2, &["qcow2", "qcow3"]),
    (Format::Qcow, &["qcow"]),
    (Format::Vmdk, &["vmdk"]),
    (Format::Vhd, &["vhd", "vpc"]),
    (Format::Vhdx, &["vhdx", "avhdx"]),
    (Format::Vdi, &["vdi"]),
    (Format::Qed, &["qed"]),
    (Format::Iso9660, &["iso"]),
    (Format::Luks, &["luks"]),
    (Format::Gzip, &["gz", "tgz"]),
    (Format::Xz, &["xz", "txz"]),
    (Format::Zstd, &["zst", "zstd"]),
    (Format::Bzip2, &["bz2"]),
    (Format::Lz4, &["lz4"]),
    (Format::Zip, &["zip"]),
    (Format::SevenZip, &["7z"]),
    (Format::Tar, &["ova", "tar", "xva"]),
    (Format::Cloop, &["cloop"]),
    (Format::AndroidSparse, &["simg"]),
    (Format::Ewf, &["e01", "ex01"]),
    (Format::Aff, &["aff"]),
    (Format::Wim, &["wim", "esd"]),
];

impl Format {
    /// The format that a file's extension tells of, in any case; `None` for extensions that RAW disks have as well.
    pub fn of_extension(extension: &str) -> Option<Self> {
        let is_it = |known: &&str| known.eq_ignore_ascii_case(extension);
        EXTENSIONS.iter().find(|(_, known)| known.iter().any(is_it)).map(|(format, _)| *format)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_extension_tells_of_one_format() {
        let all = EXTENSIONS.iter().flat_map(|(_, known)| known.iter()).collect::<Vec<_>>();
        for (number, extension) in all.iter().enumerate() {
            assert!(!all[..number].contains(extension), "{extension}");
            assert_eq!(extension.to_ascii_lowercase(), **extension);
        }
        assert_eq!(Format::of_extension("QCOW2"), Some(Format::Qcow2));
        assert_eq!(Format::of_extension("ova"), Some(Format::Tar));
        for none in ["raw", "img", "bin", "dd", "hdd", "dmg", "txt", ""] {
            assert_eq!(Format::of_extension(none), None, "{none}");
        }
    }
}
