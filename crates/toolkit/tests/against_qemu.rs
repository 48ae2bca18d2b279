//! Conversions of other formats against qemu-img's RAW of the same image, and our own conversion of that.

#![expect(clippy::unwrap_used, reason = "a test that meets the unexpected should stop there")]

#[macro_use]
extern crate imsprep_testdata;

use std::path::{Path, PathBuf};

use imsprep_scan::{ScanOptions, scan};
use imsprep_source::{Cancel, ImageFile, Overwrite, ReadAt, Work};
use imsprep_testdata::{command, need_tools};
use imsprep_toolkit::{
    CompareOptions, ConvertOptions, Converted, OpenedImage, compare_images, plan_conversion,
};
use proptest::prelude::*;

/// How an image is made.
#[derive(Clone, Debug)]
struct Recipe {
    /// Bytes of the RAW.
    size: u64,
    /// Where its content comes from.
    seed: u64,
    /// Of ten pieces, how many hold data.
    density: u64,
    format: &'static str,
    options: String,
    compressed: bool,
    /// What qemu-io does to it afterwards.
    edits: Vec<Edit>,
}

#[derive(Clone, Copy, Debug)]
enum Edit {
    Write(u64, u64),
    Zeros(u64, u64),
    Discard(u64, u64),
}

/// Bytes of which pieces the size of a few sectors up to some clusters are data, others zeros, and some compress.
fn content(recipe: &Recipe) -> Vec<u8> {
    let mut state = recipe.seed | 1;
    let mut next = move || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state
    };
    let size = usize::try_from(recipe.size).unwrap();
    let mut bytes = Vec::with_capacity(size);
    while bytes.len() < size {
        let length = usize::try_from(1 + next() % (1 << (9 + next() % 11))).unwrap();
        let kind = next() % 10;
        if kind >= recipe.density {
            bytes.resize(bytes.len() + length * 4, 0);
        } else if kind % 2 == 0 {
            bytes.extend((0..length).map(|_| u8::try_from(next() >> 56).unwrap()));
        } else {
            let word = next().to_le_bytes();
            bytes.extend(word.iter().cycle().take(length));
        }
    }
    bytes.truncate(size);
    bytes
}

fn qemu_img(args: &[&str], folder: &Path) {
    let output = command("qemu-img").args(args).current_dir(folder).output().unwrap();
    assert!(output.status.success(), "{args:?}: {}", String::from_utf8_lossy(&output.stderr));
}

fn make(recipe: &Recipe, folder: &Path) -> PathBuf {
    std::fs::write(folder.join("source.raw"), content(recipe)).unwrap();
    let mut args = vec!["convert", "-f", "raw", "-O", recipe.format];
    if !recipe.options.is_empty() {
        args.extend(["-o", &recipe.options]);
    }
    if recipe.compressed {
        args.push("-c");
    }
    args.extend(["source.raw", "image"]);
    qemu_img(&args, folder);
    for edit in &recipe.edits {
        let edit = match edit {
            Edit::Write(at, length) => format!("write -P 0x5a {at} {length}"),
            Edit::Zeros(at, length) => format!("write -z -u {at} {length}"),
            Edit::Discard(at, length) => format!("discard {at} {length}"),
        };
        let mut qemu_io = command("qemu-io");
        let done = qemu_io.args(["-f", recipe.format, "-d", "unmap", "-c", &edit, "image"]);
        let output = done.current_dir(folder).output().unwrap();
        assert!(output.status.success(), "{edit}: {}", String::from_utf8_lossy(&output.stderr));
    }
    folder.join("image")
}

/// The output's name says which format it is.
fn convert(image: &Path, output: &Path) -> Converted {
    let options = ConvertOptions {
        output: Some(output.to_owned()),
        overwrite: Overwrite::Replace,
        verify: true,
        uuid: Some([7; 16]),
        timestamp: Some(1),
        ..ConvertOptions::default()
    };
    let plan = plan_conversion(image, options, Work::new(&(), &Cancel::new())).unwrap();
    let conversion = plan.convert(Work::new(&(), &Cancel::new())).unwrap();
    conversion.made.unwrap_or_else(|| panic!("{:?}", conversion.plan.report))
}

fn to_zvhd2(image: &Path, output: &Path) -> Vec<u8> {
    convert(image, output);
    std::fs::read(output).unwrap()
}

/// The whole proof for one image.
fn check(recipe: &Recipe) {
    let dir = tempfile::tempdir().unwrap();
    let folder = dir.path();
    let image = make(recipe, folder);
    qemu_img(&["convert", "-f", recipe.format, "-O", "raw", "image", "theirs.raw"], folder);
    let theirs = folder.join("theirs.raw");

    let ours = folder.join("ours.raw");
    let Converted::Raw(written) = convert(&image, &ours) else { panic!("not a RAW: {recipe:?}") };
    assert!(std::fs::read(&ours).unwrap() == std::fs::read(&theirs).unwrap(), "RAW: {recipe:?}");

    let found =
        scan(&ImageFile::open(&theirs).unwrap(), &ScanOptions::default(), Work::new(&(), &Cancel::new()))
            .unwrap();
    let bitmap = std::fs::read(written.bitmap.unwrap().path).unwrap();
    assert!(bitmap == imsprep_bitmap::layout::ZVHD2.encode(&found.map).unwrap(), "bitmap: {recipe:?}");

    let direct = to_zvhd2(&image, &folder.join("direct.zvhd2"));
    assert!(direct == to_zvhd2(&theirs, &folder.join("detour.zvhd2")), "ZVHD2: {recipe:?}");
    let compared = compare_images(
        &image,
        &folder.join("direct.zvhd2"),
        &CompareOptions::default(),
        Work::new(&(), &Cancel::new()),
    )
    .unwrap();
    assert_eq!(compared.difference, None, "{recipe:?}");
}

fn plain(format: &'static str, options: &str, compressed: bool) -> Recipe {
    Recipe {
        size: (5 << 20) + 12_345,
        seed: 42,
        density: 5,
        format,
        options: options.into(),
        compressed,
        edits: vec![],
    }
}

/// One of each kind that there is, so that none depends on chance.
#[test]
fn every_format_and_variant() {
    need_tools(["qemu-img", "qemu-io"]);
    for cluster in ["512", "1024", "4k", "64k", "256k", "2M"] {
        for compat in ["0.10", "1.1"] {
            let options = format!("compat={compat},cluster_size={cluster}");
            check(&plain("qcow2", &options, false));
            check(&plain("qcow2", &options, true));
        }
        check(&plain("qcow2", &format!("compression_type=zstd,cluster_size={cluster}"), true));
    }
    for options in [
        "extended_l2=on,cluster_size=16k",
        "extended_l2=on,cluster_size=2M",
        "preallocation=metadata",
        "preallocation=full",
        "lazy_refcounts=on",
        "refcount_bits=1",
    ] {
        check(&plain("qcow2", options, false));
    }
    check(&plain("qcow2", "extended_l2=on,cluster_size=64k", true));
    for options in [
        "subformat=dynamic",
        "subformat=dynamic,force_size=on",
        "subformat=fixed",
        "subformat=fixed,force_size=on",
    ] {
        check(&plain("vpc", options, false));
    }
    for options in ["subformat=monolithicSparse", "subformat=monolithicSparse,zeroed_grain=on,compat6=on"] {
        check(&plain("vmdk", options, false));
    }
    check(&plain("vmdk", "subformat=streamOptimized", false));
}

#[test]
fn every_format_that_only_qemu_reads() {
    need_tools(["qemu-img", "qemu-io", "qemu-nbd"]);
    for (format, options) in [
        ("vhdx", "subformat=dynamic"),
        ("vhdx", "subformat=fixed"),
        ("vdi", ""),
        ("vdi", "static=on"),
        ("qed", ""),
        ("qcow", ""),
        ("parallels", ""),
    ] {
        check(&plain(format, options, false));
        check(&Recipe { size: 70 << 20, density: 1, ..plain(format, options, false) });
    }
}

/// The server is given the file that was looked at, and not its name.
#[cfg(target_os = "linux")]
#[test]
fn qemu_reads_the_file_that_was_opened() {
    need_tools(["qemu-img", "qemu-io", "qemu-nbd"]);
    for format in ["vhdx", "vdi", "qed", "qcow", "parallels"] {
        let dir = tempfile::tempdir().unwrap();
        let image = make(&plain(format, "", false), dir.path());
        let opened = OpenedImage::open(&image, &Cancel::new()).unwrap();
        let source = std::fs::read(dir.path().join("source.raw")).unwrap();
        std::fs::rename(&image, dir.path().join("moved")).unwrap();
        std::fs::write(&image, "another").unwrap();
        let disk = opened.disk(&Cancel::new()).unwrap();
        let mut bytes = vec![0; source.len()];
        disk.read_at(&mut bytes, 0).unwrap();
        assert!(bytes == source, "{format}");
        let error = opened.file().verify_unchanged().unwrap_err().to_string();
        assert!(error.contains("another file has its name now"), "{error}");
    }
}

#[test]
fn disks_of_nothing_and_of_next_to_nothing() {
    need_tools(["qemu-img", "qemu-io"]);
    for (format, options) in [
        ("qcow2", ""),
        ("vpc", "subformat=dynamic"),
        ("vpc", "subformat=fixed,force_size=on"),
        ("vmdk", ""),
        ("vmdk", "subformat=streamOptimized"),
    ] {
        for size in [1, 512, 513, 2 << 20] {
            for density in [0, 10] {
                check(&Recipe { size, density, ..plain(format, options, false) });
            }
        }
    }
}

fn recipe() -> impl Strategy<Value = Recipe> {
    let kind = (0u32..8, 9u32..=21, any::<bool>()).prop_map(|(kind, bits, compressed)| {
        let cluster = 1_u64 << bits;
        let (format, options, compressed) = match kind {
            0 => ("qcow2", format!("compat=0.10,cluster_size={cluster}"), compressed),
            1 => ("qcow2", format!("cluster_size={cluster}"), compressed),
            2 => ("qcow2", format!("cluster_size={cluster},compression_type=zstd"), compressed),
            3 => ("qcow2", format!("cluster_size={},extended_l2=on", cluster.max(1 << 14)), compressed),
            4 => ("vpc", "subformat=dynamic".into(), false),
            5 => ("vpc", "subformat=fixed".into(), false),
            6 => ("vmdk", "subformat=monolithicSparse".into(), false),
            _ => ("vmdk", "subformat=streamOptimized".into(), false),
        };
        // A stream can't be changed, and a VHD has no zeros but by writing.
        (format, options, compressed, !matches!(kind, 5 | 7), kind < 4)
    });
    let edits = prop::collection::vec((0u8..3, any::<prop::sample::Index>(), 1u64..700), 0..5);
    (1u64..9 << 20, any::<u64>(), 0u64..=10, kind, edits).prop_map(|(size, seed, density, kind, edits)| {
        let (format, options, compressed, may_edit, may_discard) = kind;
        let sectors = size / 512;
        let edit = |(kind, place, length): (u8, prop::sample::Index, u64)| {
            let first = place.index(usize::try_from(sectors).unwrap()) as u64;
            let (at, length) = (first * 512, length.min(sectors - first) * 512);
            match kind {
                1 if may_discard => Edit::Zeros(at, length),
                2 if may_discard => Edit::Discard(at, length),
                _ => Edit::Write(at, length),
            }
        };
        let edits = if may_edit && sectors > 0 { edits.into_iter().map(edit).collect() } else { vec![] };
        Recipe { size, seed, density, format, options, compressed, edits }
    })
}

#[test]
fn any_image_that_qemu_makes() {
    // Before proptest begins: it takes every panic for a failure.
    need_tools(["qemu-img", "qemu-io"]);
    let config = ProptestConfig {
        cases: 48,
        max_shrink_iters: 12,
        failure_persistence: None,
        ..ProptestConfig::default()
    };
    proptest!(config, |(recipe in recipe())| check(&recipe));
}

fn main() -> std::process::ExitCode {
    imsprep_testdata::run()
}
