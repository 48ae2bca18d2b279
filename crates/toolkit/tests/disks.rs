//! Disks in containers: written as RAW, scanned, compared.

#![expect(clippy::unwrap_used, reason = "a test that meets the unexpected should stop there")]

use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use imsprep_scan::{ScanOptions, scan};
use imsprep_source::{
    Cancel, Error as SourceError, ErrorKind as SourceKind, ImageFile, Overwrite, ReadAt, Sink, StreamOutput,
    Work,
};
use imsprep_testdata::{golden, verdicts};
use imsprep_toolkit::{
    CompareOptions, Conversion, ConvertOptions, Converted, DiskLength, Error, ErrorKind, OpenedImage,
    RawWritten, compare_images, plan_conversion,
};
use imsprep_zvhd2::{ContainerWriter, Label, Method};

const BLOCK: usize = 2 << 20;

struct Folder(tempfile::TempDir);

impl Folder {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn write(&self, name: &str, bytes: &[u8]) -> PathBuf {
        std::fs::write(self.path(name), bytes).unwrap();
        self.path(name)
    }

    fn golden(&self, name: &str) -> PathBuf {
        self.write(name, golden(name))
    }

    fn names(&self) -> Vec<String> {
        let entries = std::fs::read_dir(self.0.path()).unwrap();
        let mut names: Vec<_> = entries.map(|e| e.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }
}

fn to_raw(image: &Path, output: &Path, length: DiskLength) -> Result<RawWritten, Error> {
    let options = ConvertOptions {
        length,
        overwrite: Overwrite::Replace,
        verify: true,
        bitmap: false,
        ..ConvertOptions::default()
    };
    raw_of(convert(image, output, options, &Cancel::new())?)
}

fn convert(
    image: &Path,
    output: &Path,
    options: ConvertOptions,
    cancel: &Cancel,
) -> Result<Conversion, Error> {
    let options = ConvertOptions { output: Some(output.to_owned()), ..options };
    plan_conversion(image, options, Work::new(&(), cancel))?.convert(Work::new(&(), cancel))
}

fn stream(image: &Path, out: &mut dyn Sink) -> Result<RawWritten, Error> {
    let cancel = Cancel::new();
    raw_of(
        plan_conversion(image, ConvertOptions::default(), Work::new(&(), &cancel))?
            .stream(out, Work::new(&(), &cancel))?,
    )
}

fn raw_of(conversion: Conversion) -> Result<RawWritten, Error> {
    match conversion.made {
        Some(Converted::Raw(raw)) => Ok(raw),
        other => panic!("{other:?} {:?}", conversion.plan.report),
    }
}

/// A container with these blocks; a block of `0` is a record of zeros.
fn container(orig_size: u64, blocks: &[(u32, u8)]) -> Vec<u8> {
    let label = Label { orig_size, method: Method::Zstd, timestamp: 0, uuid: [1; 16] };
    let mut out = StreamOutput::new("memory", Vec::new());
    let mut writer = ContainerWriter::begin(&mut out, &label).unwrap();
    for (number, byte) in blocks {
        writer.append(*number, &zstd_block_of(*byte)).unwrap();
    }
    writer.finish().unwrap();
    out.finish().unwrap()
}

/// A block of one byte over and over: a frame of RLE blocks (RFC 8878, 3.1.1).
fn zstd_block_of(byte: u8) -> Vec<u8> {
    const PIECE: usize = 128 << 10;
    let mut frame = vec![0x28, 0xb5, 0x2f, 0xfd, 0xa0];
    frame.extend(u32::try_from(BLOCK).unwrap().to_le_bytes());
    for number in 1..=BLOCK / PIECE {
        let last = u32::from(number == BLOCK / PIECE);
        let header = u32::try_from(PIECE).unwrap() << 3 | 1 << 1 | last;
        frame.extend(&header.to_le_bytes()[..3]);
        frame.push(byte);
    }
    frame
}

/// The demand of the format: what a ZVHD2 has inside is what a bitmap file has beside its RAW.
#[test]
fn the_bitmap_of_a_container_and_the_bitmap_of_its_raw_are_the_same_bits() {
    let mut compared = 0;
    for row in verdicts().into_iter().filter(|row| row.index_reader == Some(true) && row.form == "canonical")
    {
        let folder = Folder::new();
        let (image, raw) = (folder.golden(&row.file), folder.path("out.raw"));
        let written = to_raw(&image, &raw, DiskLength::Source).unwrap();
        assert_eq!(row.orig_size.unwrap_or(written.length), written.length, "{}", row.file);
        assert_eq!(written.left_out, None, "{}", row.file);
        let found =
            scan(&ImageFile::open(&raw).unwrap(), &ScanOptions::default(), Work::new(&(), &Cancel::new()))
                .unwrap();
        let image = OpenedImage::open(&image, &Cancel::new()).unwrap();
        let disk = image.disk(&Cancel::new()).unwrap();
        assert_eq!(disk.container().unwrap().block_map().unwrap(), found.map, "{}", row.file);
        compared += 1;
    }
    assert!(compared >= 15, "{compared}");
}

#[test]
fn a_raw_is_sparse_and_a_stream_has_the_same_bytes() {
    for (name, size) in [
        ("zstd_b_10m_plus3s.zvhd2", 10_487_296),
        ("zlib_a_8m.zvhd2", 8 << 20),
        ("zvhd1_a_8m.zvhd", 8 << 20),
        ("zstd_i1_512.zvhd2", 512),
        ("zstd_i0_empty.zvhd2", 0),
        ("zstd_d_zero_64m.zvhd2", 64 << 20),
    ] {
        let folder = Folder::new();
        let (image, raw) = (folder.golden(name), folder.path("out.raw"));
        let written = to_raw(&image, &raw, DiskLength::Source).unwrap();
        let bytes = std::fs::read(&raw).unwrap();
        assert_eq!((written.length, bytes.len()), (size, usize::try_from(size).unwrap()), "{name}");
        let room = raw.metadata().unwrap().blocks() * 512;
        assert!(room <= written.data_bytes + 65536, "{name}: {room} bytes for {}", written.data_bytes);

        let mut out = StreamOutput::new("memory", Vec::new());
        let streamed = stream(&image, &mut out).unwrap();
        assert!(out.finish().unwrap() == bytes, "{name}");
        assert_eq!((streamed.length, streamed.left_out), (size, None));
        assert_eq!(folder.names(), ["out.raw", name]);
    }
}

#[test]
fn the_whole_disk_is_a_gib_and_the_golden_large_one_stays_sparse() {
    let folder = Folder::new();
    let raw = folder.path("out.raw");
    let written = to_raw(&folder.golden("zstd_a_8m.zvhd2"), &raw, DiskLength::Disk).unwrap();
    assert_eq!((written.length, raw.metadata().unwrap().len()), (1 << 30, 1 << 30));
    let written = to_raw(&folder.golden("zstd_g_70g_sparse.zvhd2"), &raw, DiskLength::Source).unwrap();
    assert_eq!(written.length, 70 << 30);
    assert!(raw.metadata().unwrap().blocks() * 512 < 16 << 20);
}

#[test]
fn data_beyond_the_source_is_said_to_be_left_out() {
    let folder = Folder::new();
    // The source ends within block 1; the record goes on, and there is none after it.
    let image = folder.write("disk.zvhd2", &container(3 << 20, &[(1, 7)]));
    let raw = folder.path("out.raw");
    let written = to_raw(&image, &raw, DiskLength::Source).unwrap();
    assert_eq!((written.length, written.left_out), (3 << 20, Some(3 << 20)));
    assert!(std::fs::read(&raw).unwrap()[BLOCK..].iter().all(|byte| *byte == 7));
    assert_eq!(to_raw(&image, &raw, DiskLength::Disk).unwrap().left_out, None);
}

#[test]
fn of_a_damaged_image_nothing_is_left() {
    let folder = Folder::new();
    let mut bytes = golden("zstd_a_8m.zvhd2").to_vec();
    bytes[4096 + 60] ^= 0xff;
    let image = folder.write("bad.zvhd2", &bytes);
    let error = to_raw(&image, &folder.path("out.raw"), DiskLength::Source).unwrap_err();
    let Error::Source(SourceError::Damaged { offset: 4144, block: 0, .. }) = error else { panic!("{error}") };
    assert!(stream(&image, &mut StreamOutput::new("memory", Vec::new())).is_err());
    let cancel = Cancel::new();
    cancel.cancel();
    let good = folder.write("good", golden("zstd_k_uniform.zvhd2"));
    let error = convert(&good, &folder.path("out.raw"), ConvertOptions::default(), &cancel).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Source(SourceKind::Cancelled), "{error}");
    assert_eq!(folder.names(), ["bad.zvhd2", "good"]);
    let error = to_raw(&good, &good, DiskLength::Source).unwrap_err();
    assert!(matches!(error, Error::Source(SourceError::OutputIsInput { .. })), "{error}");
}

#[test]
fn images_of_one_disk_are_the_same_whatever_holds_it() {
    let folder = Folder::new();
    let names = ["zstd_a_8m.zvhd2", "zlib_a_8m.zvhd2", "zvhd1_a_8m.zvhd", "dirty_a_8m.zvhd2"];
    let mut images = names.map(|name| folder.golden(name)).to_vec();
    let (short, long) = (folder.path("short.raw"), folder.path("long.raw"));
    to_raw(&images[0], &short, DiskLength::Source).unwrap();
    to_raw(&images[0], &long, DiskLength::Disk).unwrap();
    // Zeros that are written, not holes.
    let full = folder.write("full.raw", &std::fs::read(&short).unwrap());
    images.extend([short, long, full]);
    for a in &images {
        for b in &images {
            let compared =
                compare_images(a, b, &CompareOptions::default(), Work::new(&(), &Cancel::new())).unwrap();
            assert_eq!(compared.difference, None, "{} {}", a.display(), b.display());
            assert_eq!(compared.tail(), compared.a.disk_size.abs_diff(compared.b.disk_size));
        }
    }
}

#[test]
fn blocks_that_are_zero_on_both_sides_are_not_read() {
    let folder = Folder::new();
    let a = folder.write("a.zvhd2", &container(1 << 40, &[(0, 3), (500_000, 0)]));
    let b = folder.write("b.zvhd2", &container(1 << 40, &[(0, 3)]));
    let compared =
        compare_images(&a, &b, &CompareOptions::default(), Work::new(&(), &Cancel::new())).unwrap();
    assert_eq!((compared.difference, compared.bytes_read), (None, 3 * BLOCK as u64));
    let raw = folder.path("b.raw");
    to_raw(&b, &raw, DiskLength::Source).unwrap();
    let compared =
        compare_images(&a, &raw, &CompareOptions::default(), Work::new(&(), &Cancel::new())).unwrap();
    assert_eq!((compared.difference, compared.bytes_read), (None, 3 * BLOCK as u64));
}

#[test]
fn the_first_difference_is_named_with_both_bytes() {
    let folder = Folder::new();
    let a = folder.write("a.zvhd2", &container(64 << 20, &[(0, 3), (9, 1), (20, 5)]));
    let raw = folder.path("b.raw");
    to_raw(&a, &raw, DiskLength::Source).unwrap();
    let file = std::fs::File::options().write(true).open(&raw).unwrap();
    let at = 9 * BLOCK as u64 + 1_234_567;
    std::os::unix::fs::FileExt::write_at(&file, &[2], at).unwrap();
    let difference = compare_images(&a, &raw, &CompareOptions::default(), Work::new(&(), &Cancel::new()))
        .unwrap()
        .difference
        .unwrap();
    assert_eq!((difference.offset, difference.a, difference.b), (at, Some(1), Some(2)));
    // Beyond the end of the shorter one.
    file.set_len(9 * BLOCK as u64).unwrap();
    let difference = compare_images(&raw, &a, &CompareOptions::default(), Work::new(&(), &Cancel::new()))
        .unwrap()
        .difference
        .unwrap();
    assert_eq!((difference.offset, difference.a, difference.b), (9 * BLOCK as u64, None, Some(1)));
}

#[test]
fn a_disk_that_imsprep_cannot_read_is_an_error() {
    let folder = Folder::new();
    let raw = folder.write("a.raw", &[0; 512]);
    let zip = folder.write("a.zip", b"PK\x03\x04 and what follows");
    let error =
        compare_images(&raw, &zip, &CompareOptions::default(), Work::new(&(), &Cancel::new())).unwrap_err();
    assert!(matches!(&error, Error::NotReadable { .. }) && error.to_string().contains("is zip"), "{error}");
    // An overlay of another file, which is named and not opened.
    let mut overlay = std::fs::read(imsprep_testdata::folder().join("disk.qcow2")).unwrap();
    overlay[8..16].copy_from_slice(&512_u64.to_be_bytes());
    overlay[16..20].copy_from_slice(&11_u32.to_be_bytes());
    overlay[512..523].copy_from_slice(b"/etc/passwd");
    let overlay = folder.write("a.qcow2", &overlay);
    let error = compare_images(&raw, &overlay, &CompareOptions::default(), Work::new(&(), &Cancel::new()))
        .unwrap_err()
        .to_string();
    assert!(error.contains("IMS-007: it is an overlay of \"/etc/passwd\""), "{error}");
    let broken = folder.golden("variant_06_end_bad_checksum.zvhd2");
    assert!(matches!(
        compare_images(&raw, &broken, &CompareOptions::default(), Work::new(&(), &Cancel::new()))
            .unwrap_err(),
        Error::Zvhd2(_)
    ));
    assert!(ImageFile::open(&raw).unwrap().size() == 512);
}

#[test]
fn a_raw_has_its_bitmap_beside_it_and_neither_replaces_anything() {
    let folder = Folder::new();
    let image = folder.golden("zstd_a_8m.zvhd2");
    let raw = folder.path("out.raw");
    let write = |overwrite| {
        let options = ConvertOptions { overwrite, ..ConvertOptions::default() };
        raw_of(convert(&image, &raw, options, &Cancel::new())?)
    };
    let written = write(Overwrite::Refuse).unwrap();
    let found =
        scan(&ImageFile::open(&raw).unwrap(), &ScanOptions::default(), Work::new(&(), &Cancel::new()))
            .unwrap();
    let bitmap = written.bitmap.unwrap();
    assert_eq!((bitmap.path.as_path(), bitmap.data_blocks), (folder.path("out.mf").as_path(), 3));
    assert!(
        std::fs::read(&bitmap.path).unwrap() == imsprep_bitmap::layout::ZVHD2.encode(&found.map).unwrap()
    );
    // A bitmap without its RAW, and an image by that name.
    std::fs::remove_file(&raw).unwrap();
    assert!(matches!(write(Overwrite::Refuse), Err(Error::Source(SourceError::Exists { .. }))));
    std::fs::copy(&image, &bitmap.path).unwrap();
    assert!(matches!(write(Overwrite::Replace), Err(Error::OutputIsImage { .. })));
    assert_eq!(folder.names(), ["out.mf", "zstd_a_8m.zvhd2"]);
}

#[test]
fn a_zvhd_of_version_1_becomes_the_zvhd2_that_its_source_would() {
    let folder = Folder::new();
    let options =
        ConvertOptions { verify: true, uuid: Some([3; 16]), timestamp: Some(9), ..ConvertOptions::default() };
    let to_zvhd2 = |image: &Path, output: &str| {
        let output = folder.path(output);
        convert(image, &output, options.clone(), &Cancel::new()).unwrap();
        std::fs::read(output).unwrap()
    };
    let old = folder.golden("zvhd1_a_8m.zvhd");
    let raw = folder.path("out.raw");
    to_raw(&old, &raw, DiskLength::Source).unwrap();
    assert!(to_zvhd2(&old, "a.zvhd2") == to_zvhd2(&raw, "b.zvhd2"));
}

/// What a name leads to after the first look is never read: the plan holds the file that was judged.
#[test]
fn what_is_put_in_the_place_of_a_judged_source_is_not_converted() {
    let judged = [
        ("a.raw", [vec![7; 3 * BLOCK], vec![0; BLOCK]].concat()),
        ("b.zvhd2", golden("zstd_a_8m.zvhd2").to_vec()),
        ("c.qcow2", std::fs::read(imsprep_testdata::folder().join("disk.qcow2")).unwrap()),
    ];
    for (name, bytes) in judged {
        let folder = Folder::new();
        let source = folder.write(name, &bytes);
        let cancel = Cancel::new();
        let mut changes = 0;
        for in_place in [false, true] {
            let output = Some(folder.path(if name == "a.raw" { "out.zvhd2" } else { "out.raw" }));
            let options = ConvertOptions { output, ..ConvertOptions::default() };
            let plan = plan_conversion(&source, options, Work::new(&(), &cancel)).unwrap();
            let opened = OpenedImage::open(&source, &Cancel::new()).unwrap();
            let before = start_of(&opened);
            // As long as the other.
            let other = vec![0xee; bytes.len()];
            if in_place {
                std::fs::write(&source, &other).unwrap();
            } else {
                std::fs::rename(folder.write("other", &other), &source).unwrap();
                assert_eq!(start_of(&opened), before, "{name}");
            }
            let error = plan.convert(Work::new(&(), &cancel)).unwrap_err();
            let is_changed = matches!(error, Error::Source(SourceError::Changed { .. }));
            assert!(is_changed || in_place, "{name}: {error}");
            changes += usize::from(is_changed);
            assert_eq!(folder.names(), [name]);
            folder.write(name, &bytes);
        }
        // Of a container the new content may be found damaged before that.
        assert!(changes >= if name == "a.raw" { 2 } else { 1 }, "{name}");
    }
}

fn start_of(image: &OpenedImage) -> Vec<u8> {
    let mut bytes = vec![0; 512];
    image.disk(&Cancel::new()).unwrap().read_at(&mut bytes, 0).unwrap();
    bytes
}
