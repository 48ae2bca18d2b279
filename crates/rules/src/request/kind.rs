//! Which requests there are, and which fields each of them has.

use std::fmt;

use super::Purpose;

/// Where a request is sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Endpoint {
    /// Quick import, of system and data disks.
    QuickImport,
    /// The common import of a data disk.
    DataImage,
    /// The common import of a system disk.
    Image,
}

impl Endpoint {
    /// The path of the URL.
    pub fn path(self) -> &'static str {
        match self {
            Self::QuickImport => "/v2/cloudimages/quickimport/action",
            Self::DataImage => "/v1/cloudimages/dataimages/action",
            Self::Image => "/v2/cloudimages/action",
        }
    }

    /// What the vendor's command line tool calls it.
    pub(crate) fn operation(self) -> &'static str {
        match self {
            Self::QuickImport => "ImportImageQuick",
            Self::DataImage => "CreateDataImage",
            Self::Image => "CreateImage",
        }
    }
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "POST {}", self.path())
    }
}

/// One form of body: an endpoint and what the disk is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum BodyKind {
    /// Quick import of a system disk.
    QuickSystem,
    /// Quick import of a data disk.
    QuickData,
    /// Common import of a system disk.
    CommonSystem,
    /// Common import of a data disk.
    CommonData,
}

impl BodyKind {
    /// Every kind.
    pub const ALL: [Self; 4] = [Self::QuickSystem, Self::QuickData, Self::CommonSystem, Self::CommonData];

    /// Where it is sent.
    pub fn endpoint(self) -> Endpoint {
        match self {
            Self::QuickSystem | Self::QuickData => Endpoint::QuickImport,
            Self::CommonSystem => Endpoint::Image,
            Self::CommonData => Endpoint::DataImage,
        }
    }

    /// What the disk is for.
    pub fn purpose(self) -> Purpose {
        match self {
            Self::QuickSystem | Self::CommonSystem => Purpose::System,
            Self::QuickData | Self::CommonData => Purpose::Data,
        }
    }

    /// Whether it is a quick import.
    pub fn is_quick(self) -> bool {
        self.endpoint() == Endpoint::QuickImport
    }

    /// In words: "quick import of a system disk".
    pub fn title(self) -> &'static str {
        match self {
            Self::QuickSystem => "quick import of a system disk",
            Self::QuickData => "quick import of a data disk",
            Self::CommonSystem => "common import of a system disk",
            Self::CommonData => "common import of a data disk",
        }
    }

    /// Whether a client of the vendor's sends this field with it, although its page does not list it.
    pub(crate) fn is_sent_with(self, field: &str) -> bool {
        FIELDS.iter().any(|known| known.name == field && known.sent_by_clients.contains(&self))
    }

    /// Whether its page lists this field.
    pub(crate) fn has(self, field: &str) -> bool {
        FIELDS.iter().any(|known| known.name == field && known.kinds.contains(&self))
    }
}

/// The type of a field's value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum FieldType {
    Text,
    Integer,
    Flag,
    /// An array of strings.
    Texts,
    /// An array of objects with `key` and `value`.
    Tags,
    /// An array that is not inspected.
    Other,
}

impl FieldType {
    /// In words: "a string".
    pub(crate) fn title(self) -> &'static str {
        match self {
            Self::Text => "a string",
            Self::Integer => "a whole number",
            Self::Flag => "true or false",
            Self::Texts => "an array of strings",
            Self::Tags => "an array of objects with key and value",
            Self::Other => "an array",
        }
    }
}

/// A field that a page lists.
pub(crate) struct Field {
    pub(crate) name: &'static str,
    pub(crate) value: FieldType,
    /// The kinds of body that have it; none for fields that make an image from something else than a file.
    pub(crate) kinds: &'static [BodyKind],
    /// Kinds whose page does not list it, and that the vendor's own clients send with it all the same: the SDKs have one
    /// structure for the quick import of both kinds of disk, and Go's sends an empty os_version; the Terraform provider
    /// sends os_type with the common import of a system disk.
    pub(crate) sent_by_clients: &'static [BodyKind],
}

const fn field(name: &'static str, value: FieldType, kinds: &'static [BodyKind]) -> Field {
    Field { name, value, kinds, sent_by_clients: &[] }
}

impl Field {
    const fn also_sent_with(self, kinds: &'static [BodyKind]) -> Self {
        Self { sent_by_clients: kinds, ..self }
    }
}

const EVERY: &[BodyKind] = &BodyKind::ALL;
const SYSTEM: &[BodyKind] = &[BodyKind::QuickSystem, BodyKind::CommonSystem];
const DATA: &[BodyKind] = &[BodyKind::QuickData, BodyKind::CommonData];
const QUICK_DATA: &[BodyKind] = &[BodyKind::QuickData];
const COMMON: &[BodyKind] = &[BodyKind::CommonSystem, BodyKind::CommonData];
const COMMON_SYSTEM: &[BodyKind] = &[BodyKind::CommonSystem];

/// Every field, as the API pages and the vendor's published SDK list them.
pub(crate) static FIELDS: &[Field] = &[
    field("name", FieldType::Text, EVERY),
    field("description", FieldType::Text, EVERY),
    field("os_type", FieldType::Text, DATA).also_sent_with(SYSTEM),
    field("os_version", FieldType::Text, SYSTEM).also_sent_with(QUICK_DATA),
    field("image_url", FieldType::Text, EVERY),
    field("min_disk", FieldType::Integer, EVERY),
    field("type", FieldType::Text, &[BodyKind::QuickSystem, BodyKind::QuickData, BodyKind::CommonSystem]),
    field("architecture", FieldType::Text, SYSTEM).also_sent_with(QUICK_DATA),
    field("hw_firmware_type", FieldType::Text, SYSTEM).also_sent_with(QUICK_DATA),
    field("license_type", FieldType::Text, &[BodyKind::QuickSystem]).also_sent_with(QUICK_DATA),
    field("tags", FieldType::Texts, EVERY),
    field("image_tags", FieldType::Tags, EVERY),
    field("enterprise_project_id", FieldType::Text, EVERY),
    field("cmk_id", FieldType::Text, COMMON),
    field("is_config", FieldType::Flag, COMMON_SYSTEM),
    field("is_config_init", FieldType::Flag, COMMON_SYSTEM),
    field("is_quick_import", FieldType::Flag, COMMON_SYSTEM),
    field("min_ram", FieldType::Integer, COMMON_SYSTEM),
    field("max_ram", FieldType::Integer, COMMON_SYSTEM),
    field("instance_id", FieldType::Text, &[]),
    field("volume_id", FieldType::Text, &[]),
    field("data_images", FieldType::Other, &[]),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_data_disk_of_quick_import_has_these_fields_and_no_other() {
        let has =
            |kind| FIELDS.iter().filter(|f| f.kinds.contains(&kind)).map(|f| f.name).collect::<Vec<_>>();
        assert_eq!(
            has(BodyKind::QuickData),
            [
                "name",
                "description",
                "os_type",
                "image_url",
                "min_disk",
                "type",
                "tags",
                "image_tags",
                "enterprise_project_id"
            ]
        );
        assert!(
            !has(BodyKind::CommonData).contains(&"type") && has(BodyKind::CommonData).contains(&"cmk_id")
        );
    }
}
