//! Syslinux and its relative extlinux: `syslinux.cfg`, `extlinux.conf`. U-Boot and petitboot read the latter as well.

use crate::boot::{ENTRIES_MAX, LoaderPath, Menu, MenuEntry};
use crate::text;

/// Reads the menu.
pub fn parse_syslinux(bytes: &[u8]) -> Menu {
    let mut menu = Menu::default();
    let mut default: Option<String> = None;
    let mut menu_default = None;
    let mut global_append = String::new();
    let mut includes = false;
    let mut bare = None;
    for (number, line) in text::lines(bytes) {
        let line = line.trim();
        let (key, value) =
            line.split_once(char::is_whitespace).map_or((line, ""), |(key, value)| (key, value.trim()));
        match (key.to_ascii_lowercase().as_str(), menu.entries.last_mut()) {
            ("default", _) => default = Some(text::value(value)),
            ("include", _) => includes = true,
            ("label", _) => {
                if menu.entries.len() == ENTRIES_MAX {
                    break;
                }
                let label = text::name(value);
                menu.entries.push(MenuEntry {
                    title: label.clone(),
                    ids: vec![label],
                    line: number,
                    ..MenuEntry::default()
                });
            }
            ("menu", entry) => match (value.split_once(char::is_whitespace), entry) {
                (None, Some(_)) if value.eq_ignore_ascii_case("default") => {
                    menu_default = Some(menu.entries.len() - 1)
                }
                (Some((word, label)), Some(entry)) if word.eq_ignore_ascii_case("label") => {
                    entry.title = text::name(&label.trim().replace('^', ""));
                }
                (Some((word, _)), _) if word.eq_ignore_ascii_case("include") => includes = true,
                _ => {}
            },
            ("kernel" | "linux", Some(entry)) => entry.kernel = Some(LoaderPath::here(text::value(value))),
            ("kernel" | "linux", None) => bare = Some((text::value(value), number)),
            ("append", None) => global_append = text::value(value),
            ("append", Some(entry)) => {
                entry.options = if value == "-" { String::new() } else { text::value(value) };
                entry.options_line = number;
            }
            ("initrd", Some(entry)) => entry.initramfs = archives(value),
            ("com32" | "config" | "boot" | "localboot" | "pxe" | "bss", Some(entry)) => {
                entry.computed = Some(format!("the entry runs {key} instead of a kernel"));
            }
            _ => {}
        }
    }
    for entry in &mut menu.entries {
        if entry.options_line == 0 {
            entry.options.clone_from(&global_append);
            entry.options_line = entry.line;
        }
        // APPEND may name the archives, too.
        let named =
            entry.options.split_whitespace().filter_map(|word| word.strip_prefix("initrd=")).next_back();
        if let (true, Some(named)) = (entry.initramfs.is_empty(), named) {
            entry.initramfs = archives(named);
        }
    }
    if let (true, Some((kernel, line))) = (menu.entries.is_empty(), bare) {
        let kernel = Some(LoaderPath::here(kernel));
        menu.entries.push(MenuEntry {
            title: "linux".into(),
            kernel,
            options: global_append,
            line,
            options_line: line,
            ..MenuEntry::default()
        });
        menu.default = Some(0);
    }
    let label = default.as_deref().and_then(|value| value.split_whitespace().next());
    let by_label = label.and_then(|label| {
        menu.entries.iter().position(|entry| entry.ids.iter().any(|id| id.eq_ignore_ascii_case(label)))
    });
    // DEFAULT that names no label runs a menu program or a kernel of that name; MENU DEFAULT decides then.
    menu.default =
        by_label.or(menu_default).or(menu.default).or_else(|| (menu.entries.len() == 1).then_some(0));
    if menu.default.is_none() {
        menu.unknown = Some(
            if includes { "the configuration includes other files" } else { "no entry is the default" }
                .into(),
        );
    }
    menu
}

fn archives(value: &str) -> Vec<LoaderPath> {
    let paths = value.split([',', ' ']).map(str::trim).filter(|path| !path.is_empty());
    paths.take(16).map(|path| LoaderPath::here(text::value(path))).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const FILE: &[u8] = b"DEFAULT menu.c32\nPROMPT 0\nLABEL old\n  LINUX ../vmlinuz-old\n  APPEND root=/dev/sda1 ro initrd=/a.img,/b.img\n\
        LABEL linux\n  MENU LABEL ^Linux\n  MENU DEFAULT\n  LINUX ../vmlinuz\n  APPEND root=UUID=ab rw\n  INITRD ../initrd.img\n";

    #[test]
    fn entries_have_labels() {
        let menu = parse_syslinux(FILE);
        assert_eq!(menu.default, Some(1));
        let entry = &menu.entries[1];
        assert_eq!((entry.title.as_str(), entry.options.as_str()), ("Linux", "root=UUID=ab rw"));
        assert_eq!(entry.kernel, Some(LoaderPath::here("../vmlinuz")));
        assert_eq!(menu.entries[0].initramfs, [LoaderPath::here("/a.img"), LoaderPath::here("/b.img")]);
        assert_eq!((entry.line, entry.options_line), (6, 10));
    }

    #[test]
    fn the_default_is_a_label_or_the_only_entry() {
        let two = "label a\nkernel /a\nlabel b\nkernel /b\n";
        assert_eq!(parse_syslinux(format!("default b\n{two}").as_bytes()).default, Some(1));
        assert_eq!(parse_syslinux(two.as_bytes()).default, None);
        assert_eq!(parse_syslinux(b"label a\nkernel /a\n").default, Some(0));
        assert_eq!(
            parse_syslinux(b"kernel /vmlinuz\nappend root=/dev/sda1\n").entries[0].options,
            "root=/dev/sda1"
        );
        assert!(parse_syslinux(b"include other.cfg\n").unknown.unwrap().contains("includes"));
    }

    proptest! {
        #[test]
        fn any_bytes_are_read(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
            parse_syslinux(&bytes);
            parse_syslinux(&[FILE, &bytes].concat());
        }
    }
}
