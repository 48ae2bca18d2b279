//! `imsprep boot`, with a program that stands in for qemu.

use std::os::unix::fs::PermissionsExt;
use std::process::Output;

use imsprep_testdata::need_tools;
use serde_json::Value;

use crate::folder::Folder;
use crate::inspect::gpt;

/// What the stand-in does by its argument `-accel`, in the words of a shell.
fn stand_in(folder: &Folder, with_kvm: &str, without: &str) {
    std::fs::create_dir_all(folder.path("bin")).unwrap();
    let script = format!(
        "#!/bin/sh\nprintf '%s\\n' \"$*\" >>calls\ncase \" $* \" in\n*' -accel kvm '*) {with_kvm} ;;\n*) {without} ;;\nesac\n"
    );
    let path = folder.write("bin/qemu-system-x86_64", script.as_bytes());
    std::fs::set_permissions(path, PermissionsExt::from_mode(0o755)).unwrap();
}

fn boot(folder: &Folder, args: &[&str]) -> (i32, String, String) {
    let path = format!("{}:{}", folder.path("bin").display(), std::env::var("PATH").unwrap());
    let Output { status, stdout, stderr } =
        folder.command(&[&["boot"], args].concat()).env("PATH", path).output().unwrap();
    (status.code().unwrap(), String::from_utf8(stdout).unwrap(), String::from_utf8(stderr).unwrap())
}

#[test]
fn the_command_is_printed_and_nothing_runs() {
    let folder = Folder::new();
    folder.sparse("a,b 'c'.raw", 1 << 20, &[0]);
    stand_in(&folder, "exit 9", "exit 9");
    let (status, out, err) = boot(&folder, &["a,b 'c'.raw"]);
    assert_eq!((status, err.as_str()), (0, ""), "{out}");
    for part in [
        "# BIOS: ",
        "\nqemu-system-x86_64 \\\n  -machine ",
        "-accel kvm \\\n  -accel tcg \\\n",
        "snapshot=on",
        "virtio-blk-pci",
        "virtio-net-pci",
        "restrict=on",
        "-serial stdio",
        "file.filename=a,,b ",
    ] {
        assert!(out.contains(part), "{part}: {out}");
    }
    assert!(!folder.path("calls").exists());
    // It is a script, and its words are those of the JSON.
    let (_, json) = folder.json(&["boot", "a,b 'c'.raw"]);
    stand_in(&folder, "exec >words; for word; do echo \"$word\"; done", "exit 9");
    let path = format!("{}:{}", folder.path("bin").display(), std::env::var("PATH").unwrap());
    let mut script = std::process::Command::new("sh");
    assert!(
        script.args(["-c", &out]).env("PATH", path).current_dir(folder.path(".")).status().unwrap().success()
    );
    let words = std::fs::read_to_string(folder.path("words")).unwrap();
    let words = words.lines().map(Value::from).collect::<Vec<_>>();
    assert_eq!(json["command"].as_array().unwrap()[1..], words, "{json}");
    assert_eq!(
        (&json["firmware"], &json["starts"], &json["run"]),
        (&"bios".into(), &false.into(), &Value::Null)
    );
}

#[test]
fn the_firmware_is_what_inspection_finds() {
    need_tools(["sfdisk", "mkfs.vfat", "mkfs.ext4", "debugfs", "mkswap", "mmd", "mcopy"]);
    let folder = Folder::new();
    gpt(&folder);
    let pe = imsprep_testdata::command("sh")
        .args(["-c", "printf 'MZ' >boot.efi; truncate -s 60 boot.efi; printf '\\100\\0\\0\\0PE\\0\\0\\144\\206' >>boot.efi; truncate -s 4096 boot.efi
            mmd -i disk.raw@@1M ::EFI ::EFI/BOOT && mcopy -i disk.raw@@1M boot.efi ::EFI/BOOT/BOOTX64.EFI"])
        .current_dir(folder.path("."))
        .status()
        .unwrap();
    assert!(pe.success());
    let (_, inspected) = folder.json(&["inspect", "disk.raw"]);
    let found = &inspected["files"][0]["firmware"]["is"];
    let (_, json) = folder.json(&["boot", "disk.raw"]);
    assert_eq!(&json["firmware"], found, "{inspected:#}");
    assert_eq!(json["firmware"], "uefi");
    let words = json["command"].to_string();
    assert!(
        words.contains("if=pflash,unit=0,format=raw,readonly=on")
            && words.contains("unit=1,format=raw,snapshot=on"),
        "{words}"
    );
    let (_, json) = folder.json(&["boot", "--firmware", "bios", "disk.raw"]);
    assert!(!json["command"].to_string().contains("pflash"), "{json}");
    assert_eq!(json["starts"], false);
}

#[test]
fn the_console_decides() {
    let folder = Folder::new();
    folder.sparse("disk.raw", 1 << 20, &[0]);
    let args = |timeout| ["--run", "--until", "debian login:", "--timeout", timeout, "disk.raw"];
    // It goes on, and is ended as soon as the text is there. KVM is enough.
    stand_in(&folder, "printf 'GRUB\\r\\n\\033[1mdebian\\033[0m login: '; exec sleep 1000", "exit 9");
    let (status, out, err) = boot(&folder, &args("100"));
    assert_eq!(status, 0, "{out}{err}");
    assert!(out.starts_with("disk.raw: booted: \"debian login:\" appeared after "), "{out}");
    assert!(out.contains("BIOS, KVM"), "{out}");
    assert!(err.starts_with("note: nothing on the disk was found that this firmware starts"), "{err}");

    // It does not come in time: the last lines are shown, with nothing in them that acts on a terminal or a build server.
    stand_in(&folder, "echo first; echo '::error::x'; printf 'Kernel panic\\007'; exec sleep 1000", "exit 9");
    let (status, out, _) = boot(&folder, &args("1"));
    assert_eq!(status, 1, "{out}");
    assert!(out.contains("did not appear within 1 seconds") && out.contains("\n  | first\n"), "{out}");
    assert!(out.contains("  | Kernel panic") && !out.contains('\u{7}'), "{out}");
    assert!(!out.lines().any(crate::names::is_ci_command), "{out}");

    // The machine ends before.
    stand_in(&folder, "echo No bootable device.; exit 0", "exit 9");
    let (status, out, _) = boot(&folder, &args("100"));
    assert_eq!(status, 1, "{out}");
    assert!(out.contains("qemu ended") && out.contains("  | No bootable device.\n"), "{out}");
    let calls = std::fs::read_to_string(folder.path("calls")).unwrap();
    assert!(
        calls.lines().all(|call| call.contains("snapshot=on") && !call.contains("-accel tcg")),
        "{calls}"
    );
}

#[test]
fn without_kvm_the_guest_is_emulated_and_that_is_said() {
    let folder = Folder::new();
    folder.sparse("disk.raw", 1 << 20, &[0]);
    stand_in(&folder, "echo 'failed to initialize kvm' >&2; exit 1", "echo login:; exec sleep 1000");
    let (status, out, err) = boot(&folder, &["--run", "--until", "login:", "disk.raw"]);
    assert_eq!(status, 0, "{out}{err}");
    assert!(
        err.contains("KVM is not used (failed to initialize kvm)") && out.contains("emulation"),
        "{out}{err}"
    );
    let (status, _, err) = boot(&folder, &["--run", "--until", "login:", "--accel", "kvm", "disk.raw"]);
    assert!(status == 2 && err.contains("failed to initialize kvm"), "{err}");
    // KVM starts, and nothing ever comes.
    stand_in(&folder, "exec sleep 1000", "echo login:; exec sleep 1000");
    let output = folder
        .command(&[
            "boot",
            "--run",
            "--until",
            "login:",
            "--json",
            "--qemu",
            "bin/qemu-system-x86_64",
            "disk.raw",
        ])
        .output()
        .unwrap();
    let json = serde_json::from_slice::<Value>(&output.stdout).unwrap();
    assert_eq!(
        (&json["run"]["result"], &json["run"]["accelerator"]),
        (&"found".into(), &"tcg".into()),
        "{json}"
    );
    assert!(json["run"]["without_kvm"].as_str().unwrap().contains("no console output"), "{json}");
    // The firmware writes its lines with KVM, and nothing follows.
    stand_in(&folder, "echo SeaBIOS; exec sleep 1000", "echo login:; exec sleep 1000");
    let (status, out, err) = boot(&folder, &["--run", "--until", "login:", "--timeout", "11", "disk.raw"]);
    assert_eq!(status, 0, "{out}{err}");
    assert!(err.contains("KVM is not used (no console output for 1"), "{err}");
    assert!(out.contains("emulation"), "{out}");
}

#[test]
fn a_missing_or_failing_program_is_no_verdict() {
    let folder = Folder::new();
    folder.sparse("disk.raw", 1 << 20, &[0]);
    let (status, out, err) = boot(&folder, &["--run", "--until", "x", "--qemu", "no-such-qemu", "disk.raw"]);
    assert_eq!((status, out.as_str()), (2, ""));
    assert!(err.contains("error: no-such-qemu: cannot start the virtual machine; install qemu"), "{err}");
    stand_in(&folder, "echo no >&2; exit 1", "echo 'unknown machine' >&2; exit 1");
    let (status, out, err) = boot(&folder, &["--run", "--until", "x", "disk.raw"]);
    assert!(status == 2 && out.is_empty() && err.contains("unknown machine"), "{out}{err}");
    // Without --until its exit status decides.
    let (status, _, _) = boot(&folder, &["--run", "disk.raw"]);
    assert_eq!(status, 2);
    stand_in(&folder, "echo console", "exit 9");
    let (status, out, _) = boot(&folder, &["--run", "disk.raw"]);
    assert_eq!((status, out.as_str()), (0, "console\n"));
    for args in [&["--until", "x", "disk.raw"][..], &["--run", "--timeout", "3", "disk.raw"], &["absent"]] {
        assert_eq!(boot(&folder, args).0, 2, "{args:?}");
    }
}

#[test]
fn what_qemu_does_not_read_is_served_to_it() {
    need_tools(["qemu-img"]);
    let folder = Folder::new();
    folder.sparse("disk.raw", 3 << 20, &[100, 2 << 20]);
    assert_eq!(folder.run(&["convert", "disk.raw", "disk.zvhd2"]).status, 0);
    let (status, out, _) = boot(&folder, &["disk.zvhd2"]);
    assert!(status == 0 && out.contains("\nimsprep serve disk.zvhd2 --socket disk.zvhd2.sock &\n"), "{out}");
    assert!(out.contains("file.server.type=unix,file.server.path=disk.zvhd2.sock,"), "{out}");
    // qemu-img takes the option of the drive, but for what is about the machine.
    let read = "drive=driver=raw,${*##*-drive driver=raw,}; drive=${drive%%,if=none*}
        qemu-img compare --image-opts \"$drive\" driver=raw,file.driver=file,file.filename=disk.raw >&2 && echo login:; exec sleep 1000";
    stand_in(&folder, read, "exit 9");
    let (status, out, err) = boot(&folder, &["--run", "--until", "login:", "disk.zvhd2"]);
    assert_eq!(status, 0, "{out}{err}");
}
