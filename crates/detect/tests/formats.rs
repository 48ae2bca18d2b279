//! The formats that no cloud takes, from the smallest bytes that make one: what they tell, and what is wrong with them.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test that meets the unexpected should stop there"
)]

use imsprep_detect::{Detection, Fact, Format, detect};
use imsprep_source::MemoryImage;

const MIB: usize = 1 << 20;

fn found(bytes: impl Into<Vec<u8>>) -> Detection {
    detect(&MemoryImage::new("image", bytes.into())).unwrap()
}

/// `size` zeros with these parts.
fn bytes(size: usize, parts: &[(usize, &[u8])]) -> Vec<u8> {
    let mut bytes = vec![0; size];
    for (offset, part) in parts {
        bytes[*offset..offset + part.len()].copy_from_slice(part);
    }
    bytes
}

fn with(mut bytes: Vec<u8>, offset: usize, part: &[u8]) -> Vec<u8> {
    bytes[offset..offset + part.len()].copy_from_slice(part);
    bytes
}

fn says(found: &Detection, words: &str) -> bool {
    found.facts.iter().any(|fact| match fact {
        Fact::Damaged(what) | Fact::OutsideFile(what) | Fact::UnknownRequired(what) => what.contains(words),
        _ => false,
    })
}

fn parallels(magic: &[u8; 16]) -> Vec<u8> {
    bytes(
        3 * MIB,
        &[
            (0, magic),
            (16, &[2]),
            (28, &2048_u32.to_le_bytes()),
            (32, &4_u32.to_le_bytes()),
            (36, &8192_u64.to_le_bytes()),
            (44, b"v2.1"),
            (48, &2048_u32.to_le_bytes()),
        ],
    )
}

#[test]
fn parallels_of_both_magics() {
    for (magic, variant, second) in
        [(b"WithoutFreeSpace", "WithoutFreeSpace", 4096_u32), (b"WithouFreSpacExt", "WithouFreSpacExt", 2)]
    {
        let good = with(parallels(magic), 68, &second.to_le_bytes());
        let image = found(good.clone());
        assert_eq!((image.format, image.variant), (Format::Parallels, Some(variant)));
        assert_eq!((image.virtual_size, image.facts), (Some(4 << 20), vec![]));
        assert_eq!(found(with(good.clone(), 44, b"Ynot")).facts, [Fact::Dirty]);
        assert!(says(&found(with(good.clone(), 44, b"what")), "in-use mark"));
        assert!(says(&found(with(good.clone(), 16, &[3])), "version 3"));
        assert!(says(&found(with(good.clone(), 32, &[3])), "clusters are fewer"));
        assert!(says(
            &found(with(good.clone(), 64, &u32::MAX.to_le_bytes())),
            "a cluster of the disk ends at"
        ));
        assert!(says(&found(with(good.clone(), 32, &[0xff; 4])), "allocation table ends at"));
        assert!(says(&found(good[..40].to_vec()), "inside the header"));
        // Only the newer kind has a size of 64 bits.
        let huge = found(with(good, 40, &[0xff; 4]));
        assert_eq!(huge.virtual_size.is_none(), variant == "WithouFreSpacExt", "{huge:?}");
    }
}

#[test]
fn a_parallels_bundle_names_its_images() {
    let xml = "<?xml version='1.0'?>\n<!-- x -->\n<Parallels_disk_image Version=\"1.0\"><Disk_size>2048</Disk_size>\
               <Engine>{00000000-0000-0000-0000-000000000000}</Engine><File>a&amp;b.hds</File><File>../c.hds</File>\
               <Shot><GUID>1</GUID></Shot><Shot></Shot><Shot></Shot></Parallels_disk_image>";
    let bundle = found(xml);
    assert_eq!((bundle.format, bundle.variant), (Format::Parallels, Some("bundle descriptor")));
    assert_eq!(bundle.virtual_size, Some(MIB as u64));
    let names = Fact::ExtentFiles(vec!["a&b.hds".into(), "../c.hds".into()]);
    assert_eq!(bundle.facts, [names, Fact::Snapshots(2)]);
    let locked = found(xml.replace("{00000000-", "{12345678-"));
    assert_eq!(locked.facts.last(), Some(&Fact::Encrypted("Parallels")));
    assert_eq!(found(format!("\u{feff}{xml}")).format, Format::Parallels);
    assert!(says(&found(xml.replace("<Disk_size>2048", "<Disk_size>x")), "size of the disk"));
    assert_eq!(found("<?xml version='1.0'?><other>Parallels_disk_image</other>").format, Format::Raw);
    assert!(says(&found(format!("{xml}{}", " ".repeat(300_000))), "262144 bytes"));
}

#[test]
fn bochs_of_both_versions_and_its_redo_logs() {
    let log = |subtype: &[u8], version: u32, size_at: usize| {
        bytes(
            1024,
            &[
                (0, b"Bochs Virtual HD Image"),
                (32, b"Redolog"),
                (48, subtype),
                (64, &version.to_le_bytes()),
                (68, &512_u32.to_le_bytes()),
                (72, &8_u32.to_le_bytes()),
                (80, &(1_u32 << 20).to_le_bytes()),
                (size_at, &(8_u64 << 20).to_le_bytes()),
            ],
        )
    };
    for (version, size_at) in [(0x1_0000, 84), (0x2_0000, 88)] {
        let growing = found(log(b"Growing", version, size_at));
        assert_eq!((growing.format, growing.variant), (Format::Bochs, Some("growing")));
        assert_eq!((growing.virtual_size, growing.facts), (Some(8 << 20), vec![]));
    }
    let undoable = found(log(b"Undoable", 0x2_0000, 88));
    assert_eq!((undoable.variant, undoable.facts), (Some("undoable"), vec![Fact::Parent(None)]));
    assert!(says(&found(log(b"Shrinking", 0x2_0000, 88)), "kind"));
    assert!(says(&found(log(b"Growing", 0x3_0000, 88)), "version 0x30000"));
    assert!(says(&found(with(log(b"Growing", 0x2_0000, 88), 72, &[7])), "extents are fewer"));
    assert!(says(&found(with(log(b"Growing", 0x2_0000, 88), 72, &[0, 1])), "catalog ends at 1536"));
}

#[test]
fn an_apple_disk_image_by_its_trailer() {
    let trailer = |parts: &[(usize, &[u8])]| {
        let mut image = bytes(
            MIB + 512,
            &[
                (MIB, b"koly\0\0\0\x04\0\0\x02\0"),
                (MIB + 32, &(MIB as u64).to_be_bytes()),
                (MIB + 63, &[1]),
                (MIB + 492, &4096_u64.to_be_bytes()),
            ],
        );
        for (at, part) in parts {
            image = with(image, MIB + at, part);
        }
        found(image)
    };
    let image = trailer(&[]);
    assert_eq!((image.format, image.variant), (Format::Dmg, Some("udif")));
    assert_eq!((image.virtual_size, image.facts), (Some(2 << 20), vec![]));
    assert_eq!(trailer(&[(63, &[3])]).facts, [Fact::ExternalDataFile(None)]);
    assert!(says(&trailer(&[(216, &[0x7f]), (231, &[1])]), "list of blocks"));
    assert!(says(&trailer(&[(492, &[0xff; 8])]), "out of range"));
    // Four letters in a disk's last sector are no trailer.
    assert_eq!(trailer(&[(10, &[1])]).format, Format::Raw);
    let encrypted = found(bytes(4096, &[(0, b"encrcdsa\0\0\0\x02")]));
    assert_eq!((encrypted.format, encrypted.variant), (Format::Dmg, Some("encrypted")));
    assert_eq!(encrypted.facts, [Fact::Encrypted("Apple disk image")]);
}

#[test]
fn cloop_android_ewf_aff_and_wim() {
    let mut cloop = b"#!/bin/sh\n#V2.0 Format\nmodprobe cloop file=x".to_vec();
    cloop.resize(128, 0);
    cloop.extend([0, 0, 2, 0, 0, 0, 0, 3]);
    cloop.resize(136 + 32, 0);
    let image = found(cloop.clone());
    assert_eq!((image.format, image.virtual_size, image.facts), (Format::Cloop, Some(1536), vec![]));
    assert!(says(&found(cloop[..160].to_vec()), "list of blocks"));
    assert!(says(&found(with(cloop, 131, &[1])), "513 bytes"));

    let sparse = bytes(28, &[(0, b"\x3a\xff\x26\xed\x01\0\0\0\x1c\0\x0c\0\0\x10\0\0\0\x08\0\0\x01")]);
    let image = found(sparse.clone());
    assert_eq!(
        (image.format, image.virtual_size, image.facts),
        (Format::AndroidSparse, Some(8 << 20), vec![])
    );
    assert!(says(&found(with(sparse.clone(), 4, &[2])), "version 2"));
    assert!(says(&found(with(sparse, 12, &[1])), "4097 bytes"));

    let mut ewf = bytes(13 + 76 + 94 + 76, &[(0, b"EVF\x09\x0d\x0a\xff\0\x01\x01\0\0\0"), (13, b"volume")]);
    ewf = with(ewf, 13 + 16, &183_u64.to_le_bytes());
    ewf = with(ewf, 13 + 76 + 12, &512_u32.to_le_bytes());
    ewf = with(ewf, 13 + 76 + 16, &16384_u64.to_le_bytes());
    let done = found(with(ewf.clone(), 183, b"done"));
    assert_eq!((done.format, done.variant), (Format::Ewf, Some("v1")));
    assert_eq!((done.virtual_size, done.facts), (Some(8 << 20), vec![]));
    assert_eq!(found(with(ewf, 183, b"next")).facts, [Fact::ExternalDataFile(None)]);
    assert_eq!(found(b"EVF2\x0d\x0a\x81\0\x02".to_vec()).variant, Some("v2"));

    let aff = b"AFF10\r\n\0AFF\0\0\0\0\x08\0\0\0\0\0\0\x02\0pagesizeATT\0\0\0\0\x20AFF\0\0\0\0\x09\0\0\0\x08\0\0\0\x02\
                imagesize\0\x80\0\0\0\0\0\x01ATT\0\0\0\0\x29";
    let image = found(aff.to_vec());
    assert_eq!((image.format, image.virtual_size), (Format::Aff, Some((1 << 32) + (8 << 20))));

    let wim = bytes(208, &[(0, b"MSWIM\0\0\0\xd0"), (40, &[1, 0, 1])]);
    assert_eq!((found(wim.clone()).format, found(wim.clone()).facts), (Format::Wim, vec![]));
    assert_eq!(found(with(wim, 42, &[2])).facts, [Fact::ExternalDataFile(None)]);
    assert_eq!(found(bytes(208, &[(0, b"WLPWM\0\0\0")])).variant, Some("pipable"));
}

#[test]
fn luks_2_says_where_its_data_is() {
    let luks = |json: &str| {
        found(bytes(MIB, &[(0, b"LUKS\xba\xbe\0\x02\0\0\0\0\0\0\x40\0"), (4096, json.as_bytes())]))
    };
    let segment = |offset, size| format!(r#"{{"segments":{{"0":{{"offset":"{offset}","size":"{size}"}}}}}}"#);
    let image = luks(&segment(65536, "dynamic"));
    assert_eq!((image.virtual_size, image.facts), (Some(MIB as u64 - 65536), vec![Fact::Encrypted("LUKS2")]));
    assert_eq!(luks(&segment(65536, "4096")).virtual_size, Some(4096));
    assert!(says(&luks(&segment(65536, "1048576")), "encrypted data ends at 1114112"));
    assert!(says(&luks(&segment(9_999_999, "dynamic")), "comes before"));
    for json in ["", "{", "[]", "{\"segments\":{}}", &"[".repeat(5000)] {
        assert!(says(&luks(json), "has no offset"), "{json}");
    }
}

#[test]
fn a_qcow2_that_was_cut_off_shows_in_its_tables() {
    let mut image =
        bytes(256 << 10, &[(0, b"QFI\xfb\0\0\0\x03"), (20, &16_u32.to_be_bytes()), (28, &[0x40])]);
    for (at, value) in [(36, 2_u64 << 32), (40, 192 << 10), (48, 64 << 10)] {
        image = with(image, at, &value.to_be_bytes());
    }
    image = with(image, 100, &104_u32.to_be_bytes());
    let at = |offset: u64| (1_u64 << 63 | offset).to_be_bytes();
    image = with(image, 192 << 10, &at(128 << 10));
    assert_eq!(found(image.clone()).facts, []);
    image = with(image, (192 << 10) + 8, &at(256 << 10));
    assert!(says(&found(image.clone()), "an L2 table ends at 262145, but the file ends at 262144"));
    assert!(says(&found(image[..(192 << 10) + 8].to_vec()), "the L1 table ends"));
    assert!(says(&found(image[..60 << 10].to_vec()), "the refcount table ends"));
    image = with(image, 63, &[1]);
    assert!(says(&found(with(image, 64, &[1])), "the snapshot table ends"));
}

#[test]
fn a_compression_that_nobody_knows_is_told() {
    let image = |kind, length: u32| {
        let image = bytes(4096, &[(0, b"QFI\xfb\0\0\0\x03"), (20, &16_u32.to_be_bytes()), (79, &[8])]);
        found(with(with(image, 100, &length.to_be_bytes()), 104, &[kind])).facts
    };
    assert_eq!(image(1, 112), []);
    assert_eq!(image(2, 112), [Fact::UnknownRequired("compression type 2".into())]);
    assert_eq!(image(2, 104), [], "the field is not there");
}
