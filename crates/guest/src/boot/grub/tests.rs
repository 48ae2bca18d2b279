//! GRUB configurations of distributions, what is decided at boot, and configurations without end.

use proptest::prelude::*;

use super::*;

/// Files by `(device)path`.
struct Fake(Vec<(String, Vec<u8>)>);

impl Fake {
    fn new(files: &[(&str, &str)]) -> Self {
        Self(files.iter().map(|(path, text)| ((*path).to_owned(), text.as_bytes().to_vec())).collect())
    }

    fn key(path: &LoaderPath) -> String {
        format!("({}){}", path.device.as_deref().unwrap_or_default(), path.path)
    }
}

impl GrubFiles for Fake {
    fn read(&self, path: &LoaderPath) -> Result<Option<Vec<u8>>, String> {
        let key = Self::key(path);
        if key.contains("unreadable") {
            return Err("refused".into());
        }
        Ok(self.0.iter().find(|(name, _)| *name == key).map(|(_, bytes)| bytes.clone()))
    }

    fn size(&self, path: &LoaderPath) -> Result<Option<u64>, String> {
        Ok(self.read(path)?.map(|bytes| bytes.len() as u64))
    }

    fn list(&self, path: &LoaderPath) -> Result<Vec<String>, String> {
        let folder = Self::key(path) + "/";
        Ok(self.0.iter().filter_map(|(name, _)| name.strip_prefix(&folder)).map(str::to_owned).collect())
    }

    fn search(&self, kind: SearchKind, value: &str) -> Result<Option<String>, String> {
        Ok((kind == SearchKind::Uuid && value == "ab-cd").then(|| "found".into()))
    }
}

fn env(text: &str) -> String {
    format!("# GRUB Environment Block\n{text}")
}

const HEADER: &str = r#"
if [ -s $prefix/grubenv ]; then
  set have_grubenv=true
  load_env
fi
if [ "${next_entry}" ] ; then
   set default="${next_entry}"
   set next_entry=
   save_env next_entry
   set boot_once=true
else
   set default="DEFAULT"
fi
if [ x"${feature_menuentry_id}" = xy ]; then
  menuentry_id_option="--id"
else
  menuentry_id_option=""
fi
export menuentry_id_option
function savedefault {
  if [ -z "${boot_once}" ]; then
    saved_entry="${chosen}"
    save_env saved_entry
  fi
}
function load_video {
  if [ x$feature_all_video_module = xy ]; then
    insmod all_video
  else
    insmod efi_gop
  fi
}
if [ x$feature_default_font_path = xy ] ; then
   font=unicode
else
insmod part_gpt
    font="/usr/share/grub/unicode.pf2"
fi
if loadfont $font ; then
  set gfxmode=auto
fi
terminal_output gfxterm
set menu_color_normal=cyan/blue
"#;

const ENTRIES: &str = r#"
menuentry 'Debian GNU/Linux' --class debian --class os $menuentry_id_option 'gnulinux-simple-ab-cd' {
	load_video
	insmod gzio
	if [ x$grub_platform = xxen ]; then insmod xzio; insmod lzopio; fi
	insmod ext2
	set root='hd0,gpt2'
	if [ x$feature_platform_search_hint = xy ]; then
	  search --no-floppy --fs-uuid --set=root --hint-bios=hd0,gpt2  ab-cd
	else
	  search --no-floppy --fs-uuid --set=root ab-cd
	fi
	echo	'Loading Linux ...'
	linux	/boot/vmlinuz-6.1.0-18-amd64 root=UUID=ab-cd ro console=ttyS0 $extra
	initrd	/boot/initrd.img-6.1.0-18-amd64
}
submenu 'Advanced options for Debian GNU/Linux' $menuentry_id_option 'gnulinux-advanced-ab-cd' {
	menuentry 'Old' --class debian $menuentry_id_option 'gnulinux-old' {
		set root='hd0,gpt2'
		linux	/vmlinuz-5.10 root=/dev/sda1 ro
		initrd	/initrd.img-5.10
	}
	menuentry 'Recovery' $menuentry_id_option 'gnulinux-recovery' {
		linux	/vmlinuz-5.10 root=/dev/sda1 ro single
	}
}
"#;

fn debian(default: &str, env_text: Option<&str>) -> GrubMenu {
    let config = HEADER.replace("DEFAULT", default) + ENTRIES;
    let mut files = vec![("(d)/boot/grub/grub.cfg".to_owned(), config.into_bytes())];
    files.extend(env_text.map(|text| ("(d)/boot/grub/grubenv".to_owned(), env(text).into_bytes())));
    let config = LoaderPath { device: Some("d".into()), path: "/boot/grub/grub.cfg".into() };
    evaluate_grub(&Fake(files), &config, "pc", "i386").unwrap()
}

#[test]
fn the_default_entry_of_a_debian() {
    let found = debian("0", None);
    assert_eq!(found.unknown, [] as [&str; 0]);
    let menu = &found.menu;
    assert_eq!((menu.default, menu.entries.len()), (Some(0), 3));
    let entry = &menu.entries[0];
    let on = |path: &str| LoaderPath { device: Some("found".into()), path: path.into() };
    assert_eq!(entry.kernel, Some(on("/boot/vmlinuz-6.1.0-18-amd64")));
    assert_eq!(entry.initramfs, [on("/boot/initrd.img-6.1.0-18-amd64")]);
    assert_eq!(entry.options, "root=UUID=ab-cd ro console=ttyS0");
    assert_eq!(entry.computed, None);
    assert_eq!(entry.options_line, entry.line + 12);
}

#[test]
fn the_default_is_a_number_a_name_or_a_path() {
    for (default, env_text, expected) in [
        ("gnulinux-simple-ab-cd", None, Some(0)),
        ("1>1", None, Some(2)),
        ("1", None, Some(1)),
        ("gnulinux-advanced-ab-cd>gnulinux-recovery", None, Some(2)),
        ("Advanced options for Debian GNU/Linux>Old", None, Some(1)),
        ("not there", None, Some(0)),
        ("${saved_entry}", Some("saved_entry=1>Recovery\n"), Some(2)),
        ("${saved_entry}", None, Some(0)),
        ("0", Some("next_entry=1>Old\n"), Some(1)),
    ] {
        assert_eq!(debian(default, env_text).menu.default, expected, "{default} {env_text:?}");
    }
}

#[test]
fn a_forwarder_on_the_esp_is_followed() {
    let files = Fake::new(&[
        (
            "(esp)/EFI/debian/grub.cfg",
            "search.fs_uuid ab-cd root hd0,gpt2\nset prefix=($root)'/boot/grub'\nconfigfile $prefix/grub.cfg\n",
        ),
        ("(found)/boot/grub/grub.cfg", "set default=x\nmenuentry A --id x { linux /k root=LABEL=r }\n"),
    ]);
    let config = LoaderPath { device: Some("esp".into()), path: "/EFI/debian/grub.cfg".into() };
    let found = evaluate_grub(&files, &config, "efi", "x86_64").unwrap();
    assert_eq!(found.config.path, "/boot/grub/grub.cfg");
    assert_eq!(found.menu.entries[0].options, "root=LABEL=r");
    assert_eq!(found.menu.default, Some(0));
    assert_eq!(found.menu.entries[0].kernel.as_ref().unwrap().device.as_deref(), Some("found"));
}

#[test]
fn entries_of_the_specification_take_the_environment() {
    let config = "load_env\nset default=\"${saved_entry}\"\nsearch --no-floppy --fs-uuid --set=boot ab-cd\n\
            if [ -z \"${kernelopts}\" ]; then\n set kernelopts=\"root=/dev/sda9\"\nfi\ninsmod blscfg\nblscfg\n";
    let entry = |v: &str| {
        format!(
            "title T {v}\nversion {v}\nlinux /vmlinuz-{v}\ninitrd /i-{v}\noptions $kernelopts $tuned_params\n"
        )
    };
    let environment = env("saved_entry=m-4.18.0-80\nkernelopts=root=UUID=ab-cd ro\n");
    let files = Fake::new(&[
        ("(d)/grub2/grub.cfg", config),
        ("(d)/grub2/grubenv", &environment),
        ("(found)/loader/entries/m-4.18.0-80.conf", &entry("4.18.0-80")),
        ("(found)/loader/entries/m-4.18.0-193.conf", &entry("4.18.0-193")),
        ("(found)/loader/entries/m-0-rescue.conf", &entry("0-rescue")),
    ]);
    let config = LoaderPath { device: Some("d".into()), path: "/grub2/grub.cfg".into() };
    let found = evaluate_grub(&files, &config, "pc", "i386").unwrap();
    let order = found.menu.entries.iter().map(|entry| entry.ids[0].as_str()).collect::<Vec<_>>();
    assert_eq!(order, ["m-4.18.0-193", "m-4.18.0-80", "m-0-rescue"]);
    assert_eq!(found.menu.default, Some(1));
    assert_eq!(found.menu.entries[1].options, "root=UUID=ab-cd ro");
    assert_eq!(found.entry_files[&1].path, "/loader/entries/m-4.18.0-80.conf");
    assert_eq!(found.menu.entries[1].kernel.as_ref().unwrap().device.as_deref(), Some("found"));
}

fn run(script: &str) -> GrubMenu {
    let config = LoaderPath { device: Some("d".into()), path: "/g/grub.cfg".into() };
    evaluate_grub(&Fake::new(&[("(d)/g/grub.cfg", script)]), &config, "pc", "i386").unwrap()
}

#[test]
fn what_is_decided_later_is_not_known() {
    // A key that is held down, a file that can't be read, an entry behind a condition.
    let found = run(
        "if keystatus --shift; then set default=1; fi\nmenuentry A { linux /a }\nmenuentry B { linux /b }\n",
    );
    assert_eq!(found.menu.default, None);
    assert!(found.menu.unknown.is_some());
    let found = run(
        "if keystatus --shift; then\nmenuentry A { linux /a }\nfi\nmenuentry B { linux /b }\nset default=1\n",
    );
    assert_eq!(found.menu.default, None);
    let found = run(
        "set default=0\nmenuentry A { linux /a $x root=$y }\nmenuentry B { if sleep 1; then linux /b; fi }\n",
    );
    assert_eq!(found.menu.entries[0].computed, None);
    assert_eq!(found.menu.entries[0].options, "root=");
    assert!(found.menu.entries[1].computed.is_some());
    let found = run("load_env -f /unreadable/grubenv\nset default=$saved_entry\nmenuentry A { linux /a }\n");
    assert_eq!(found.menu.default, None);
    let found = run("source /unreadable.cfg\nmenuentry A { linux /a }\n");
    assert!(found.unknown[0].contains("refused"));
    assert!(run("set default=0\n").menu.unknown.is_some());
}

#[test]
fn what_has_no_end_is_bounded() {
    let found = run("function f { f }\nf\nmenuentry A { linux /a }\n");
    assert_eq!(found.menu.entries.len(), 1);
    assert!(run("source /g/grub.cfg\n").unknown[0].contains("deeply"));
    let entries = "menuentry A { linux /a }\n".repeat(5000);
    assert_eq!(run(&entries).menu.entries.len(), ENTRIES_MAX);
    let doubling = "set a=x\n".to_owned() + &"set a=$a$a\n".repeat(64);
    run(&doubling);
    let words =
        "set a='x x x x'\n".to_owned() + &"set a=\"$a $a\"\n".repeat(20) + &"linux $a $a $a\n".repeat(100);
    run(&words);
}

#[test]
fn what_is_no_script_is_refused() {
    let config = LoaderPath { device: Some("d".into()), path: "/c".into() };
    for script in
        ["if [ a ]; then", "}", "menuentry A {", "function", "fi", "while true; do", &"{".repeat(500)]
    {
        let files = Fake::new(&[("(d)/c", script)]);
        // `fi` alone is a command that does not exist.
        assert_eq!(evaluate_grub(&files, &config, "pc", "i386").is_err(), script != "fi", "{script}");
    }
    assert!(evaluate_grub(&Fake::new(&[]), &config, "pc", "i386").is_err());
}

proptest! {
    #[test]
    fn any_script_is_evaluated_or_refused(script in "([a-c${}\"'\\\\;#\n =\\[\\]]|if |then |fi\n|else |set |menuentry |linux |source /c|function |f |search --set|blscfg){0,60}") {
        let files = Fake::new(&[("(d)/c", &script)]);
        let config = LoaderPath { device: Some("d".into()), path: "/c".into() };
        let _ = evaluate_grub(&files, &config, "pc", "i386");
    }

    #[test]
    fn altered_configurations_are_evaluated(changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..6)) {
        let mut bytes = (HEADER.replace("DEFAULT", "0") + ENTRIES).into_bytes();
        for (at, byte) in changes {
            let at = at.index(bytes.len());
            bytes[at] = byte;
        }
        let config = LoaderPath { device: Some("d".into()), path: "/c".into() };
        let _ = evaluate_grub(&Fake(vec![("(d)/c".into(), bytes)]), &config, "efi", "x86_64");
    }
}
