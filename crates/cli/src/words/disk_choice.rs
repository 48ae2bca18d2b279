//! Which disk of an archive was selected, and why.

use imsprep_toolkit::{DiskChoice, Member};

/// The name of the reason in documents.
pub(crate) fn choice_name(choice: DiskChoice) -> &'static str {
    match choice {
        DiskChoice::Requested => "requested",
        DiskChoice::Only => "only",
        DiskChoice::OnlySystemDisk => "only-system-disk",
    }
}

/// What is to be said of a disk that was selected without being asked for, if there are others; begins with a comma.
pub(crate) fn choice_note(member: &Member) -> &'static str {
    match member.choice {
        DiskChoice::OnlySystemDisk => {
            "; selected because it is the only system disk in the archive (--disk selects another)"
        }
        DiskChoice::Requested | DiskChoice::Only => "",
    }
}
