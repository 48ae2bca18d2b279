//! Connections of NetworkManager: keyfiles, as nm-settings-keyfile(5) describes them.

use crate::ini::{Entry, last, parse_ini};
use crate::network::{Addressing, Interface};
use crate::text;

/// Reads a file; `None` if it describes no connection.
pub fn parse_keyfile(bytes: &[u8]) -> Option<Interface> {
    let entries = parse_ini(bytes);
    let get = |section: &str, key: &str| last(&entries, section, key).map(|entry| entry.value.as_str());
    let kind = get("connection", "type")?;
    let mut interface = Interface::new(1);
    interface.name = get("connection", "interface-name").map(text::name);
    interface.enabled = !get("connection", "autoconnect").is_some_and(text::is_no);
    interface.physical = matches!(kind, "ethernet" | "802-3-ethernet");
    let keys = ["mac-address", "cloned-mac-address"];
    let macs =
        ["ethernet", "802-3-ethernet"].iter().flat_map(|section| keys.iter().map(move |key| (section, key)));
    let mac = macs
        .filter_map(|(section, key)| last(&entries, section, key))
        .find(|entry| text::is_mac(&entry.value));
    interface.mac = mac.map(|entry| (entry.value.to_ascii_lowercase(), entry.line));
    interface.ipv4 = addressing(&entries, "ipv4", Addressing::Dhcp, &mut interface.line);
    interface.ipv6 = addressing(&entries, "ipv6", Addressing::Automatic, &mut interface.line);
    Some(interface)
}

fn addressing(entries: &[Entry], section: &str, automatic: Addressing, line: &mut u32) -> Addressing {
    match last(entries, section, "method").map(|entry| entry.value.as_str()) {
        Some("auto") => automatic,
        Some("dhcp") => Addressing::Dhcp,
        Some("link-local") => Addressing::Automatic,
        Some("disabled" | "ignore" | "shared") | None => Addressing::None,
        Some("manual") => {
            let mut addressing = Addressing::Static(Vec::new());
            let is_address = |entry: &&Entry| {
                entry.section == section
                    && entry.key.strip_prefix("address").is_some_and(|rest| {
                        rest.bytes().all(|b| b.is_ascii_digit() || b == b'e' || b == b's')
                    })
            };
            for (index, entry) in entries.iter().filter(is_address).enumerate() {
                if index == 0 {
                    *line = entry.line;
                }
                addressing.add(entry.value.split([',', ';']).next().unwrap_or_default());
            }
            addressing
        }
        Some(other) => Addressing::Unknown(format!("the method {} is not known", text::name(other))),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn connections_are_read() {
        let fixed = b"[connection]\nid=eth0\ntype=ethernet\ninterface-name=eth0\n[ethernet]\nmac-address=52:54:00:AB:CD:EF\n[ipv4]\naddress1=192.0.2.5/24,192.0.2.1\nmethod=manual\n[ipv6]\nmethod=auto\n";
        let fixed = parse_keyfile(fixed).unwrap();
        assert_eq!(fixed.ipv4, Addressing::Static(vec!["192.0.2.5/24".into()]));
        assert_eq!((fixed.mac.clone(), fixed.line), (Some(("52:54:00:ab:cd:ef".into(), 6)), 8));
        let auto =
            parse_keyfile(b"[connection]\ntype=802-3-ethernet\nautoconnect=false\n[ipv4]\nmethod=auto\n")
                .unwrap();
        assert!(auto.is_dhcp() && !auto.enabled && auto.physical);
        assert!(!parse_keyfile(b"[connection]\ntype=wifi\n").unwrap().physical);
        assert_eq!(parse_keyfile(b"[ipv4]\nmethod=auto\n"), None);
    }

    proptest! {
        #[test]
        fn any_bytes_are_read(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
            parse_keyfile(&bytes);
            parse_keyfile(&[b"[connection]\ntype=ethernet\n[ipv4]\nmethod=manual\n", &bytes[..]].concat());
        }
    }
}
