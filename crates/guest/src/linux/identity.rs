//! What every server made from the image would share, and guest tools of other platforms.

use crate::files::Files;
use crate::{Answer, Origin, Sourced, text};

/// Programs and folders that guest tools install.
const TOOLS: &[(&str, &[&str])] = &[
    (
        "VMware Tools (open-vm-tools)",
        &["/usr/bin/vmtoolsd", "/usr/sbin/vmtoolsd", "/etc/vmware-tools/vmware-user.sh"],
    ),
    (
        "VirtualBox Guest Additions",
        &["/usr/sbin/VBoxService", "/opt/VBoxGuestAdditions", "/usr/bin/VBoxClient"],
    ),
    (
        "XenServer tools (xe-guest-utilities)",
        &["/usr/sbin/xe-daemon", "/usr/sbin/xe-linux-distribution", "/usr/share/oem/xs/xe-daemon"],
    ),
    (
        "Hyper-V daemons",
        &[
            "/usr/sbin/hv_kvp_daemon",
            "/usr/sbin/hypervkvpd",
            "/usr/lib/linux-tools/hv_kvp_daemon",
            "/usr/lib/systemd/system/hv-kvp-daemon.service",
        ],
    ),
    ("Azure Linux Agent (waagent)", &["/usr/sbin/waagent", "/usr/bin/waagent", "/etc/waagent.conf"]),
    (
        "Google guest agent",
        &[
            "/usr/bin/google_guest_agent",
            "/usr/bin/google_metadata_script_runner",
            "/etc/default/instance_configs.cfg",
        ],
    ),
    ("Amazon SSM agent", &["/usr/bin/amazon-ssm-agent", "/snap/bin/amazon-ssm-agent"]),
    ("EC2 network utilities", &["/usr/sbin/ec2ifup", "/etc/sysconfig/network-scripts/ec2net-functions"]),
    ("Parallels Tools", &["/usr/lib/parallels-tools", "/usr/bin/prltoolsd"]),
    ("Alibaba Cloud assistant", &["/usr/sbin/aliyun-service", "/usr/local/share/aliyun-assist"]),
    ("UVP tools for Xen (uvp-monitor)", &["/usr/bin/uvp-monitor", "/etc/.uvp-monitor"]),
    ("Oracle Cloud agent", &["/usr/libexec/oracle-cloud-agent", "/snap/oracle-cloud-agent"]),
];

/// The tools of the platform itself.
const OWN_TOOLS: &[(&str, &[&str])] = &[
    ("QEMU guest agent", &["/usr/bin/qemu-ga", "/usr/sbin/qemu-ga"]),
    ("CloudResetPwdAgent", &["/CloudrResetPwdAgent", "/CloudResetPwdUpdateAgent"]),
];

/// What every server made from the image would share.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    /// The machine-id, if it is set; the value is not kept.
    pub machine_id: Answer<Option<Origin>>,
    /// The private host keys of SSH.
    pub host_keys: Answer<Vec<Origin>>,
}

pub(super) fn collect(files: &Files<'_>) -> Identity {
    Identity { machine_id: machine_id(files), host_keys: host_keys(files) }
}

fn machine_id(files: &Files<'_>) -> Answer<Option<Origin>> {
    for path in ["/etc/machine-id", "/var/lib/dbus/machine-id"] {
        let Some(bytes) = files.head(path, 64)? else { continue };
        let id = String::from_utf8_lossy(&bytes);
        let id = id.trim();
        // systemd writes `uninitialized` before the first start is done.
        if id.len() == 32 && id.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return Ok(Some(files.origin(path)));
        }
    }
    Ok(None)
}

fn host_keys(files: &Files<'_>) -> Answer<Vec<Origin>> {
    let is_key = |name: &str| text::matches_glob("ssh_host_*_key", name);
    let paths = files.files_in("/etc/ssh", is_key)?;
    let mut keys = Vec::new();
    for path in paths.iter().take(16) {
        if files.size(path)?.is_some_and(|size| size > 0) {
            keys.push(files.origin(path));
        }
    }
    Ok(keys)
}

/// Guest tools of other platforms that are installed.
pub(super) fn foreign_tools(files: &Files<'_>) -> Answer<Vec<Sourced<&'static str>>> {
    installed(files, TOOLS)
}

/// Tools that serve on this platform, too.
pub(super) fn own_tools(files: &Files<'_>) -> Answer<Vec<Sourced<&'static str>>> {
    installed(files, OWN_TOOLS)
}

fn installed(files: &Files<'_>, table: &[(&'static str, &[&str])]) -> Answer<Vec<Sourced<&'static str>>> {
    let mut found = Vec::new();
    for (name, paths) in table {
        if let Some(origin) = files.first_of(paths)? {
            found.push(Sourced::new(*name, origin));
        }
    }
    Ok(found)
}
