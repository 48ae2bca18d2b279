//! udev rules that give a card a name by its MAC address.

use crate::text;

/// Most rules that are kept of a file.
const RULES_MAX: usize = 256;

/// A rule that ties a name to a MAC address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NetRule {
    /// The address in lower case.
    pub mac: String,
    /// The name that the card gets.
    pub name: String,
    /// The line, from 1.
    pub line: u32,
}

/// Whether a file's name is that of persistent network rules: `70-persistent-net.rules`, `75-persistent-net-generator.rules`.
pub(crate) fn is_persistent_net_rule(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    name.contains("persistent") && name.contains("net") && !name.contains('/')
}

/// The rules of a file of `/etc/udev/rules.d` that name a network card by its address.
pub fn parse_net_rules(bytes: &[u8]) -> Vec<NetRule> {
    let mut rules = Vec::new();
    let mut continued = String::new();
    for (number, line) in text::lines(bytes) {
        let whole = std::mem::take(&mut continued) + line.trim();
        if let Some(start) = whole.strip_suffix('\\') {
            continued = text::value(start);
            continue;
        }
        if whole.starts_with('#') || rules.len() >= RULES_MAX {
            continue;
        }
        let mac = ["ATTR{address}", "ATTRS{address}", "SYSFS{address}"]
            .iter()
            .find_map(|key| value(&whole, key, "=="))
            .filter(|mac| text::is_mac(mac));
        if let (Some(mac), Some(name)) =
            (mac, value(&whole, "NAME", "=").or_else(|| value(&whole, "NAME", ":=")))
        {
            rules.push(NetRule { mac: mac.to_ascii_lowercase(), name: text::name(&name), line: number });
        }
    }
    rules
}

/// Whether a file has no rules: comments alone are none.
pub(crate) fn has_no_rules(bytes: &[u8]) -> bool {
    text::lines(bytes).all(|(_, line)| line.trim().is_empty() || line.trim_start().starts_with('#'))
}

/// The text in quotes after a key and an operator.
fn value(line: &str, key: &str, operator: &str) -> Option<String> {
    line.split(',').find_map(|part| {
        let rest = part.trim().strip_prefix(key)?.trim_start().strip_prefix(operator)?;
        // `==` compares; `=` assigns.
        let inner = rest.trim_start().strip_prefix('"')?;
        inner.split('"').next().map(str::to_owned)
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn rules_tie_names_to_addresses() {
        let file = b"# PCI device 0x15ad:0x07b0 (vmxnet3)\nSUBSYSTEM==\"net\", ACTION==\"add\", DRIVERS==\"?*\", ATTR{address}==\"00:0C:29:ab:cd:ef\", \\\n ATTR{dev_id}==\"0x0\", KERNEL==\"eth*\", NAME=\"eth0\"\nSUBSYSTEM==\"block\", NAME==\"sda\"\n";
        let rules = parse_net_rules(file);
        assert_eq!(rules, [NetRule { mac: "00:0c:29:ab:cd:ef".into(), name: "eth0".into(), line: 3 }]);
        assert!(!has_no_rules(file) && has_no_rules(b"# only a comment\n\n") && has_no_rules(b""));
        assert!(
            is_persistent_net_rule("70-persistent-net.rules")
                && is_persistent_net_rule("75-Persistent-Net-generator.rules")
        );
        assert!(!is_persistent_net_rule("70-persistent-cd.rules"));
    }

    proptest! {
        #[test]
        fn any_bytes_are_read(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
            parse_net_rules(&bytes);
        }
    }
}
