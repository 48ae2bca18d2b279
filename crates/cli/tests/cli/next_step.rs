//! The next step that `prepare` prints: run as it stands, from where it was printed.

use std::process::Command;

use crate::folder::Folder;

/// Runs a line in the folder, with the tested program first on the path.
fn shell(folder: &Folder, line: &str) -> (Option<i32>, String) {
    let binary = std::path::Path::new(env!("CARGO_BIN_EXE_imsprep")).parent().unwrap();
    let path = format!("{}:{}", binary.display(), std::env::var("PATH").unwrap());
    let output = Command::new("sh")
        .args(["-c", line])
        .env("PATH", path)
        .current_dir(folder.path("."))
        .output()
        .unwrap();
    (output.status.code(), String::from_utf8([output.stdout, output.stderr].concat()).unwrap())
}

#[test]
fn the_next_step_that_prepare_prints_runs_and_keeps_the_profile() {
    let folder = Folder::new();
    std::fs::create_dir(folder.path("my images")).unwrap();
    let source = imsprep_testdata::folder().join("disk.qcow2");
    for (profile, flag, host) in [("otc", true, "otc.t-systems.com"), ("huawei", false, "myhuaweicloud.com")]
    {
        let name = format!("my images/{profile}.qcow2");
        std::fs::copy(&source, folder.path(&name)).unwrap();
        let run = folder.run(&["prepare", "--profile", profile, &name]);
        let next = run.out.lines().find_map(|line| line.trim_start().strip_prefix("next: ")).unwrap();
        let (_, command) = next.split_once("imsprep request ").unwrap_or_else(|| panic!("{next}"));
        let command = format!("imsprep request {command}");
        assert_eq!(command.contains("--profile otc"), flag, "{command}");
        let filled = ["BUCKET", "NAME", "'OS VERSION'"].iter().zip([
            "my-bucket",
            "n",
            "'Debian GNU/Linux 12.0.0 64bit'",
        ]);
        let filled = filled.fold(command, |command, (word, value)| command.replace(word, value));
        let (status, script) = shell(&folder, &filled);
        assert_eq!(status, Some(0), "{filled}: {script}");
        assert!(script.contains(host), "{filled}: {script}");
        // The script finds the image from any folder.
        let image = folder.path(&format!("my images/{profile}.zvhd2")).canonicalize().unwrap();
        assert!(script.contains(image.to_str().unwrap()), "{filled}: {script}");
    }
}
