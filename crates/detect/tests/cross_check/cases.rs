//! Which images are made, how, what they are, and why programs differ over them.

use std::process::Stdio;

use imsprep_detect::Format;
use imsprep_testdata::command;
use tempfile::TempDir;

use crate::bytes::{
    PARALLELS_XML, bochs_growing, cloop, dmg, parallels_old, put, qcow2_with_bits, vhd_differencing,
    vhd_of_two_sizes,
};

/// One image.
pub(crate) struct Case {
    pub(crate) name: &'static str,
    /// The programs that make it.
    pub(crate) tools: &'static [&'static str],
    /// How, for a shell in an empty folder, or by hand.
    recipe: Recipe,
    /// The file that is looked at.
    pub(crate) file: &'static str,
    /// What we say of it.
    pub(crate) ours: (Format, Option<&'static str>),
    /// Why another program says something else; empty if none does.
    pub(crate) why: &'static str,
}

enum Recipe {
    Shell(&'static str),
    Bytes(&'static str, fn() -> Vec<u8>),
}

impl Case {
    /// The folder with the image.
    pub(crate) fn make(&self) -> TempDir {
        let folder = TempDir::new().unwrap();
        match self.recipe {
            Recipe::Shell(script) => {
                let output = command("sh")
                    .args(["-e", "-c", script])
                    .current_dir(&folder)
                    .stdin(Stdio::null())
                    .output()
                    .unwrap();
                let error = String::from_utf8_lossy(&output.stderr);
                assert!(output.status.success(), "{}: {script}: {error}", self.name);
            }
            Recipe::Bytes(_, bytes) => std::fs::write(folder.path().join(self.file), bytes()).unwrap(),
        }
        folder
    }

    /// The recipe as the page has it.
    pub(crate) fn recipe_text(&self) -> String {
        match self.recipe {
            Recipe::Shell(script) => format!("`{}`", script.replace('|', "\\|")),
            Recipe::Bytes(words, _) => words.into(),
        }
    }
}

const fn case(
    name: &'static str,
    tools: &'static [&'static str],
    script: &'static str,
    ours: (Format, Option<&'static str>),
    why: &'static str,
) -> Case {
    Case { name, tools, recipe: Recipe::Shell(script), file: "image", ours, why }
}

const fn by_hand(
    name: &'static str,
    words: &'static str,
    bytes: fn() -> Vec<u8>,
    ours: (Format, Option<&'static str>),
    why: &'static str,
) -> Case {
    Case { name, tools: &[], recipe: Recipe::Bytes(words, bytes), file: "image", ours, why }
}

const QEMU: &[&str] = &["qemu-img"];
/// Why all three say raw of what they don't know.
const UNKNOWN_TO_TWO: &str = "qemu-img and oslo.utils do not know it, and report unknown formats as raw";
const UNKNOWN_TO_ALL: &str = "none of them knows it; qemu-img and oslo.utils report unknown formats as raw";
const WRAPPER: &str =
    "qemu-img and oslo.utils detect only disk formats and report compressed files and archives as raw";
const NO_QCOW1: &str = "oslo.utils reports it as a qcow2 with unknown features";
const EXTENT_FILES: &str =
    "file reports text; oslo.utils reports no size, and refuses it as unsafe (IMS-007 in imsprep)";

pub(crate) const CASES: &[Case] = &[
    case("raw, zeros", &["truncate"], "truncate -s 8M image", (Format::Raw, None), ""),
    case(
        "raw, odd size",
        &["truncate"],
        "truncate -s 8000001 image",
        (Format::Raw, None),
        "qemu-img rounds up to whole sectors",
    ),
    case(
        "GPT",
        &["sgdisk"],
        "truncate -s 64M image; sgdisk -n 1:0:+16M -n 2:0:0 image",
        (Format::Raw, None),
        "",
    ),
    case(
        "MBR",
        &["sfdisk"],
        "truncate -s 64M image; printf 'label: dos\\n,10M,L,*\\n,\\n' | sfdisk -q image",
        (Format::Raw, None),
        "",
    ),
    case(
        "GPT with an ESP",
        &["sgdisk", "mkfs.vfat"],
        "truncate -s 64M image; sgdisk -n 1:2048:67583 -t 1:ef00 image; mkfs.vfat --offset 2048 image 32768",
        (Format::Raw, None),
        "",
    ),
    case(
        "FAT without a partition table",
        &["mkfs.vfat"],
        "truncate -s 8M image; mkfs.vfat image",
        (Format::Raw, None),
        "",
    ),
    case("ext4", &["mkfs.ext4"], "truncate -s 8M image; mkfs.ext4 -q -F image", (Format::Raw, None), ""),
    case("XFS", &["mkfs.xfs"], "truncate -s 512M image; mkfs.xfs -q image", (Format::Raw, None), ""),
    case(
        "NTFS",
        &["mkfs.ntfs"],
        "truncate -s 8M image; mkfs.ntfs -q -F image",
        (Format::Raw, None),
        "oslo.utils treats the boot record of NTFS as an invalid MBR",
    ),
    case("Btrfs", &["mkfs.btrfs"], "truncate -s 128M image; mkfs.btrfs -q image", (Format::Raw, None), ""),
    case("swap", &["mkswap"], "truncate -s 8M image; mkswap image", (Format::Raw, None), ""),
    case(
        "ISO 9660",
        &["genisoimage"],
        "mkdir tree; echo hello > tree/a; genisoimage -quiet -o image tree",
        (Format::Iso9660, None),
        "qemu-img does not detect ISO files",
    ),
    case(
        "hybrid ISO with MBR and GPT",
        &["xorriso", "mkfs.vfat"],
        "mkdir tree; echo hello > tree/a; truncate -s 2M esp; mkfs.vfat esp; xorriso -as mkisofs -quiet -o image \
         --mbr-force-bootable -appended_part_as_gpt -append_partition 2 0xef esp tree",
        (Format::Iso9660, Some("hybrid")),
        "a hybrid is intentionally both an ISO and a disk; qemu-img does not detect ISO files",
    ),
    case(
        "GRUB's rescue image",
        &["grub-mkrescue", "xorriso", "mformat"],
        "mkdir tree; echo hello > tree/a; grub-mkrescue -o image tree",
        (Format::Iso9660, Some("hybrid")),
        "a hybrid is intentionally both an ISO and a disk; qemu-img does not detect ISO files",
    ),
    case(
        "empty file",
        &["truncate"],
        "truncate -s 0 image",
        (Format::Empty, None),
        "qemu-img and oslo.utils report an empty file as raw",
    ),
    // qcow2 and its relatives
    case(
        "qcow2 version 2",
        QEMU,
        "qemu-img create -q -f qcow2 -o compat=0.10 image 8M",
        (Format::Qcow2, Some("v2")),
        "",
    ),
    case("qcow2 version 3", QEMU, "qemu-img create -q -f qcow2 image 8M", (Format::Qcow2, Some("v3")), ""),
    case(
        "qcow2, zstd, subclusters",
        QEMU,
        "qemu-img create -q -f qcow2 -o compression_type=zstd,extended_l2=on image 3T",
        (Format::Qcow2, Some("v3")),
        "oslo.utils does not know one of these features; the specification defines both",
    ),
    case(
        "qcow2, lazy refcounts, preallocated",
        QEMU,
        "qemu-img create -q -f qcow2 -o lazy_refcounts=on,preallocation=full image 8M",
        (Format::Qcow2, Some("v3")),
        "",
    ),
    case(
        "qcow2, backing file",
        QEMU,
        "qemu-img create -q -f raw base 8M; qemu-img create -q -f qcow2 -b base -F raw image",
        (Format::Qcow2, Some("v3")),
        "imsprep reports the backing file as a fact (IMS-007)",
    ),
    case(
        "qcow2, external data file",
        QEMU,
        "qemu-img create -q -f qcow2 -o data_file=data image 8M",
        (Format::Qcow2, Some("v3")),
        "imsprep reports the data file as a fact (IMS-007)",
    ),
    case(
        "qcow2, two snapshots",
        QEMU,
        "qemu-img create -q -f qcow2 image 8M; qemu-img snapshot -c one image; qemu-img snapshot -c two image",
        (Format::Qcow2, Some("v3")),
        "",
    ),
    case(
        "qcow2, encrypted (LUKS)",
        QEMU,
        "qemu-img create -q -f qcow2 --object secret,id=s,data=x -o \
         encrypt.format=luks,encrypt.key-secret=s,encrypt.iter-time=10 image 8M",
        (Format::Qcow2, Some("v3")),
        "",
    ),
    by_hand(
        "qcow2, dirty, corrupt, unknown feature",
        "a header of 104 bytes with bits 0, 1 and 60, in 128 KiB of zeros",
        qcow2_with_bits,
        (Format::Qcow2, Some("v3")),
        "qemu-img refuses the unknown bit, which imsprep reports as a fact (IMS-022)",
    ),
    case("qcow", QEMU, "qemu-img create -q -f qcow image 8M", (Format::Qcow, Some("v1")), NO_QCOW1),
    case(
        "qcow, backing file",
        QEMU,
        "qemu-img create -q -f raw base 8M; qemu-img create -q -f qcow -b base -F raw image",
        (Format::Qcow, Some("v1")),
        NO_QCOW1,
    ),
    case(
        "QED",
        QEMU,
        "qemu-img create -q -f qed image 8M",
        (Format::Qed, None),
        "oslo.utils knows only the magic, not the size, and reports the format as unsafe",
    ),
    // VMDK
    case(
        "VMDK monolithicSparse",
        QEMU,
        "qemu-img create -q -f vmdk image 8M",
        (Format::Vmdk, Some("monolithicSparse")),
        "",
    ),
    case(
        "VMDK streamOptimized",
        QEMU,
        "head -c 8M /dev/urandom > raw; qemu-img convert -O vmdk -o subformat=streamOptimized raw image",
        (Format::Vmdk, Some("streamOptimized")),
        "",
    ),
    case(
        "VMDK monolithicFlat",
        QEMU,
        "qemu-img create -q -f vmdk -o subformat=monolithicFlat image 8M",
        (Format::Vmdk, Some("monolithicFlat")),
        EXTENT_FILES,
    ),
    case(
        "VMDK monolithicFlat, padded with NULs",
        QEMU,
        "qemu-img create -q -f vmdk -o subformat=monolithicFlat image 8M; sed -i 's/^CID=.*/CID=11147a49/' image; truncate -s 64K image",
        (Format::Vmdk, Some("monolithicFlat")),
        "oslo.utils reports padded text as raw; file reports text",
    ),
    case(
        "VMDK twoGbMaxExtentFlat",
        QEMU,
        "qemu-img create -q -f vmdk -o subformat=twoGbMaxExtentFlat image 3G",
        (Format::Vmdk, Some("twoGbMaxExtentFlat")),
        EXTENT_FILES,
    ),
    case(
        "VMDK twoGbMaxExtentSparse",
        QEMU,
        "qemu-img create -q -f vmdk -o subformat=twoGbMaxExtentSparse image 3G",
        (Format::Vmdk, Some("twoGbMaxExtentSparse")),
        EXTENT_FILES,
    ),
    case(
        "VMDK, parent",
        QEMU,
        "qemu-img create -q -f vmdk base.vmdk 8M; qemu-img create -q -f vmdk -b base.vmdk -F vmdk image",
        (Format::Vmdk, Some("monolithicSparse")),
        "",
    ),
    by_hand(
        "VMDK descriptor behind a byte order mark and comments",
        "the text of a monolithicFlat of 8 MiB, in CRLF lines",
        || {
            "\u{feff}# made by hand\r\n\r\n# Disk DescriptorFile\r\nversion=1\r\nCID=1\r\nparentCID=ffffffff\r\n\
             createType=\"monolithicFlat\"\r\nRW 16384 FLAT \"a.vmdk\" 0\r\n"
                .into()
        },
        (Format::Vmdk, Some("monolithicFlat")),
        "qemu-img and oslo.utils expect the text at the start of the file; file reports text",
    ),
    by_hand(
        "VMDK COWD",
        "a header for 8 MiB, and a free grain directory",
        || {
            let mut b = vec![0; 4096];
            put(&mut b, 0, b"COWD\x01\0\0\0\x03\0\0\0\0\x40\0\0\x01\0\0\0\x04\0\0\0\x04\0\0\0\x08");
            b
        },
        (Format::Vmdk, Some("vmfsSparse")),
        "qemu-img opens it through its descriptor only, and oslo.utils does not know it",
    ),
    by_hand(
        "VMDK seSparse",
        "a header for 8 MiB",
        || {
            let mut b = vec![0; 4096];
            put(&mut b, 0, &0xcafe_babe_u64.to_le_bytes());
            put(&mut b, 8, &0x2_0000_0001_u64.to_le_bytes());
            put(&mut b, 16, &16384_u64.to_le_bytes());
            b
        },
        (Format::Vmdk, Some("seSparse")),
        "the others read the descriptor that refers to it, not the extent-file itself",
    ),
    // VHD
    case("VHD dynamic", QEMU, "qemu-img create -q -f vpc image 8M", (Format::Vhd, Some("dynamic")), ""),
    case(
        "VHD dynamic, size kept",
        QEMU,
        "qemu-img create -q -f vpc -o force_size=on image 8M",
        (Format::Vhd, Some("dynamic")),
        "",
    ),
    case(
        "VHD dynamic, beyond the geometry",
        QEMU,
        "qemu-img create -q -f vpc -o force_size=on image 200G",
        (Format::Vhd, Some("dynamic")),
        "",
    ),
    case(
        "VHD fixed",
        QEMU,
        "qemu-img create -q -f vpc -o subformat=fixed,force_size=on image 8M",
        (Format::Vhd, Some("fixed")),
        "its footer is at the end, where the others do not read",
    ),
    case(
        "VHD fixed, footer of 511 bytes",
        QEMU,
        "qemu-img create -q -f vpc -o subformat=fixed,force_size=on image 8M; truncate -s -1 image",
        (Format::Vhd, Some("fixed")),
        "its footer is at the end, where the others do not read",
    ),
    by_hand(
        "VHD differencing",
        "a footer, the dynamic header, a table of one block, the footer again",
        vhd_differencing,
        (Format::Vhd, Some("differencing")),
        "qemu-img opens it as if it were complete, without its parent (IMS-007)",
    ),
    by_hand(
        "VHD fixed of two sizes",
        "1 MiB and a footer by qemu with a geometry of 10 x 4 x 17 sectors, which is less",
        vhd_of_two_sizes,
        (Format::Vhd, Some("fixed")),
        "its footer is at the end, where the others do not read; with an explicit format, qemu-img uses the smaller size (IMS-025)",
    ),
    // Others of qemu's
    case("VHDX dynamic", QEMU, "qemu-img create -q -f vhdx image 8M", (Format::Vhdx, Some("dynamic")), ""),
    case(
        "VHDX fixed",
        QEMU,
        "qemu-img create -q -f vhdx -o subformat=fixed image 8M",
        (Format::Vhdx, Some("fixed")),
        "",
    ),
    case("VDI dynamic", QEMU, "qemu-img create -q -f vdi image 8M", (Format::Vdi, Some("dynamic")), ""),
    case(
        "VDI static",
        QEMU,
        "qemu-img create -q -f vdi -o static=on image 8M",
        (Format::Vdi, Some("static")),
        "",
    ),
    case(
        "Parallels",
        QEMU,
        "qemu-img create -q -f parallels image 8M",
        (Format::Parallels, Some("WithouFreSpacExt")),
        "file and oslo.utils do not know it",
    ),
    by_hand(
        "Parallels, older magic",
        "a header for 8 MiB, and a table of eight free entries",
        parallels_old,
        (Format::Parallels, Some("WithoutFreeSpace")),
        "file and oslo.utils do not know it",
    ),
    by_hand(
        "Parallels bundle's descriptor",
        "DiskDescriptor.xml of a disk of 8 MiB in one file",
        || PARALLELS_XML.into(),
        (Format::Parallels, Some("bundle descriptor")),
        "the others report text; qemu-img opens only the image in the same folder",
    ),
    by_hand(
        "Bochs growing",
        "a header of version 2 for 8 MiB, and a catalog of eight free entries",
        bochs_growing,
        (Format::Bochs, Some("growing")),
        "oslo.utils does not know it",
    ),
    by_hand(
        "cloop",
        "the script, the numbers for four blocks of 512 bytes, and the offsets",
        cloop,
        (Format::Cloop, Some("v2")),
        "oslo.utils does not know it; file reports the script at its beginning",
    ),
    case(
        "LUKS 1, made by qemu-img",
        QEMU,
        "qemu-img create -q -f luks --object secret,id=s,data=x -o key-secret=s,iter-time=10 image 8M",
        (Format::Luks, Some("v1")),
        "",
    ),
    case(
        "LUKS 1, made by cryptsetup",
        &["cryptsetup"],
        "truncate -s 8M image; printf x | cryptsetup -q luksFormat --type luks1 --pbkdf-force-iterations 1000 image -",
        (Format::Luks, Some("v1")),
        "",
    ),
    case(
        "LUKS 2",
        &["cryptsetup"],
        "truncate -s 32M image; printf x | cryptsetup -q luksFormat --type luks2 --pbkdf pbkdf2 \
         --pbkdf-force-iterations 1000 image -",
        (Format::Luks, Some("v2")),
        "qemu-img supports only version 1",
    ),
    // Wrappers
    case("gzip", &["gzip"], "truncate -s 8M raw; gzip raw; mv raw.gz image", (Format::Gzip, None), WRAPPER),
    case("xz", &["xz"], "truncate -s 8M raw; xz raw; mv raw.xz image", (Format::Xz, None), WRAPPER),
    case(
        "Zstandard",
        &["zstd"],
        "truncate -s 8M raw; zstd -q raw; mv raw.zst image",
        (Format::Zstd, None),
        WRAPPER,
    ),
    case(
        "bzip2",
        &["bzip2"],
        "truncate -s 8M raw; bzip2 raw; mv raw.bz2 image",
        (Format::Bzip2, None),
        WRAPPER,
    ),
    case("LZ4", &["lz4"], "truncate -s 8M raw; lz4 -q raw image", (Format::Lz4, None), WRAPPER),
    case(
        "LZ4, legacy",
        &["lz4"],
        "truncate -s 8M raw; lz4 -q -l raw image",
        (Format::Lz4, Some("legacy")),
        WRAPPER,
    ),
    case(
        "ZIP",
        &["zip"],
        "truncate -s 8M raw; zip -q image.zip raw; mv image.zip image",
        (Format::Zip, None),
        WRAPPER,
    ),
    case(
        "7z",
        &["7z"],
        "truncate -s 8M raw; 7z a -bd image.7z raw; mv image.7z image",
        (Format::SevenZip, None),
        WRAPPER,
    ),
    case("tar", &["tar"], "truncate -s 8M raw; tar -cf image raw", (Format::Tar, None), WRAPPER),
    case(
        "tar, format of 1979",
        &["tar"],
        "truncate -s 8M raw; tar --format=v7 -cf image raw",
        (Format::Tar, None),
        WRAPPER,
    ),
    case(
        "OVA",
        &["qemu-img", "tar"],
        "truncate -s 8M raw; qemu-img convert -O vmdk -o subformat=streamOptimized raw d.vmdk; echo '<Envelope/>' > \
         d.ovf; tar --format=ustar -cf image d.ovf d.vmdk",
        (Format::Tar, Some("ova")),
        WRAPPER,
    ),
    // What no cloud takes
    case(
        "Android sparse",
        &["img2simg"],
        "truncate -s 8M raw; img2simg raw image",
        (Format::AndroidSparse, None),
        UNKNOWN_TO_TWO,
    ),
    Case {
        file: "image.E01",
        ..case(
            "EWF",
            &["ewfacquire"],
            "head -c 8M /dev/zero > disk.raw; ewfacquire -u -q -f encase6 -t \"$PWD/image\" \"$PWD/disk.raw\"",
            (Format::Ewf, Some("v1")),
            UNKNOWN_TO_TWO,
        )
    },
    case(
        "AFF",
        &["affconvert"],
        "head -c 8M /dev/zero > disk.raw; affconvert -q disk.raw; mv disk.aff image",
        (Format::Aff, None),
        UNKNOWN_TO_ALL,
    ),
    case(
        "WIM",
        &["wimcapture"],
        "mkdir tree; echo hello > tree/a; wimcapture tree image",
        (Format::Wim, None),
        UNKNOWN_TO_TWO,
    ),
    by_hand(
        "Apple disk image",
        "8 MiB of zeros and a trailer",
        dmg,
        (Format::Dmg, Some("udif")),
        "its trailer is at the end, where the others do not read; qemu-img uses the extension",
    ),
    by_hand(
        "ZVHD2",
        "testdata: zstd_k_uniform.zvhd2, written by the vendor's driver",
        || imsprep_testdata::golden("zstd_k_uniform.zvhd2").to_vec(),
        (Format::Zvhd2, None),
        UNKNOWN_TO_ALL,
    ),
    by_hand(
        "ZVHD",
        "testdata: zvhd1_a_8m.zvhd, written by the vendor's driver",
        || imsprep_testdata::golden("zvhd1_a_8m.zvhd").to_vec(),
        (Format::Zvhd, None),
        UNKNOWN_TO_ALL,
    ),
    // Polyglots and traps
    case(
        "qcow2 header on a GPT disk",
        &["qemu-img", "sgdisk"],
        "truncate -s 8M image; sgdisk -n 1:0:0 image; qemu-img create -q -f qcow2 q 1G; dd if=q of=image bs=446 count=1 \
         conv=notrunc",
        (Format::Qcow2, Some("v3")),
        "two formats at once (IMS-013): qemu-img and file take one, oslo.utils refuses",
    ),
    case(
        "qcow2 with a fixed VHD's footer",
        QEMU,
        "qemu-img create -q -f qcow2 image 8M; qemu-img create -q -f vpc -o subformat=fixed v 1M; tail -c 512 v >> image",
        (Format::Qcow2, Some("v3")),
        "two formats at once (IMS-013): the others see the first",
    ),
    by_hand(
        "text that begins with the ZVHD cookie",
        "the word `stream` and spaces, 8 KiB",
        || [b"stream of consciousness".to_vec(), vec![b' '; 8169]].concat(),
        (Format::Raw, None),
        "to file it is text",
    ),
];
