//! The rules on the system in an image.

use imsprep_findings::rules;

const LINUX: &str = "OTC: Optimizing a Linux Private Image";
const WINDOWS: &str = "OTC: Optimizing a Windows Private Image";

rules! {
    /// Every rule on the system in an image, by code. Quick import does not look at the system, and a conversion copies it as it is.
    pub static SYSTEM_RULES: convertible = true;

    pub(crate) NO_DISK_DRIVER = "OS-001", Error, "the kernel has no virtio disk driver when it boots", {
        why: "servers have virtio disks: a kernel that has no driver for them, neither built in nor in its initramfs, does not find its \
              root file system; a driver in /lib/modules is on the disk that can't be read yet",
        source: "OTC: Optimizing a Linux Private Image, Installing Native KVM Drivers",
        fix: "put virtio, virtio_ring, virtio_pci, virtio_blk and virtio_scsi into the initramfs of the kernel that starts by default",
    }

    pub(crate) NO_NETWORK_DRIVER = "OS-002", Warning, "the kernel has no virtio network driver", {
        why: "servers have virtio network cards: without the driver the server has no network",
        source: "OTC: Optimizing a Linux Private Image, Installing Native KVM Drivers",
        fix: "install a kernel with virtio_net",
    }

    pub(crate) ROOT_ABSENT = "OS-003", Error, "the boot loader names a root file system that is not on this disk", {
        why: "the kernel starts and waits in vain for its root file system",
        source: "OTC: Optimizing a Linux Private Image, Changing the Disk Identifier in the GRUB Configuration File to UUID",
        fix: "make the boot loader name the root file system by its UUID",
    }

    pub(crate) ROOT_BY_NAME = "OS-004", Warning, "the boot loader names the root file system by a device name", {
        why: "device names depend on the hardware: /dev/sda1 and /dev/xvda1 become /dev/vda1 on a server with virtio disks, and the root \
              file system is not found",
        source: "OTC: Optimizing a Linux Private Image, Changing the Disk Identifier in the GRUB Configuration File to UUID",
        fix: "make the boot loader name the root file system by its UUID",
    }

    pub(crate) MOUNT_ABSENT = "OS-005", Error, "the system mounts a file system that is not on this disk, and its boot waits for it", {
        why: "the system waits for the device and then stops in emergency mode: no user can log in",
        source: "OTC: Optimizing a Linux Private Image, Detaching Data Disks from an ECS",
        fix: "remove the entry from /etc/fstab, or give it the option nofail",
    }

    pub(crate) MOUNT_BY_NAME = "OS-006", Warning, "/etc/fstab names a disk by a device name, or swap space that is not there", {
        why: "device names depend on the hardware: after the import they may be others, and the system stops in emergency mode; for \
              swap space that is not there it waits 90 seconds",
        source: "OTC: Optimizing a Linux Private Image, Changing the Disk Identifier in the fstab File to UUID",
        fix: "name each file system in /etc/fstab by its UUID",
    }

    pub(crate) NETWORK_RULES = "OS-007", Warning, "network rules tie an interface to the old machine's MAC address", {
        why: "the server's network card has another address: it gets another name, eth1 for eth0, and the configuration of the old \
              name has no effect",
        source: "OTC: Optimizing a Linux Private Image, Deleting Files from the Network Rule Directory",
        fix: "delete the rules, in the initramfs as well, and the lines that name a MAC address",
    }

    pub(crate) STATIC_ADDRESS = "OS-008", Warning, "an interface has a static address", {
        why: "the service assigns addresses by DHCP: a server with another address can't be reached",
        source: "OTC: Configuring DHCP",
        fix: "configure the interface for DHCP",
    }

    pub(crate) NO_CLOUD_INIT = "OS-009", Warning, "cloud-init is not installed, or is disabled", {
        why: "without cloud-init the service can't set a password or a key, a host name, or run user data on a new server",
        source: "OTC: Installing Cloud-Init",
        fix: "install cloud-init and enable its services",
    }

    pub(crate) NO_OPENSTACK = "OS-010", Warning, "cloud-init's data sources leave out OpenStack", {
        why: "cloud-init asks only the data sources of its list: in an image of another cloud it ignores this one, and sets no \
              password or key",
        source: "OTC: Configuring Cloud-Init",
        fix: "add OpenStack to datasource_list",
    }

    pub(crate) NO_LOGIN = "OS-011", Warning, "no account can log in, or only at the console", {
        why: "the system on the server cannot be reached: it needs an SSH server that starts, and a password, a key or cloud-init",
        source: "OTC: Preparing an Image File (Linux)",
        fix: "install and enable an SSH server, and set a password or a key, or install cloud-init",
    }

    pub(crate) NO_FALLBACK = "OS-012", Error, "firmware would find no boot loader: the EFI system partition lacks the fallback path", {
        why: "the entry that an installer wrote into the memory of the old machine's firmware is not in the image: a new server \
              starts only \\EFI\\BOOT\\BOOTX64.EFI, or BOOTAA64.EFI on ARM",
        source: "OTC: OSs Supporting UEFI Boot Mode; UEFI specification, 3.5.1.1: removable media boot behavior",
        fix: "install the boot loader in the fallback path as well",
    }

    pub(crate) NOT_LISTED = "OS-013", Warning, "the system is not in the service's list", {
        why: "os_version of the request has no value for it: another one, or none, must be given, and the service may refuse the \
              system or not support it",
        source: "OTC: OSs Supported by Image File Import; the API reference's table of os_version",
        fix: "choose the nearest value that imsprep os-versions lists, or one of the kind Other",
    }

    pub(crate) SHARED_IDENTITY = "OS-014", Note, "every server would share this identity", {
        why: "servers made from the image would have the same machine-id or SSH host keys: DHCP servers confuse them, and each can \
              pose as the other",
        source: "machine-id(5); OTC: Preparing an Image File (Linux)",
        fix: "empty /etc/machine-id and delete the host keys: the first start makes new ones",
    }

    pub(crate) NO_SERIAL_CONSOLE = "OS-015", Note, "no serial console on the kernel's command line", {
        why: "the log of the console, which shows why a server does not start, stays empty",
        source: LINUX,
        fix: "add console=tty0 console=ttyS0 to the kernel's command line",
    }

    pub(crate) FOREIGN_TOOLS = "OS-016", Note, "guest tools of another platform", {
        why: "they serve a hypervisor that is no longer there, and may disturb the drivers of the new one",
        source: "OTC: Optimizing a Linux Private Image, Uninstalling PV Drivers; Optimizing a Windows Private Image",
        fix: "remove them",
    }

    pub(crate) KERNEL_TOO_OLD = "OS-017", Error, "the kernel is older than 2.6.24", {
        why: "the service asks for a later kernel: virtio drivers are part of Linux since 2.6.24",
        source: "OTC: Optimizing a Linux Private Image, Installing Native KVM Drivers",
        fix: "install a later kernel, and make it the default",
    }

    pub(crate) BOOT_FILE_ABSENT = "OS-018", Error, "the default boot entry names a kernel or an initramfs that is not there", {
        why: "the boot loader can't start the entry",
        source: "the disk's content",
        fix: "create the boot loader's configuration again, or install the kernel again",
    }

    pub(crate) WINDOWS_NO_DISK_DRIVER = "OS-020", Error, "Windows: no virtio disk driver starts at boot", {
        why: "servers have virtio disks: Windows stops with INACCESSIBLE_BOOT_DEVICE (0x7B)",
        source: "OTC: Optimizing a Windows Private Image, Installing VirtIO Drivers",
        fix: "install the virtio drivers, and verify that viostor or vioscsi starts at boot (Start = 0)",
    }

    pub(crate) WINDOWS_NO_NETWORK_DRIVER = "OS-021", Warning, "Windows: no virtio network driver", {
        why: "servers have virtio network cards: without netkvm the server has no network",
        source: "OTC: Optimizing a Windows Private Image, Installing VirtIO Drivers",
        fix: "install the virtio drivers (NetKVM)",
    }

    pub(crate) WINDOWS_STATIC_ADDRESS = "OS-022", Warning, "Windows: an interface has a static address", {
        why: "the service assigns addresses by DHCP: a server with another address can't be reached",
        source: "OTC: Configuring DHCP",
        fix: "configure the interface for DHCP",
    }

    pub(crate) WINDOWS_NO_REMOTE_DESKTOP = "OS-023", Warning, "Windows: remote desktop is off", {
        why: "no user can log in to the server over the network",
        source: "OTC: Enabling Remote Desktop Connection",
        fix: "enable remote desktop and its rule of the firewall",
    }

    pub(crate) WINDOWS_NO_CLOUDBASE_INIT = "OS-024", Warning, "Windows: Cloudbase-Init is not installed", {
        why: "without it the service can't set a password or run user data on a new server",
        source: "OTC: Installing and Configuring Cloudbase-Init",
        fix: "install Cloudbase-Init and enable its service",
    }

    pub(crate) WINDOWS_NOT_GENERALIZED = "OS-025", Note, "Windows: not generalized by Sysprep", {
        why: "servers made from the image would share its security identifier (SID) and its name",
        source: WINDOWS,
        fix: "run Sysprep if several servers will be made from the image",
    }
}
