//! `imsprep zvhd2 map` as a person runs it.

use imsprep_testdata::{command, golden, need_tools};
use serde_json::Value;

use crate::folder::Folder;

fn map(folder: &Folder, name: &str) -> Vec<Value> {
    let run = folder.run(&["zvhd2", "map", "--json", name]);
    assert_eq!((run.status, run.err.as_str()), (0, ""), "{name}");
    serde_json::from_str(&run.out).unwrap()
}

#[test]
fn the_ranges_are_the_disk_and_data_is_where_records_are() {
    let folder = Folder::new();
    folder.write("e.zvhd2", golden("zstd_e_5g_first_last.zvhd2"));
    let run = folder.run(&["zvhd2", "map", "e.zvhd2"]);
    assert_eq!((run.status, run.err.as_str()), (0, ""));
    let lines = run.out.lines().collect::<Vec<_>>();
    assert_eq!(lines[0], "e.zvhd2: disk of 5368709120 bytes (5 GiB)");
    assert_eq!(lines[2].split_whitespace().collect::<Vec<_>>(), ["0", "2097152", "data"]);
    assert_eq!(lines[3].split_whitespace().collect::<Vec<_>>(), ["2097152", "5364514816", "zero"]);
    assert_eq!(lines[4].split_whitespace().collect::<Vec<_>>(), ["5366611968", "2097152", "data"]);
    assert_eq!(lines[5], "  2 ranges of data: 4194304 bytes (4 MiB), 0.1 %");

    for (name, ranges) in [
        ("zstd_a_8m.zvhd2", vec![true, false, true, false]),
        ("zvhd1_a_8m.zvhd", vec![true, false, true, false]),
        ("zstd_d_zero_64m.zvhd2", vec![false]),
        ("zstd_i0_empty.zvhd2", vec![]),
        ("zstd_g_70g_sparse.zvhd2", vec![]),
    ] {
        folder.write(name, golden(name));
        let json = map(&folder, name);
        let mut at = 0;
        for range in &json {
            assert_eq!(range["start"].as_u64(), Some(at), "{name}");
            at += range["length"].as_u64().unwrap();
        }
        let (_, info) = folder.json(&["zvhd2", "info", name]);
        assert_eq!(info["info"]["disk_size"].as_u64(), Some(at), "{name}");
        if !name.contains("70g") {
            assert_eq!(
                json.iter().map(|r| r["data"].as_bool().unwrap()).collect::<Vec<_>>(),
                ranges,
                "{name}"
            );
        }
    }
    assert_eq!(folder.run(&["zvhd2", "map", "-q", "e.zvhd2"]).out, "");
}

#[test]
fn json_has_the_shape_of_qemu_img_map() {
    need_tools(["qemu-img"]);
    let folder = Folder::new();
    folder.write("a.zvhd2", golden("zstd_a_8m.zvhd2"));
    folder.sparse("a.raw", 4 << 20, &[0]);
    let qemu_img = |args: &[&str]| {
        let mut command = command("qemu-img");
        let output = command.current_dir(folder.path(".")).args(args).output().unwrap();
        assert!(output.status.success(), "{args:?}");
        output.stdout
    };
    qemu_img(&["convert", "-O", "qcow2", "-c", "a.raw", "a.qcow2"]);
    let theirs: Vec<Value> = serde_json::from_slice(&qemu_img(&["map", "--output=json", "a.qcow2"])).unwrap();
    let ours = map(&folder, "a.zvhd2");
    // Of data and of zeros: the same keys, and the same values but for the place.
    for data in [true, false] {
        let one = |ranges: &[Value]| {
            let mut range = ranges.iter().find(|r| r["data"] == data).unwrap().as_object().unwrap().clone();
            range.retain(|key, _| !["start", "length"].contains(&key.as_str()));
            range
        };
        assert_eq!(one(&ours), one(&theirs));
    }
}

#[test]
fn what_would_be_read_wrongly_has_no_map() {
    let folder = Folder::new();
    folder.write("bad.zvhd2", golden("variant_06_end_bad_checksum.zvhd2"));
    folder.write("text", b"not at all");
    for (name, words) in
        [("bad.zvhd2", "checksum in END is wrong"), ("text", "not a ZVHD2 file"), ("none", "cannot open")]
    {
        let run = folder.run(&["zvhd2", "map", "--json", name]);
        assert_eq!((run.status, run.out.as_str()), (2, ""), "{name}");
        assert!(run.err.contains(words), "{}", run.err);
    }
}
