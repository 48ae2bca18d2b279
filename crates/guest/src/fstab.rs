//! What is mounted: `/etc/fstab`, `.mount` units of systemd, `/etc/crypttab`.

use crate::ini::{last, parse_ini};
use crate::{DeviceSpec, text};

/// Most entries that are kept of a file.
const ENTRIES_MAX: usize = 1024;
/// File systems of the network.
const NETWORK_TYPES: &[&str] = &[
    "nfs",
    "nfs4",
    "cifs",
    "smb3",
    "smbfs",
    "ceph",
    "glusterfs",
    "fuse.glusterfs",
    "fuse.sshfs",
    "fuse.s3fs",
    "lustre",
    "ocfs2",
    "gfs2",
    "9p",
    "virtiofs",
    "afs",
    "ncpfs",
    "beegfs",
    "pvfs2",
    "orangefs",
    "fuse.ceph",
];
/// File systems without a device.
const PSEUDO_TYPES: &[&str] = &[
    "proc",
    "sysfs",
    "tmpfs",
    "devtmpfs",
    "devpts",
    "debugfs",
    "tracefs",
    "securityfs",
    "cgroup",
    "cgroup2",
    "configfs",
    "hugetlbfs",
    "mqueue",
    "ramfs",
    "overlay",
    "bpf",
    "pstore",
    "efivarfs",
    "usbfs",
    "binfmt_misc",
    "autofs",
    "rpc_pipefs",
    "fusectl",
    "usbdevfs",
    "nfsd",
    "none",
    "fuse.lxcfs",
];

/// A file system, or swap space, that the system mounts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mount {
    /// The device.
    pub device: DeviceSpec,
    /// Where it is mounted; `none` or the like for swap.
    pub target: String,
    /// The type: `ext4`, `swap`, `auto`.
    pub kind: String,
    /// The options, in order.
    pub options: Vec<String>,
    /// The line, from 1.
    pub line: u32,
    /// Whether the boot mounts it: for a unit, whether it is enabled.
    pub enabled: bool,
}

impl Mount {
    /// The value of an option with `=`, or an empty text for one without.
    pub fn option(&self, name: &str) -> Option<&str> {
        self.options.iter().rev().find_map(|option| match option.split_once('=') {
            Some((found, value)) => (found == name).then_some(value),
            None => (option == name).then_some(""),
        })
    }

    /// Whether it is swap space.
    pub fn is_swap(&self) -> bool {
        self.kind == "swap"
    }

    /// Whether it comes over the network.
    pub fn is_network(&self) -> bool {
        matches!(self.device, DeviceSpec::Network(_))
            || NETWORK_TYPES.contains(&self.kind.as_str())
            || self.option("_netdev").is_some()
    }

    /// Whether it needs no device: a pseudo file system, a bind mount, an image file.
    pub fn has_no_device(&self) -> bool {
        PSEUDO_TYPES.contains(&self.kind.as_str())
            || matches!(self.device, DeviceSpec::Other(_))
            || self.option("bind").is_some()
            || self.option("rbind").is_some()
    }

    /// Whether the boot goes on without it: `nofail`, `noauto`, an automount, an entry that is ignored.
    pub fn is_optional(&self) -> bool {
        !self.enabled
            || self.kind == "ignore"
            || [
                "nofail",
                "noauto",
                "nobootwait",
                "x-systemd.automount",
                "comment=systemd.automount",
                "_netdev",
            ]
            .iter()
            .any(|name| self.options.iter().any(|option| option == name))
    }

    /// The Btrfs subvolume, without slashes before it: `subvol=@home`.
    pub fn subvolume(&self) -> Option<&str> {
        self.option("subvol").map(|path| path.trim_start_matches('/'))
    }

    /// The number of the Btrfs subvolume: `subvolid=256`.
    pub fn subvolume_id(&self) -> Option<u64> {
        self.option("subvolid")?.parse().ok()
    }
}

/// The entries of `/etc/fstab`, as fstab(5) describes them.
pub fn parse_fstab(bytes: &[u8]) -> Vec<Mount> {
    let entries = text::lines(bytes).filter_map(|(number, line)| {
        let line = line.trim_start();
        if line.starts_with('#') {
            return None;
        }
        let mut fields = line.split([' ', '\t']).filter(|field| !field.is_empty());
        let device = unescaped(fields.next()?);
        let target = unescaped(fields.next()?);
        let kind = fields.next()?;
        let options = fields.next().unwrap_or("defaults");
        Some(Mount {
            device: DeviceSpec::parse(device.trim_matches('"')),
            target: text::value(&target),
            kind: text::name(kind),
            options: options.split(',').take(128).map(|option| text::name(&unescaped(option))).collect(),
            line: number,
            enabled: true,
        })
    });
    entries.take(ENTRIES_MAX).collect()
}

/// Octal escapes: `\040` is a space.
fn unescaped(field: &str) -> String {
    let mut bytes = Vec::with_capacity(field.len());
    let mut rest = field.as_bytes();
    while let Some((first, after)) = rest.split_first() {
        let octal = (*first == b'\\').then(|| after.get(..3)).flatten();
        let code = octal.and_then(|digits| u8::from_str_radix(str::from_utf8(digits).ok()?, 8).ok());
        match code {
            Some(byte) => {
                bytes.push(byte);
                rest = after.get(3..).unwrap_or_default();
            }
            None => {
                bytes.push(*first);
                rest = after;
            }
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

/// A `.mount` or `.swap` unit; `None` if it has no `What=`.
pub fn parse_mount_unit(bytes: &[u8], enabled: bool) -> Option<Mount> {
    let entries = parse_ini(bytes);
    let section = if last(&entries, "Swap", "What").is_some() { "Swap" } else { "Mount" };
    let what = last(&entries, section, "What")?;
    let get = |key: &str| last(&entries, section, key).map(|entry| entry.value.clone()).unwrap_or_default();
    let is_swap = section == "Swap";
    Some(Mount {
        device: DeviceSpec::parse(&what.value),
        target: if is_swap { "none".into() } else { get("Where") },
        kind: if is_swap {
            "swap".into()
        } else {
            Some(get("Type")).filter(|kind| !kind.is_empty()).unwrap_or("auto".into())
        },
        options: get("Options")
            .split(',')
            .filter(|option| !option.is_empty())
            .take(128)
            .map(text::name)
            .collect(),
        line: what.line,
        enabled,
    })
}

/// An encrypted volume that the boot opens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CryptVolume {
    /// The name below `/dev/mapper`.
    pub name: String,
    /// The encrypted device.
    pub device: DeviceSpec,
    /// The line, from 1.
    pub line: u32,
    /// Whether the boot goes on without it.
    pub optional: bool,
}

/// The entries of `/etc/crypttab`.
pub fn parse_crypttab(bytes: &[u8]) -> Vec<CryptVolume> {
    let entries = text::lines(bytes).filter_map(|(number, line)| {
        let line = line.trim_start();
        if line.starts_with('#') {
            return None;
        }
        let mut fields = line.split_whitespace();
        let name = text::name(fields.next()?);
        let device = DeviceSpec::parse(fields.next()?.trim_matches('"'));
        let options = fields.nth(1).unwrap_or_default();
        let optional = options.split(',').any(|option| matches!(option, "nofail" | "noauto"));
        Some(CryptVolume { name, device, line: number, optional })
    });
    entries.take(ENTRIES_MAX).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn entries_have_devices_targets_and_options() {
        let text = b"# /etc/fstab\nUUID=ab-cd / ext4 errors=remount-ro 0 1\n\nLABEL=\"my\\040data\" /srv/my\\040data xfs nofail,x-systemd.device-timeout=5 0 2\n\
            \t/dev/mapper/vg0-swap none swap sw 0 0\nserver:/x /net nfs defaults 0 0\ntmpfs /tmp tmpfs size=1g\n/srv/a /srv/b none bind\n\
            PARTUUID=1-02 /d auto noauto,subvol=/@/x,subvolid=260\n/dev/sdb1 /e ext4 _netdev\nbad\n/dev/fd0 /floppy vfat\n";
        let all = parse_fstab(text);
        assert_eq!(all.len(), 9);
        assert_eq!(
            (all[0].device.clone(), all[0].target.as_str(), all[0].line),
            (DeviceSpec::Uuid("ab-cd".into()), "/", 2)
        );
        assert!(!all[0].is_optional() && !all[0].has_no_device());
        assert_eq!(all[1].device, DeviceSpec::Label("my data".into()));
        assert_eq!(all[1].target, "/srv/my data");
        assert!(all[1].is_optional());
        assert!(all[2].is_swap());
        assert!(all[3].is_network());
        assert!(all[4].has_no_device() && all[5].has_no_device());
        assert!(all[6].is_optional());
        assert_eq!((all[6].subvolume(), all[6].subvolume_id()), (Some("@/x"), Some(260)));
        assert!(all[7].is_network() && all[7].is_optional());
        assert!(all[8].has_no_device());
    }

    #[test]
    fn units_and_crypttab_name_devices() {
        let unit = b"[Unit]\nDescription=Data\n[Mount]\nWhat=/dev/disk/by-uuid/ab\nWhere=/data\nType=ext4\nOptions=nofail,ro\n[Install]\nWantedBy=multi-user.target\n";
        let mount = parse_mount_unit(unit, true).unwrap();
        assert_eq!(
            (mount.device.clone(), mount.target.as_str(), mount.line),
            (DeviceSpec::Uuid("ab".into()), "/data", 4)
        );
        assert!(mount.is_optional());
        assert!(!parse_mount_unit(b"[Mount]\nWhat=/dev/sdb1\nWhere=/x\n", true).unwrap().is_optional());
        assert!(parse_mount_unit(b"[Swap]\nWhat=/dev/sdb2\n", true).unwrap().is_swap());
        assert_eq!(parse_mount_unit(b"[Service]\n", true), None);
        let crypt = parse_crypttab(b"# x\nluks-1 UUID=ab none luks,discard\ndata /dev/sdb1 none nofail\n");
        assert_eq!((crypt[0].name.as_str(), crypt[0].optional, crypt[1].optional), ("luks-1", false, true));
    }

    proptest! {
        #[test]
        fn what_is_escaped_comes_back(target in "/[ -~]{0,20}") {
            let escaped = target.bytes().map(|b| if b.is_ascii_alphanumeric() || b == b'/' { char::from(b).to_string() } else { format!("\\{b:03o}") });
            let line = format!("UUID=x {} ext4 defaults", escaped.collect::<String>());
            prop_assert_eq!(&parse_fstab(line.as_bytes())[0].target, &target);
        }

        #[test]
        fn any_bytes_are_read(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
            parse_fstab(&bytes);
            parse_mount_unit(&bytes, true);
            parse_crypttab(&bytes);
        }
    }
}
