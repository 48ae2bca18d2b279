//! What differs between the clouds in a request, as data.

/// What one cloud asks of a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RequestProfile {
    /// What counts as a letter in names and tags.
    pub letters: Letters,
    /// What else a tag's value may have.
    pub tag_value_extra: &'static str,
    /// Whether one page of this cloud allows letters and digits only in a description.
    pub plain_description: bool,
    /// Where some page begins the range of min_disk for a Linux system disk, in GB.
    pub usual_min_disk: i64,
    /// The same for Windows.
    pub usual_min_disk_windows: i64,
    /// Whether there is a license_type.
    pub has_license_type: bool,
    /// Whether hw_firmware_type stands on newer pages only.
    pub firmware_is_new: bool,
    /// What comes after `ims.REGION.` and `obs.REGION.` in the names of the services, in most regions.
    pub domain: &'static str,
    /// Regions whose services have another, and that.
    pub other_domains: &'static [(&'static str, &'static str)],
    /// A region, as an example.
    pub example_region: &'static str,
    /// Whether the vendor's command line tool (`hcloud`) knows this cloud.
    pub has_command_line: bool,
    /// The column of the list of operating systems.
    pub os_versions: &'static str,
}

/// An alphabet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Letters {
    /// A to Z and a to z.
    Latin,
    /// These and Chinese characters.
    LatinAndChinese,
}

impl Letters {
    /// Whether the character is a letter of this alphabet, or a digit.
    pub(crate) fn allow(self, c: char) -> bool {
        let chinese = matches!(c, '\u{3400}'..='\u{4dbf}' | '\u{4e00}'..='\u{9fff}' | '\u{f900}'..='\u{faff}' | '\u{20000}'..='\u{3134f}');
        c.is_ascii_alphanumeric() || self == Self::LatinAndChinese && chinese
    }

    /// In words.
    pub(crate) fn title(self) -> &'static str {
        match self {
            Self::Latin => "letters, digits",
            Self::LatinAndChinese => "letters, Chinese characters, digits",
        }
    }
}

/// Huawei Cloud.
pub(crate) const HUAWEI: RequestProfile = RequestProfile {
    letters: Letters::LatinAndChinese,
    tag_value_extra: ".",
    plain_description: false,
    usual_min_disk: 10,
    usual_min_disk_windows: 20,
    has_license_type: true,
    firmware_is_new: false,
    domain: "myhuaweicloud.com",
    other_domains: &[("eu-west-101", "myhuaweicloud.eu")],
    example_region: "ap-southeast-1",
    has_command_line: true,
    os_versions: "huawei",
};

/// Open Telekom Cloud.
pub(crate) const OTC: RequestProfile = RequestProfile {
    letters: Letters::Latin,
    tag_value_extra: "",
    plain_description: true,
    usual_min_disk: 1,
    usual_min_disk_windows: 1,
    has_license_type: false,
    firmware_is_new: true,
    domain: "otc.t-systems.com",
    other_domains: &[],
    example_region: "eu-de",
    has_command_line: false,
    os_versions: "otc",
};
