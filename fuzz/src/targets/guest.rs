//! Input: a byte that chooses a parser, then what it reads: fstab and crypttab, GRUB's configuration, entries of the Boot Loader
//! Specification, configuration of the network (ifcfg, interfaces, keyfile, networkd, udev rules, netplan, cloud-init), release files,
//! an initramfs, a registry hive.
//!
//! Oracle: a comment at the start of a text moves every line by one and changes nothing else; numbers and lengths are bounded. An
//! initramfs behind another archive has the same modules. Each key of a hive that is listed is found by its name in any case, and
//! what is read is the same a second time.

use std::io;

use imsprep_guest::{
    ArchiveFile, GrubFiles, Hive, Initramfs, LoaderPath, Netplan, SearchKind, evaluate_grub, parse_bls,
    parse_cloud_network, parse_crypttab, parse_fstab, parse_ifcfg_redhat, parse_ifcfg_suse, parse_interfaces,
    parse_keyfile, parse_net_rules, parse_netplan, parse_networkd, parse_os_release, parse_redhat_release,
    read_initramfs,
};

use super::build_hive;
use crate::plant::planted;

/// See the module.
pub fn run(data: &[u8]) {
    let Some((kind, rest)) = data.split_first() else { return };
    match kind % KINDS {
        13 => initramfs(rest),
        14 => hive(rest),
        15 => grub(rest),
        number => text(number, rest),
    }
}

const KINDS: u8 = 16;
/// Most characters of what is made of a text: the parsers keep less than they read, but for the names of fields.
const MOST: usize = 4 << 20;

/// What a parser of lines makes of a text, printed.
fn parsed(number: u8, bytes: &[u8]) -> String {
    match number {
        0 => format!("{:#?}", parse_fstab(bytes)),
        1 => format!("{:#?}", parse_crypttab(bytes)),
        2 => format!("{:#?}", parse_bls("a.conf", bytes)),
        3 => format!("{:#?}", parse_ifcfg_redhat("ifcfg-eth0", bytes)),
        4 => format!("{:#?}", parse_ifcfg_suse("ifcfg-eth0", bytes)),
        5 => format!("{:#?}", parse_interfaces(bytes)),
        6 => format!("{:#?}", parse_keyfile(bytes)),
        7 => format!("{:#?}", parse_networkd(bytes)),
        8 => format!("{:#?}", parse_net_rules(bytes)),
        9 => {
            let mut netplan = Netplan::default();
            let parsed = parse_netplan(&mut netplan, 0, bytes).is_ok();
            format!("{parsed} {netplan:#?}")
        }
        10 => format!("{:#?}", parse_cloud_network(bytes).map_err(|_| ())),
        11 => format!("{:#?}", parse_os_release(bytes)),
        _ => format!("{:#?}", parse_redhat_release(bytes)),
    }
}

/// Whether a comment may stand in the first line, and what is read stays the same.
fn takes_comments(number: u8, bytes: &[u8]) -> bool {
    // What a byte order mark or a directive of YAML does stands at the very start; a one-line file has no comments.
    number != 12 && !bytes.starts_with(b"\xef\xbb\xbf") && (!matches!(number, 9 | 10) || is_plain_yaml(bytes))
}

fn is_plain_yaml(bytes: &[u8]) -> bool {
    bytes.first().is_some_and(u8::is_ascii_alphabetic)
}

fn text(number: u8, bytes: &[u8]) {
    let plain = parsed(number, bytes);
    assert!(plain.len() <= MOST, "{} characters", plain.len());
    if !takes_comments(number, bytes) {
        return;
    }
    let commented = parsed(number, &[b"#\n", bytes].concat());
    let commented = planted(commented, |text| text.push('x'));
    assert_eq!(without_lines(&plain), without_lines(&commented), "a comment changes what is read");
    for (before, after) in lines_of(&plain).zip(lines_of(&commented)) {
        // What stands nowhere is said to be at the first line, or at none.
        assert!(after == before + 1 || after == before && before <= 1, "line {before} is at {after}");
    }
}

/// Fields of lines, whatever they are called.
fn line_field(line: &str) -> Option<u32> {
    let (name, value) = line.trim().split_once(": ")?;
    let value = value.trim_end_matches(',').parse().ok()?;
    matches!(name, "line" | "options_line" | "kernel_line").then_some(value)
}

fn lines_of(text: &str) -> impl Iterator<Item = u32> {
    text.lines().filter_map(line_field)
}

/// The text without its fields of lines, and without numbers that stand alone: those in tuples.
fn without_lines(text: &str) -> String {
    let kept = text.lines().filter(|line| {
        line_field(line).is_none() && line.trim().trim_end_matches(',').parse::<u32>().is_err()
    });
    kept.collect::<Vec<_>>().join("\n")
}

/// A file in memory.
struct Bytes<'a>(&'a [u8]);

impl ArchiveFile for Bytes<'_> {
    fn size(&self) -> u64 {
        self.0.size()
    }

    fn read_at(&self, buf: &mut [u8], offset: u64) -> io::Result<usize> {
        self.0.read_at(buf, offset)
    }
}

fn initramfs(bytes: &[u8]) {
    let found = read_initramfs(&Bytes(bytes));
    assert_bounded(&found);
    if found.incomplete.is_some() || found.compressors.len() > 60 {
        return;
    }
    let early = archive(&[("kernel/x86/microcode/x.bin", b"x")]);
    let behind = read_initramfs(&Bytes(&[early.as_slice(), bytes].concat()));
    let behind = planted(behind, |found| found.modules.clear());
    assert_eq!(behind.incomplete, None);
    assert_eq!(behind.modules, found.modules, "an archive before changes the modules");
    assert_eq!(behind.builtin, found.builtin);
    assert_eq!(behind.compressors.get(1..), Some(&found.compressors[..]));
}

fn assert_bounded(found: &Initramfs) {
    assert!(found.modules.len() <= 8 && found.builtin.len() <= 8 && found.net_rules.len() <= 32);
    assert!(found.modules.values().all(|names| names.len() <= 16_384));
    assert!(found.compressors.len() <= 64);
}

/// An archive in the format of the kernel, to a multiple of 512 bytes.
fn archive(files: &[(&str, &[u8])]) -> Vec<u8> {
    let mut bytes = Vec::new();
    for (name, content) in files.iter().copied().chain([("TRAILER!!!", &b""[..])]) {
        let numbers = [1, 0o100_644, 0, 0, 1, 0, content.len(), 0, 0, 0, 0, name.len() + 1, 0];
        bytes.extend(b"070701");
        bytes.extend(numbers.iter().flat_map(|number| format!("{number:08x}").into_bytes()));
        bytes.extend(name.as_bytes());
        bytes.push(0);
        bytes.resize(bytes.len().next_multiple_of(4), 0);
        bytes.extend(content);
        bytes.resize(bytes.len().next_multiple_of(4), 0);
    }
    bytes.resize(bytes.len().next_multiple_of(512), 0);
    bytes
}

/// The checksum of the header is put right, so that the fuzzer gets past it.
fn hive(bytes: &[u8]) {
    let mut bytes = bytes.to_vec();
    if bytes.len() >= 512 {
        build_hive::seal(&mut bytes);
    }
    let file = Bytes(&bytes);
    let Ok(hive) = Hive::open(&file, &[]) else { return };
    let Ok(Some(root)) = hive.key("") else { return };
    let Ok(names) = hive.names(&root) else { return };
    assert!(names.len() <= 4096);
    for name in names.iter().filter(|name| !name.is_empty() && name.is_ascii()).take(32) {
        let upper = hive.child(&root, &name.to_ascii_uppercase());
        let upper = planted(upper, |found| *found = Ok(None));
        assert_eq!(upper, hive.child(&root, &name.to_ascii_lowercase()), "{name:?}");
        let child = upper.expect("it was listed").expect("it was listed");
        for value in ["Start", "ImagePath", ""] {
            let first = hive.value_of(&child, value);
            assert_eq!(first, hive.value_of(&child, &value.to_uppercase()), "{value:?}");
            if let Ok(Some(found)) = first {
                assert!(found.bytes.len() <= 64 << 10 && found.texts().len() <= 64);
            }
        }
    }
}

/// The files that GRUB sees: its configuration alone.
struct Alone<'a>(&'a [u8]);

impl GrubFiles for Alone<'_> {
    fn read(&self, path: &LoaderPath) -> Result<Option<Vec<u8>>, String> {
        Ok((path.path == "/grub.cfg").then(|| self.0.to_vec()))
    }

    fn size(&self, path: &LoaderPath) -> Result<Option<u64>, String> {
        Ok((path.path == "/grub.cfg").then_some(self.0.len() as u64))
    }

    fn list(&self, _: &LoaderPath) -> Result<Vec<String>, String> {
        Ok(Vec::new())
    }

    fn search(&self, _: SearchKind, _: &str) -> Result<Option<String>, String> {
        Ok(Some("hd0,gpt2".into()))
    }
}

fn grub(bytes: &[u8]) {
    let evaluate = |bytes: &[u8]| evaluate_grub(&Alone(bytes), &LoaderPath::here("/grub.cfg"), "pc", "i386");
    let (plain, commented) = (evaluate(bytes), evaluate(&[b"#\n", bytes].concat()));
    let commented = planted(commented, |found| {
        if let Ok(menu) = found {
            menu.menu.entries.pop();
        }
    });
    let (Ok(plain), Ok(commented)) = (plain, commented) else { return };
    assert!(plain.menu.entries.len() <= 512 && plain.unknown.len() <= 16);
    assert!(plain.menu.default.is_none_or(|index| index < plain.menu.entries.len()));
    if bytes.starts_with(b"\xef\xbb\xbf") {
        return;
    }
    assert_eq!(plain.menu.default, commented.menu.default);
    let titles = |menu: &imsprep_guest::GrubMenu| {
        menu.menu.entries.iter().map(|entry| (entry.title.clone(), entry.options.clone())).collect::<Vec<_>>()
    };
    assert_eq!(titles(&plain), titles(&commented), "a comment changes the menu");
}

/// A text of each kind, an initramfs, a hive.
pub fn seeds() -> Vec<Vec<u8>> {
    let texts: [(u8, &str); 14] = [
        (
            0,
            "UUID=ab-cd / ext4 defaults 0 1\nLABEL=a\\040b /mnt xfs nofail,subvol=@ 0 0\n/dev/sda2 none swap sw 0 0\n",
        ),
        (1, "crypt UUID=ab-cd none luks,nofail\n"),
        (2, "title Fedora\nversion 6.1\nlinux /vmlinuz\ninitrd /a /b\noptions root=UUID=ab $kernelopts\n"),
        (
            3,
            "DEVICE=eth0\nBOOTPROTO='static'\nIPADDR=10.0.0.2\nPREFIX=24\nONBOOT=yes\nHWADDR=00:11:22:33:44:55\n",
        ),
        (4, "STARTMODE=auto\nBOOTPROTO=dhcp\nIPADDR_1=10.0.0.3/24\n"),
        (
            5,
            "auto lo\niface lo inet loopback\nallow-hotplug eth0\niface eth0 inet static\n address 10.0.0.2/24\n",
        ),
        (
            6,
            "[connection]\ntype=ethernet\ninterface-name=eth0\n[ipv4]\nmethod=manual\naddress1=10.0.0.2/24,10.0.0.1\n",
        ),
        (7, "[Match]\nName=en*\n[Network]\nDHCP=ipv4\nAddress=10.0.0.2/24\n"),
        (8, "SUBSYSTEM==\"net\", ATTR{address}==\"00:11:22:33:44:55\", NAME=\"eth0\"\n"),
        (9, "network:\n  version: 2\n  ethernets:\n    eth0: {dhcp4: true, addresses: [10.0.0.2/24]}\n"),
        (10, "network:\n  config: disabled\n"),
        (11, "ID=debian\nVERSION_ID=\"12\"\nPRETTY_NAME='Debian GNU/Linux 12'\nID_LIKE=\"a b\"\n"),
        (12, "CentOS Linux release 7.9.2009 (Core)\n"),
        (
            15,
            "set default=0\nif [ -s $prefix/grubenv ]; then load_env; fi\nsearch --fs-uuid --set=root ab\nmenuentry 'A' --id a {\n \
             linux /vmlinuz root=UUID=ab ro\n initrd /initrd\n}\nsubmenu B { menuentry C { linux /x root=/dev/sda1\n } }\n",
        ),
    ];
    let mut seeds = texts.iter().map(|(kind, text)| [&[*kind], text.as_bytes()].concat()).collect::<Vec<_>>();
    let modules = archive(&[
        ("usr/lib/modules/6.1.0/kernel/drivers/block/virtio_blk.ko.xz", b"x"),
        ("usr/lib/modules/6.1.0/modules.builtin", b"kernel/drivers/virtio/virtio.ko\n"),
        ("etc/udev/rules.d/70-persistent-net.rules", b"x"),
    ]);
    seeds.push([&[13], modules.as_slice()].concat());
    let packed = zstd::bulk::compress(&modules, 3).expect("it is compressed");
    seeds.push([&[13], packed.as_slice()].concat());
    let mut root = build_hive::Node::default();
    root.number(r"Services\viostor", "Start", 0).text(
        r"Services\viostor",
        "ImagePath",
        r"System32\viostor.sys",
    );
    root.number(r"Select", "Current", 1);
    seeds.extend([b"lf", b"ri"].map(|list| [&[14], build_hive::hive(&root, list).as_slice()].concat()));
    seeds
}
