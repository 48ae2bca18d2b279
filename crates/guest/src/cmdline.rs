//! The kernel's command line.

use crate::DeviceSpec;
use crate::text;

/// Most parameters that are kept; the kernel takes 4096 bytes at most.
const COUNT_MAX: usize = 1024;

/// A command line, as parameters with their values.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CommandLine {
    /// The text, at most 4096 bytes.
    pub text: String,
    parameters: Vec<(String, Option<String>)>,
}

impl CommandLine {
    /// Splits a command line as the kernel does: at white space outside of double quotes.
    pub fn parse(line: &str) -> Self {
        let line = text::value(line.trim_matches(['\0', ' ', '\n', '\r', '\t']));
        let mut parameters = Vec::new();
        let mut word = String::new();
        let mut quoted = false;
        for c in line.chars().chain([' ']) {
            match c {
                '"' => quoted = !quoted,
                c if c.is_whitespace() && !quoted => {
                    if !word.is_empty() && parameters.len() < COUNT_MAX {
                        let word = std::mem::take(&mut word);
                        parameters.push(match word.split_once('=') {
                            Some((name, value)) => (name.to_owned(), Some(value.to_owned())),
                            None => (word, None),
                        });
                    }
                }
                c => word.push(c),
            }
        }
        Self { text: line, parameters }
    }

    /// The values of a parameter, in order; an empty one where it has no `=`. `-` and `_` are the same in names.
    pub fn values<'a>(&'a self, name: &'a str) -> impl DoubleEndedIterator<Item = &'a str> {
        let same = |a: &str, b: &str| {
            a.len() == b.len() && a.bytes().zip(b.bytes()).all(|(a, b)| plain(a) == plain(b))
        };
        self.parameters
            .iter()
            .filter(move |(found, _)| same(found, name))
            .map(|(_, value)| value.as_deref().unwrap_or_default())
    }

    /// The last value of a parameter: it is the one that counts for most.
    pub fn last<'a>(&'a self, name: &'a str) -> Option<&'a str> {
        self.values(name).next_back()
    }

    /// Whether a parameter is there.
    pub fn has(&self, name: &str) -> bool {
        self.last(name).is_some()
    }

    /// The root file system, `None` if there is no `root=`.
    pub fn root(&self) -> Option<DeviceSpec> {
        self.last("root").map(DeviceSpec::parse)
    }

    /// The Btrfs subvolume that `rootflags=subvol=` names.
    pub fn root_subvolume(&self) -> Option<&str> {
        self.last("rootflags")?.split(',').filter_map(|flag| flag.strip_prefix("subvol=")).next_back()
    }

    /// Whether there is a console on a serial port.
    pub fn has_serial_console(&self) -> bool {
        let serial = ["ttyS", "ttyAMA", "ttysclp", "hvc", "uart"];
        self.values("console").any(|console| serial.iter().any(|name| console.starts_with(name)))
    }

    /// Variables of the boot loader that were not resolved: `$name` in the text.
    pub fn has_variables(&self) -> bool {
        self.text.contains('$')
    }
}

fn plain(byte: u8) -> u8 {
    if byte == b'-' { b'_' } else { byte }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn parameters_have_values() {
        let line = CommandLine::parse(
            "BOOT_IMAGE=/vmlinuz root=/dev/sda1 ro rootflags=compress=zstd,subvol=@/x dyndbg=\"a b\" console=tty0 \
             console=ttyS0,115200 root=UUID=ab cloud-init=disabled\n\0",
        );
        assert_eq!(line.root(), Some(DeviceSpec::Uuid("ab".into())));
        assert_eq!(line.root_subvolume(), Some("@/x"));
        assert_eq!(line.last("dyndbg"), Some("a b"));
        assert_eq!(line.last("cloud_init"), Some("disabled"));
        assert!(line.has("ro") && !line.has("rw") && line.has_serial_console() && !line.has_variables());
        assert!(!CommandLine::parse("console=tty0").has_serial_console());
        assert!(CommandLine::parse("root=$x").has_variables());
    }

    proptest! {
        #[test]
        fn any_text_is_split(line in any::<String>()) {
            let parsed = CommandLine::parse(&line);
            prop_assert!(parsed.text.len() <= 4096);
            let _ = parsed.root();
        }
    }
}
