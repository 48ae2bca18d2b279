//! VMDK.

use imsprep_source::{Cancel, Error as SourceError, MemoryImage, ReadAt};
use proptest::prelude::*;

use imsprep_testdata::noise;

use super::assert_holds;
use super::build_vmdk::{Built, Form, Kind, build};
use crate::{Slice, Vmdk};

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]
    #[test]
    fn a_disk_is_its_grains(
        form in prop::sample::select(&[Form::Plain, Form::Compressed, Form::Stream][..]), bits in 9u32..17,
        kinds in prop::collection::vec((0u8..5, any::<u64>()), 1..1200), cut in 0usize..128
    ) {
        let grain = 1_usize << bits;
        let count = kinds.len().min((1 << 21) / grain).max(2);
        let (mut grains, mut expected) = (Vec::new(), Vec::new());
        for (kind, seed) in kinds.iter().take(count) {
            let content = if *kind == 4 {
                noise(*seed, 16).into_iter().cycle().take(grain).collect()
            } else {
                noise(*seed, grain)
            };
            expected.extend(if *kind < 3 { vec![0; grain] } else { content.clone() });
            grains.push(match kind {
                0 | 1 => Kind::Absent,
                2 => Kind::Zeros,
                _ => Kind::There(content),
            });
        }
        let sectors = expected.len() / 512 - cut.min(grain / 512 - 1);
        expected.truncate(sectors * 512);
        // Of the last grain, some programs write only what the disk has.
        if let (Some(Kind::There(last)), true) = (grains.last_mut(), form != Form::Plain && cut % 2 == 0) {
            last.truncate(grain - (grain - expected.len() % grain) % grain);
        }
        let built = build(form, grain, sectors as u64, &grains);
        let image = MemoryImage::new("disk.vmdk", built.bytes);
        assert_holds(&Vmdk::open(Slice::whole(&image), &Cancel::new()).unwrap(), &expected);
    }
}

fn small(form: Form) -> Built {
    let kinds = [Kind::There(noise(1, 4096)), Kind::There(vec![7; 4096]), Kind::Absent];
    build(form, 4096, 24, &kinds)
}

#[test]
fn what_can_not_be_read_without_doubt_is_refused() {
    for form in [Form::Plain, Form::Stream] {
        let good = small(form);
        for (at, bytes, words) in [
            (0, &b"X"[..], "no header of a sparse disk"),
            (4, &[9], "no header of a sparse disk"),
            (12, &[0xff; 8], "larger than any reader supports"),
            (12, &[0, 0, 0, 0, 0, 1], "beyond the end of the file"),
            (20, &[0], "a grain has 0 sectors"),
            (20, &[3], "a grain has 3 sectors"),
            (20, &[0, 0x20], "a grain has 8192 sectors"),
            (44, &[0, 0], "a grain table has 0 entries"),
            (56, &[0, 0, 0, 1], "beyond the end of the file"),
            (56, &[0xfe, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff], "beyond the end of the file"),
        ] {
            let mut file = good.bytes.clone();
            file[good.header + at..][..bytes.len()].copy_from_slice(bytes);
            let image = MemoryImage::new("disk.vmdk", file);
            let error = Vmdk::open(Slice::whole(&image), &Cancel::new()).err();
            let error = error.unwrap_or_else(|| panic!("{form:?} {at} {bytes:?}")).to_string();
            assert!(error.contains(words), "{form:?} {at}: {error}");
        }
    }
    let good = small(Form::Stream);
    let mut file = good.bytes.clone();
    file[good.header + 77] = 2;
    let image = MemoryImage::new("disk.vmdk", file);
    assert!(
        Vmdk::open(Slice::whole(&image), &Cancel::new())
            .err()
            .unwrap()
            .to_string()
            .contains("compression 2 is unknown")
    );
    // A stream that was cut off has no footer.
    let image = MemoryImage::new("disk.vmdk", good.bytes[..good.header].to_vec());
    assert!(Vmdk::open(Slice::whole(&image), &Cancel::new()).is_err());
}

#[test]
fn damage_is_named_where_it_is_and_the_rest_can_be_read() {
    let read = |file: Vec<u8>, grain: u64| {
        let image = MemoryImage::new("disk.vmdk", file);
        let disk = Vmdk::open(Slice::whole(&image), &Cancel::new()).unwrap();
        disk.read_at(&mut [0; 4096], grain * 4096)
    };
    let says = |result: Result<(), SourceError>, words: &str| {
        let error = result.unwrap_err();
        assert!(
            matches!(&error, SourceError::Damaged { what, .. } if what.contains(words)),
            "{words}: {error}"
        );
    };
    for form in [Form::Plain, Form::Compressed, Form::Stream] {
        let good = small(form);
        let mut file = good.bytes.clone();
        file[good.table.unwrap()..][..4].copy_from_slice(&u32::MAX.to_le_bytes());
        says(read(file.clone(), 0), "beyond the end of the file");
        read(file, 1).unwrap();
        let mut file = good.bytes.clone();
        file[good.directory..][..4].copy_from_slice(&u32::MAX.to_le_bytes());
        says(read(file, 1), "the grain table has the offset");
    }
    let good = small(Form::Stream);
    for (at, bytes, words) in [
        (1024, &[8_u8, 0][..], "marked as that of sector 8"),
        (1024 + 8, &[1, 0x20, 0, 0], "8193 compressed bytes"),
        (1024 + 8, &[0, 0, 0, 0], "0 compressed bytes"),
        (1024 + 13, &[0xff, 0xff, 0xff], "cannot be decompressed"),
        (1024 + 8, &[40, 0, 0, 0], "decompress"),
    ] {
        let mut file = good.bytes.clone();
        file[at..][..bytes.len()].copy_from_slice(bytes);
        says(read(file.clone(), 0), words);
        read(file, 1).unwrap();
    }
}
