//! What people read, word for word. After a change on purpose: `INSTA_UPDATE=always cargo test -p imsprep`.

use crate::folder::Folder;

/// A folder with the small real files and one damaged ZVHD2.
fn folder() -> Folder {
    let folder = Folder::new();
    for name in ["reference.zvhd2", "small.raw", "small.mf", "disk.qcow2"] {
        std::fs::copy(imsprep_testdata::folder().join(name), folder.path(name)).unwrap();
    }
    // The bitmap must not be older than its image.
    std::fs::write(folder.path("small.mf"), std::fs::read(folder.path("small.mf")).unwrap()).unwrap();
    folder.write("cut.zvhd2", &imsprep_testdata::golden("zstd_k_uniform.zvhd2")[..570_000]);
    folder
}

pub(crate) fn assert_run(name: &str, folder: &Folder, args: &[&str]) {
    let run = folder.run(args);
    let text = format!("$ imsprep {}\n{}{}[exit status {}]\n", args.join(" "), run.out, run.err, run.status);
    let text = text.replace(folder.path("").to_str().unwrap(), "[FOLDER]/");
    // Times and rates differ from run to run.
    let filters =
        [(r"in \d+(\.\d)? m?s, \d+\.\d\d GB/s", "in [TIME], [RATE]"), (r"in \d+(\.\d)? m?s;", "in [TIME];")];
    insta::with_settings!({ filters => filters, omit_expression => true, prepend_module_to_snapshot => false }, {
        insta::assert_snapshot!(name, text);
    });
}

#[test]
fn check() {
    let folder = folder();
    assert_run("check_good", &folder, &["check", "reference.zvhd2", "small.raw"]);
    assert_run("check_folder", &folder, &["check", "."]);
    assert_run("check_quick", &folder, &["check", "--quick", "--profile", "otc", "small.raw"]);
    assert_run("check_verbose", &folder, &["check", "-v", "cut.zvhd2"]);
}

#[test]
fn bitmap() {
    let folder = Folder::new();
    folder.sparse("disk.raw", (3 << 30) + 512, &[0, 9 << 20, 3 << 30]);
    assert_run("bitmap_create", &folder, &["bitmap", "create", "disk.raw"]);
    let mut bits = std::fs::read(folder.path("disk.mf")).unwrap();
    bits[0] = 0b1111;
    folder.write("disk.mf", &bits);
    assert_run("bitmap_verify", &folder, &["bitmap", "verify", "disk.raw"]);
}

#[test]
fn detect_and_zvhd2() {
    let folder = folder();
    assert_run("detect", &folder, &["detect", "reference.zvhd2", "small.raw", "disk.qcow2", "small.mf"]);
    assert_run("zvhd2_check", &folder, &["zvhd2", "check", "reference.zvhd2"]);
    assert_run("zvhd2_info", &folder, &["zvhd2", "info", "reference.zvhd2"]);
}

#[test]
fn convert() {
    let folder = folder();
    std::fs::copy(imsprep_testdata::folder().join("small.raw"), folder.path("small.raw")).unwrap();
    assert_run("convert_to_raw", &folder, &["convert", "reference.zvhd2", "disk.raw", "--verify"]);
    let identity = ["--uuid", "00112233-4455-4677-8899-aabbccddeeff", "--timestamp", "1700000000"];
    assert_run(
        "convert_to_zvhd2",
        &folder,
        &[&["convert", "small.raw", "small.zvhd2", "--verify"], &identity[..]].concat(),
    );
    folder.write("h2.zvhd2", imsprep_testdata::golden("zstd_h2_gpt_esp_ext4.zvhd2"));
    folder.run(&["convert", "h2.zvhd2", "h2.raw"]);
    assert_run("convert_gpt", &folder, &[&["convert", "h2.raw", "new.zvhd2"], &identity[..]].concat());
}

#[test]
fn compare_map_and_repair() {
    let folder = folder();
    folder.write("old.zvhd", imsprep_testdata::golden("zvhd1_a_8m.zvhd"));
    folder.write("new.zvhd2", imsprep_testdata::golden("zstd_a_8m.zvhd2"));
    folder.sparse("zeros.raw", 10 << 20, &[]);
    assert_run("compare_same", &folder, &["compare", "old.zvhd", "new.zvhd2"]);
    assert_run("compare_different", &folder, &["compare", "zeros.raw", "new.zvhd2"]);
    assert_run("zvhd2_map", &folder, &["zvhd2", "map", "new.zvhd2"]);
    let mut bytes = imsprep_testdata::golden("zstd_k_uniform.zvhd2").to_vec();
    bytes[12_288 + 60] ^= 0xff;
    folder.write("damaged.zvhd2", &bytes);
    assert_run("zvhd2_repair", &folder, &["zvhd2", "repair", "damaged.zvhd2", "out.zvhd2"]);
    folder.write("cut.zvhd2", &bytes[..30_000]);
    assert_run("zvhd2_repair_cut", &folder, &["zvhd2", "repair", "cut.zvhd2", "out2.zvhd2"]);
}

#[test]
fn request() {
    let folder = folder();
    let system = ["--bucket", "my-images", "--name", "web-01", "--os-version", "CentOS 7.0 64bit"];
    let args = |file, more: &[&'static str]| [&["request", file], &system[..], more].concat();
    assert_run("request", &folder, &args("reference.zvhd2", &["--prefix", "linux"]));
    assert_run("request_common", &folder, &args("disk.qcow2", &["--min-disk", "40"]));
    assert_run(
        "request_wrong",
        &folder,
        &args("small.raw", &["--type", "bms", "--firmware", "uefi", "--tag", "a.b=c"]),
    );
    let body = imsprep_testdata::folder().join("requests/broken/IMS-157-letters.json");
    std::fs::copy(body, folder.path("body.json")).unwrap();
    assert_run("request_validate", &folder, &["request", "--validate", "body.json", "-v"]);
    let next = ["--next-steps", "--region", "eu-de", "--project-id", "0123456789abcdef", "--profile", "otc"];
    assert_run("request_next_steps", &folder, &args("small.raw", &next));
}

#[test]
fn help() {
    let folder = Folder::new();
    assert_run("help_convert", &folder, &["convert", "--help"]);
    assert_run("help", &folder, &["--help"]);
    assert_run("help_check", &folder, &["check", "--help"]);
    assert_run("help_request", &folder, &["request", "--help"]);
    assert_run("help_bench", &folder, &["bench", "--help"]);
}
