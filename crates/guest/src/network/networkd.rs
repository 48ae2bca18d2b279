//! `.network` and `.link` files of systemd.

use crate::ini::{last, parse_ini};
use crate::network::ifupdown::is_card;
use crate::network::{Addressing, Interface, NetRule, is_ipv6, is_loopback};
use crate::text;

/// A `.network` file, as systemd.network(5) describes it.
pub fn parse_networkd(bytes: &[u8]) -> Interface {
    let entries = parse_ini(bytes);
    let get = |section: &str, key: &str| last(&entries, section, key);
    let mut interface = Interface::new(1);
    interface.name = get("Match", "Name").map(|entry| text::name(&entry.value));
    let mac = get("Match", "MACAddress")
        .or_else(|| get("Match", "PermanentMACAddress"))
        .or_else(|| get("Link", "MACAddress"));
    interface.mac = mac.and_then(|entry| {
        let mac = entry.value.split_whitespace().find(|word| text::is_mac(word))?;
        Some((mac.to_ascii_lowercase(), entry.line))
    });
    let dhcp = get("Network", "DHCP").map(|entry| entry.value.to_ascii_lowercase());
    let (four, six) = match dhcp.as_deref() {
        Some("ipv4" | "v4") => (true, false),
        Some("ipv6" | "v6") => (false, true),
        Some("both") => (true, true),
        Some(word) => (text::is_yes(word), text::is_yes(word)),
        None => (false, false),
    };
    if four {
        interface.ipv4 = Addressing::Dhcp;
    }
    if six {
        interface.ipv6 = Addressing::Dhcp;
    }
    for entry in
        entries.iter().filter(|e| matches!(e.section.as_str(), "Network" | "Address") && e.key == "Address")
    {
        let addressing = if is_ipv6(&entry.value) { &mut interface.ipv6 } else { &mut interface.ipv4 };
        if *addressing == Addressing::None {
            interface.line = entry.line;
        }
        addressing.add(&entry.value);
    }
    let unmanaged = get("Link", "Unmanaged").is_some_and(|entry| text::is_yes(&entry.value));
    let down = get("Link", "ActivationPolicy")
        .is_some_and(|entry| matches!(entry.value.as_str(), "down" | "always-down" | "manual"));
    interface.enabled = !unmanaged && !down;
    let kind = get("Match", "Type").map(|entry| entry.value.as_str());
    interface.physical = kind.is_none_or(|kind| kind.split_whitespace().any(|word| word == "ether"))
        && interface
            .name
            .as_deref()
            .is_none_or(|name| !is_loopback(name) && name.split_whitespace().all(is_card))
        && get("Match", "Kind").is_none()
        && get("Network", "Bridge").is_none()
        && get("Network", "Bond").is_none();
    interface
}

/// A `.link` file, as systemd.link(5) describes it: a name for the card with a MAC address.
pub fn parse_link(bytes: &[u8]) -> Option<NetRule> {
    let entries = parse_ini(bytes);
    let mac =
        last(&entries, "Match", "MACAddress").or_else(|| last(&entries, "Match", "PermanentMACAddress"))?;
    let name = last(&entries, "Link", "Name")?;
    let address = mac.value.split_whitespace().find(|word| text::is_mac(word))?;
    Some(NetRule { mac: address.to_ascii_lowercase(), name: text::name(&name.value), line: mac.line })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn networks_and_links_are_read() {
        let fixed = parse_networkd(b"[Match]\nName=en*\n[Network]\nAddress=192.0.2.5/24\nGateway=192.0.2.1\n[Address]\nAddress=2001:db8::5/64\n");
        assert_eq!(fixed.ipv4, Addressing::Static(vec!["192.0.2.5/24".into()]));
        assert_eq!(fixed.ipv6, Addressing::Static(vec!["2001:db8::5/64".into()]));
        assert_eq!((fixed.name.as_deref(), fixed.line), (Some("en*"), 7));
        for (text, dhcp) in
            [("yes", true), ("ipv4", true), ("both", true), ("ipv6", false), ("no", false), ("true", true)]
        {
            assert_eq!(
                parse_networkd(format!("[Network]\nDHCP={text}\n").as_bytes()).is_dhcp(),
                dhcp,
                "{text}"
            );
        }
        assert!(!parse_networkd(b"[Match]\nName=br0\n[Network]\nAddress=192.0.2.5/24\n").physical);
        let link = parse_link(b"[Match]\nMACAddress=52:54:00:ab:cd:ef\n[Link]\nName=lan0\n").unwrap();
        assert_eq!((link.mac.as_str(), link.name.as_str(), link.line), ("52:54:00:ab:cd:ef", "lan0", 2));
        assert_eq!(parse_link(b"[Match]\nOriginalName=*\n[Link]\nNamePolicy=kernel\n"), None);
    }

    proptest! {
        #[test]
        fn any_bytes_are_read(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
            parse_networkd(&bytes);
            parse_link(&bytes);
        }
    }
}
