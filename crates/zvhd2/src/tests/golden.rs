//! Files that the reference wrote, or whose verdict by the reference's readers is known.

use imsprep_ondisk::format::zvhd2::{self as disk, RecordHeader};
use imsprep_source::MemoryImage;
use imsprep_testdata::{golden, verdicts};
use sha2::{Digest, Sha256};

use super::{codes, look};
use crate::{Depth, Expander, Version, info};

#[test]
fn errors_are_what_the_index_reader_refuses() {
    for verdict in verdicts() {
        let content = look(golden(&verdict.file), Depth::Content);
        let structure = look(golden(&verdict.file), Depth::Structure);
        let found = content.report.findings();
        match verdict.index_reader {
            Some(ok) => assert_eq!(!content.report.has_errors(), ok, "{}: {found:#?}", verdict.file),
            None => {
                assert_eq!(codes(&content), ["ZV-001"], "{}", verdict.file);
                assert_eq!(content.info.version, Version::Zvhd1);
            }
        }
        if verdict.form == "canonical" {
            assert_eq!(found, [], "{}", verdict.file);
            assert_eq!(structure.report.findings(), [], "{}", verdict.file);
            assert_eq!(content.report.not_checked(), [], "{}", verdict.file);
        }
        let undetectable = ["variant_01", "variant_14", "variant_20"];
        if undetectable.iter().any(|name| verdict.file.starts_with(name)) {
            assert_eq!(found, [], "{}", verdict.file);
        } else if verdict.form == "-" {
            assert_ne!(found, [], "{}", verdict.file);
        }
    }
}

#[test]
fn altered_files_break_the_rules_that_they_were_altered_to_break() {
    let expected: &[(&str, &[&str])] = &[
        ("variant_02_mid_same_as_head", &["ZV-013"]),
        ("variant_03_no_mid_footer", &["ZV-011"]),
        ("variant_04_no_end_footer", &["ZV-003"]),
        ("variant_05_head_bad_checksum", &["ZV-008"]),
        ("variant_06_end_bad_checksum", &["ZV-005"]),
        ("variant_08_short_index_4k", &["ZV-040"]),
        ("variant_09_end_postfix_missing", &["ZV-055"]),
        ("variant_10_prefix_no_nul", &["ZV-054"]),
        ("variant_12_order_3_0_1_index_sorted", &["ZV-053"]),
        ("variant_15_zstd_checksum", &["ZV-063"]),
        ("variant_16_zstd_no_content_size", &["ZV-063"]),
        ("variant_18_zstd_two_frames", &["ZV-063"]),
        ("variant_22_zlib_full_flush", &["ZV-064"]),
        ("variant_23_zlib_raw_deflate", &["ZV-060"]),
        ("variant_24_curr_eq_orig", &["ZV-029"]),
        ("variant_27_hdr20_filled", &["ZV-059"]),
        ("variant_30_version0", &["ZV-015"]),
        ("variant_31_head_has_index_fields", &["ZV-010", "ZV-012"]),
        ("variant_33_trailing_4096_zero", &["ZV-004"]),
        ("variant_35_explicit_zero_cluster_record", &["ZV-065"]),
        ("variant_36_non_zero_blk_num_0", &["ZV-045"]),
        ("variant_39_cookie_no_nul_pad", &["ZV-014"]),
        ("variant_40_crtr_ver_1_3", &["ZV-024"]),
        ("variant_42_compress_method_2", &["ZV-017"]),
        ("variant_44_reserved_nonzero", &["ZV-026"]),
        ("variant_46_block_size_1m", &["ZV-013", "ZV-018"]),
    ];
    for (name, expected) in expected {
        let checked = look(golden(&format!("{name}.zvhd2")), Depth::Content);
        assert_eq!(codes(&checked), *expected, "{name}: {:#?}", checked.report.findings());
    }
}

#[test]
fn canonical_files_expand_to_what_the_reference_was_given() {
    let mut expanded = 0;
    for verdict in verdicts() {
        let Some(sha256) = verdict.sha256 else { continue };
        let file = golden(&verdict.file);
        let info = info(&MemoryImage::new(&verdict.file, file.to_vec())).unwrap();
        assert_eq!(Some(info.orig_size.0), verdict.orig_size, "{}", verdict.file);
        assert_eq!(info.data_blocks, verdict.data_blocks, "{}", verdict.file);

        let mut expander = Expander::new(info.method.unwrap(), disk::BLOCK_SIZE as usize);
        let mut block = vec![0; disk::BLOCK_SIZE as usize];
        let mut hash = Sha256::new();
        let mut at = 4096;
        for _ in 0..info.data_blocks.unwrap() {
            let header = RecordHeader::decode(file[at..].first_chunk().unwrap());
            let payload = &file[at + RecordHeader::SIZE..][..header.size as usize];
            assert_eq!(expander.expand(payload, &mut block), Ok(vec![]), "{}", verdict.file);
            hash.update(header.curr_blk.to_le_bytes());
            hash.update(&block);
            at += usize::try_from(header.record_length()).unwrap();
        }
        let found = hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect::<String>();
        assert_eq!(found, sha256, "{}", verdict.file);
        expanded += 1;
    }
    assert!(expanded >= 10, "only {expanded} files have a hash");
}

#[test]
fn info_tells_the_regions_in_order_and_without_gaps() {
    let file = golden("zstd_g_70g_sparse.zvhd2");
    let info = info(&MemoryImage::new("g", file.to_vec())).unwrap();
    let names = info.regions.iter().map(|r| r.name).collect::<Vec<_>>();
    assert_eq!(names, ["HEAD", "records", "MID", "index", "bitmap", "END"]);
    let mut at = 0;
    for region in &info.regions {
        assert_eq!(region.offset.0, at, "{}", region.name);
        at += region.length.0;
    }
    assert_eq!(at, file.len() as u64);
    assert!(info.mid.is_some() && info.ratio().is_none());
    // Known from the footers alone, and less than that of the payloads.
    let stored = info.stored_ratio().unwrap();
    assert!(stored > 1.0 && stored < look(file, Depth::Structure).info.ratio().unwrap());
    assert!(look(file, Depth::Structure).info.ratio().unwrap() > 1.0);
}
