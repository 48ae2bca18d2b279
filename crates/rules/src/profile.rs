//! What each cloud asks for, as data.

use std::ops::RangeInclusive;

use imsprep_detect::Format;

use crate::RequestProfile;
use crate::request::profile;

/// The day on which the rules were last compared with the service's documentation. Every report names it.
pub const RULE_SET_DATE: &str = "2026-11-21";

const GIB: u64 = 1 << 30;
const TIB: u64 = 1 << 40;

/// The least `min_disk` of a system disk, in GB.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MinDisk {
    /// Of Windows.
    pub windows: u32,
    /// For any other system.
    pub others: u32,
}

/// The rules of one cloud.
///
/// Sources: "OTC" = opentelekomcloud-docs/image-management-service (December 2025); "HW" = Huawei Cloud's IMS API
/// pages (2024 to 2026) and huaweicloudDocs/ims (2022). No page defines its units: 1 TB is taken as 1 TiB, as the VHD
/// FAQ divides by 2^30 and other pages write 1024 GB for the same limit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Profile {
    /// The name for `--profile`.
    pub name: &'static str,
    /// The cloud's name.
    pub title: &'static str,
    /// Formats that quick import takes.
    pub quick_formats: &'static [Format],
    /// Largest file that quick import takes, in bytes.
    pub max_file: u64,
    /// Largest file that the common import takes, in bytes.
    pub max_common_file: u64,
    /// Largest virtual disk, in bytes.
    pub max_disk: u64,
    /// Below this many bytes a virtual disk is unusual.
    pub min_disk: u64,
    /// Below this many bytes the cloud's console does not offer a system disk.
    pub min_console_disk: u64,
    /// `min_disk` that any page allows, in GB.
    pub min_disk_range: RangeInclusive<u32>,
    /// The least `min_disk` of a system disk that no page refuses, where pages disagree.
    pub strict_min_disk: Option<MinDisk>,
    /// Longest key of an object, in bytes of UTF-8.
    pub max_key: usize,
    /// Longest object name, in characters, that no page objects to.
    pub max_name: usize,
    /// Why a Windows may be refused, where some pages say so.
    pub windows_doubt: Option<&'static str>,
    /// What the request may hold.
    pub request: RequestProfile,
}

impl Profile {
    /// The profile of this name.
    pub fn named(name: &str) -> Option<&'static Self> {
        PROFILES.iter().copied().find(|profile| profile.name == name)
    }

    /// What a command that is given as advice needs to go by these rules, with a space before it: nothing for the default.
    pub fn flag(&self) -> String {
        let is_default = PROFILES.first().is_some_and(|default| default.name == self.name);
        if is_default { String::new() } else { format!(" --profile {}", self.name) }
    }
}

/// What all pages of both clouds say; a profile names what differs.
const BOTH: Profile = Profile {
    name: "",
    title: "",
    quick_formats: &[Format::Raw, Format::Zvhd2],
    max_file: TIB,
    max_common_file: 128 * GIB,
    max_disk: TIB,
    min_disk: GIB,
    min_console_disk: 40 * GIB,
    min_disk_range: 1..=1024,
    strict_min_disk: None,
    max_key: 1024,
    max_name: 128,
    windows_doubt: None,
    request: profile::HUAWEI,
};

/// Huawei Cloud, the default.
pub static HUAWEI: Profile = Profile {
    name: "huawei",
    title: "Huawei Cloud",
    strict_min_disk: Some(MinDisk { windows: 20, others: 10 }),
    windows_doubt: Some(
        "Huawei's international pages of 2025 and 2026 say that Windows can't be quick-imported any more",
    ),
    ..BOTH
};

/// Open Telekom Cloud.
pub static OTC: Profile = Profile { name: "otc", title: "Open Telekom Cloud", request: profile::OTC, ..BOTH };

/// Every profile; the first is the default.
pub static PROFILES: &[&Profile] = &[&HUAWEI, &OTC];
