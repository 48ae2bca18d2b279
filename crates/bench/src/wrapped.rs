//! Compressed sources that are converted to ZVHD2.

/// A compressed image, of a disk that is a quarter zeros, half text and a quarter noise.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Wrapped {
    /// A RAW in xz, in blocks of 24 MiB, as xz makes them on several threads.
    XzBlocks,
    /// A RAW in xz, in one block.
    Xz,
    /// A RAW in gzip.
    Gzip,
    /// A qcow2 of which the clusters are compressed by zlib.
    Qcow2Zlib,
    /// A VMDK of which the grains are compressed.
    Vmdk,
    /// A qcow2 in xz.
    Qcow2Xz,
    /// A qcow2 that is not compressed, for `prepare`.
    Prepare,
}

impl Wrapped {
    /// All of them.
    pub const ALL: [Self; 7] =
        [Self::XzBlocks, Self::Xz, Self::Gzip, Self::Qcow2Zlib, Self::Vmdk, Self::Qcow2Xz, Self::Prepare];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::XzBlocks => "wrapped-xz",
            Self::Xz => "wrapped-xz-one",
            Self::Gzip => "wrapped-gz",
            Self::Qcow2Zlib => "wrapped-zlib",
            Self::Vmdk => "wrapped-vmdk",
            Self::Qcow2Xz => "wrapped-qcow2-xz",
            Self::Prepare => "wrapped-prepare",
        }
    }

    pub(crate) fn title(self) -> &'static str {
        match self {
            Self::XzBlocks => {
                "RAW in xz of several blocks to ZVHD2: a quarter zeros, half text, a quarter noise"
            }
            Self::Xz => "RAW in xz of one block to ZVHD2: the same content",
            Self::Gzip => "RAW in gzip to ZVHD2: the same content",
            Self::Qcow2Zlib => "qcow2 compressed by zlib to ZVHD2: the same content",
            Self::Vmdk => "VMDK, streamOptimized, to ZVHD2: the same content",
            Self::Qcow2Xz => "qcow2 in xz to ZVHD2: the same content",
            Self::Prepare => "qcow2, prepared for an import: the same content",
        }
    }

    pub(crate) fn extension(self) -> &'static str {
        match self {
            Self::XzBlocks | Self::Xz => "raw.xz",
            Self::Gzip => "raw.gz",
            Self::Qcow2Zlib | Self::Prepare => "qcow2",
            Self::Vmdk => "vmdk",
            Self::Qcow2Xz => "qcow2.xz",
        }
    }

    /// The programs that make the image.
    pub(crate) fn programs(self) -> &'static [&'static str] {
        match self {
            Self::XzBlocks | Self::Xz => &["xz"],
            Self::Gzip => &["gzip"],
            Self::Qcow2Zlib | Self::Vmdk | Self::Prepare => &["qemu-img"],
            Self::Qcow2Xz => &["qemu-img", "xz"],
        }
    }

    /// What makes the image `$2` of the RAW `$1`. The fastest levels, as only the time to expand matters.
    pub(crate) fn script(self) -> &'static str {
        match self {
            Self::XzBlocks => r#"xz -1 -T2 --block-size=24MiB -c -- "$1" > "$2""#,
            Self::Xz => r#"xz -1 -T1 -c -- "$1" > "$2""#,
            Self::Gzip => r#"gzip -6 -c -- "$1" > "$2""#,
            Self::Qcow2Zlib => {
                r#"qemu-img convert -W -m 16 -f raw -O qcow2 -c -o compression_type=zlib "$1" "$2""#
            }
            Self::Vmdk => r#"qemu-img convert -f raw -O vmdk -o subformat=streamOptimized "$1" "$2""#,
            Self::Qcow2Xz => {
                r#"qemu-img convert -f raw -O qcow2 "$1" "$2.qcow2" && xz -1 -T2 --block-size=24MiB -c -- "$2.qcow2" > "$2" && rm -- "$2.qcow2""#
            }
            Self::Prepare => r#"qemu-img convert -f raw -O qcow2 "$1" "$2""#,
        }
    }
}
