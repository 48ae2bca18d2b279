//! One body against everything that is asked of it.

use imsprep_findings::{Report, Rule};

use super::context::Context;
use super::read::read_draft;
use super::{BodyKind, Endpoint, ImageFacts, OsVersions, choices, image, image_url, min_disk, names, tags};
use crate::Profile;
use crate::content_rules::UEFI_ONLY;
use crate::intent_rules::BARE_METAL_FORMAT;
use crate::rules::{
    COMMON_IMPORT_ENOUGH, DISK_BELOW_CONSOLE, FILE_TOO_LARGE, FORMAT, NAME_CHARACTERS, NAME_SPACES,
    NAME_SUFFIX,
};

/// Checks the fields by the rules of their kind of body, and with the image.
pub(super) fn check(context: &Context<'_>, report: &mut Report) {
    names::check_name(context, report);
    names::check_description(context, report);
    choices::check_choices(context, report);
    image_url::check_image_url(context, report);
    min_disk::check_min_disk(context, report);
    tags::check_tags(context, report);
    image::check_image(context, report);
}

/// What a body that the user wrote is compared with.
#[derive(Clone, Copy, Debug)]
pub struct ValidateOptions<'a> {
    /// The cloud's rules.
    pub profile: &'static Profile,
    /// The values of os_version.
    pub os_versions: &'a OsVersions,
    /// Where it will be sent; if `None`, its fields tell.
    pub endpoint: Option<Endpoint>,
    /// The image that it is for. Its content decides what a name can only suggest.
    pub facts: Option<&'a ImageFacts>,
}

/// Checks an existing body by the rules. Returns the kind of its request, if it is known.
///
/// Never fails: what can't be read is a finding.
pub fn validate_body(bytes: &[u8], options: &ValidateOptions<'_>, report: &mut Report) -> Option<BodyKind> {
    let draft = read_draft(bytes, report)?;
    let kind = draft.kind(options.endpoint);
    draft.check_fields(kind, report);
    let context = Context {
        draft: &draft,
        kind,
        profile: options.profile,
        os_versions: options.os_versions,
        facts: options.facts,
    };
    check(&context, report);
    Some(kind)
}

/// Whether a rule for images says what the request's rules say better: they know the request and the object's name.
pub fn is_covered_by_request(rule: &Rule) -> bool {
    let covered = [
        &FORMAT,
        &FILE_TOO_LARGE,
        &DISK_BELOW_CONSOLE,
        &COMMON_IMPORT_ENOUGH,
        &NAME_SPACES,
        &NAME_CHARACTERS,
        &NAME_SUFFIX,
        &UEFI_ONLY,
        &BARE_METAL_FORMAT,
    ];
    covered.iter().any(|other| other.code == rule.code)
}
