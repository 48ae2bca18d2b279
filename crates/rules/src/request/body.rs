//! The body of a request.

use serde::Serialize;

use super::os_versions::names_windows;

/// What is sent, in the order in which the API pages list the fields. What is `None` is left out.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct RequestBody {
    /// The image's name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// What the image is, in words.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// For a data disk: `Linux` or `Windows`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub os_type: Option<String>,
    /// For a system disk: the operating system, in the service's words.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub os_version: Option<String>,
    /// Where the image file is: `bucket:key`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub image_url: Option<String>,
    /// The least size of a disk made from the image, in GB.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub min_disk: Option<i64>,
    /// `ECS`, `BMS` or `DataImage`.
    #[serde(rename = "type", skip_serializing_if = "Option::is_none")]
    pub image_type: Option<String>,
    /// `x86` or `arm`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub architecture: Option<String>,
    /// `bios` or `uefi`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hw_firmware_type: Option<String>,
    /// `platform` or `byol`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub license_type: Option<String>,
    /// Tags, each as `key.value`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tags: Option<Vec<String>>,
    /// Tags in the newer form.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub image_tags: Option<Vec<ImageTag>>,
    /// The enterprise project: `0` or a UUID.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub enterprise_project_id: Option<String>,
    /// The key to encrypt the image with.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cmk_id: Option<String>,
}

/// One tag.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ImageTag {
    /// Its key.
    pub key: String,
    /// Its value.
    pub value: String,
}

impl RequestBody {
    /// The text field of this name, if it is one and has a value.
    pub(crate) fn text(&self, field: &str) -> Option<&str> {
        match field {
            "name" => &self.name,
            "description" => &self.description,
            "os_type" => &self.os_type,
            "os_version" => &self.os_version,
            "image_url" => &self.image_url,
            "type" => &self.image_type,
            "architecture" => &self.architecture,
            "hw_firmware_type" => &self.hw_firmware_type,
            "license_type" => &self.license_type,
            "enterprise_project_id" => &self.enterprise_project_id,
            "cmk_id" => &self.cmk_id,
            _ => return None,
        }
        .as_deref()
    }

    /// The place of the text field of this name.
    pub(crate) fn text_mut(&mut self, field: &str) -> Option<&mut Option<String>> {
        Some(match field {
            "name" => &mut self.name,
            "description" => &mut self.description,
            "os_type" => &mut self.os_type,
            "os_version" => &mut self.os_version,
            "image_url" => &mut self.image_url,
            "type" => &mut self.image_type,
            "architecture" => &mut self.architecture,
            "hw_firmware_type" => &mut self.hw_firmware_type,
            "license_type" => &mut self.license_type,
            "enterprise_project_id" => &mut self.enterprise_project_id,
            "cmk_id" => &mut self.cmk_id,
            _ => return None,
        })
    }

    /// Whether the request names a Windows, as far as it names an operating system.
    pub(crate) fn names_windows(&self) -> bool {
        [&self.os_version, &self.os_type].into_iter().flatten().any(|text| names_windows(text))
    }
}
