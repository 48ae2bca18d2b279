//! What the container writer emits, against files of the reference.

use imsprep_ondisk::format::zvhd2::{self as disk, Footer, RecordHeader};
use imsprep_source::StreamOutput;
use imsprep_testdata::{golden, golden_without_garbage, verdicts};

use crate::{ContainerWriter, Error, Label, Method, Written};

/// Block numbers and payloads, by block.
pub(super) type Payloads = Vec<(u32, &'static [u8])>;

/// The canonical golden files, each with its label and its payloads.
pub(super) fn canonical_files() -> Vec<(String, Label, Payloads)> {
    let canonical = verdicts().into_iter().filter(|verdict| verdict.form == "canonical");
    canonical
        .map(|verdict| {
            let file = golden(&verdict.file);
            let end = Footer::decode(file[file.len() - 4096..].first_chunk().unwrap());
            let mut payloads = Vec::new();
            let mut at = 4096;
            for _ in 0..end.non_zero_blk_num {
                let header = RecordHeader::decode(file[at..].first_chunk().unwrap());
                payloads.push((header.curr_blk, &file[at + RecordHeader::SIZE..][..header.size as usize]));
                at += usize::try_from(header.record_length()).unwrap();
            }
            let method = if end.compress_method == disk::METHOD_ZSTD { Method::Zstd } else { Method::Zlib };
            let Footer { orig_size, timestamp, uuid, .. } = end;
            (verdict.file, Label { orig_size, method, timestamp, uuid }, payloads)
        })
        .collect()
}

fn emit(label: &Label, payloads: &[(u32, &[u8])]) -> (Vec<u8>, Written) {
    let mut out = StreamOutput::new("memory", Vec::new());
    let mut container = ContainerWriter::begin(&mut out, label).unwrap();
    for (block, payload) in payloads {
        container.append(*block, payload).unwrap();
    }
    let written = container.finish().unwrap();
    (out.finish().unwrap(), written)
}

#[test]
fn files_of_the_reference_come_out_byte_for_byte_from_their_payloads() {
    let files = canonical_files();
    assert!(files.len() >= 17, "{} canonical files", files.len());
    for (name, label, payloads) in files {
        let (ours, written) = emit(&label, &payloads);
        let theirs = golden_without_garbage(&name);
        assert_eq!(ours.len(), theirs.len(), "{name}");
        let first = ours.iter().zip(&theirs).position(|(a, b)| a != b);
        assert_eq!(first, None, "{name}: the first byte that differs");
        assert_eq!(written.file_size, ours.len() as u64, "{name}");
        assert_eq!(written.records, payloads.len() as u64, "{name}");
        assert_eq!(written.payload_bytes, payloads.iter().map(|(_, p)| p.len() as u64).sum(), "{name}");
    }
}

#[test]
fn a_disk_that_the_fields_cannot_tell_of_is_refused() {
    let begin = |orig_size| {
        let label = Label { orig_size, method: Method::Zstd, timestamp: 0, uuid: [0; 16] };
        ContainerWriter::begin(&mut StreamOutput::new("memory", Vec::new()), &label).map(drop)
    };
    let most = 8191 * (64 << 30);
    begin(most).unwrap();
    for size in [most + 1, u64::MAX - 511, u64::MAX] {
        assert!(matches!(begin(size), Err(Error::DiskTooLarge { .. })), "{size}");
    }
}

#[test]
fn records_out_of_order_or_beyond_the_disk_are_the_callers_mistake() {
    for blocks in [&[1, 0][..], &[1, 1], &[4]] {
        let label = Label { orig_size: 8 << 20, method: Method::Zstd, timestamp: 0, uuid: [0; 16] };
        let payloads = blocks.iter().map(|block| (*block, &[1u8][..])).collect::<Vec<_>>();
        std::panic::catch_unwind(|| emit(&label, &payloads)).unwrap_err();
    }
}
