//! What no look at a file from outside can tell.

use imsprep_findings::Report;

use crate::Profile;

/// Lists what the service asks for and this check did not look at.
pub fn not_checkable(profile: &Profile, report: &mut Report) {
    report.push_not_checked(
        "partitions and file systems",
        "this version looks at the disk's outside only: not at GPT backup headers, dirty file systems, LVM, BitLocker or \
         firmware",
    );
    report.push_not_checked(
        "the operating system",
        "virtio drivers in the initramfs, cloud-init, DHCP, fstab by UUID, password rules and the version can't be seen \
         from outside",
    );
    if let Some(doubt) = profile.windows_doubt {
        report.push_not_checked("whether it is a Windows", doubt);
    }
    report.push_not_checked("bucket, prefix, storage class and request", "they are not part of the file");
}
