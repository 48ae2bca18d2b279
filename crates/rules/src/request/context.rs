//! What a body is compared with.

use imsprep_detect::Format;

use super::read::Draft;
use super::{BodyKind, ImageFacts, OsVersions};
use crate::Profile;

/// What a body is compared with.
pub(super) struct Context<'a> {
    pub(super) draft: &'a Draft,
    pub(super) kind: BodyKind,
    pub(super) profile: &'static Profile,
    pub(super) os_versions: &'a OsVersions,
    /// The image that it is for, if that is at hand.
    pub(super) facts: Option<&'a ImageFacts>,
}

/// Whether the request takes files of this format.
pub(super) fn takes(context: &Context<'_>, format: Format) -> bool {
    if context.kind.is_quick() { context.profile.quick_formats.contains(&format) } else { format.is_common() }
}

/// Whether the disk is within an archive or compressed, so that what the file is shows nothing of the disk.
pub(super) fn is_wrapped(facts: &ImageFacts) -> bool {
    let format = facts.detection.format;
    format.is_archive() || format.is_compressed()
}
