//! cloud-init's configuration: which data sources it may use, and whether it runs.

use crate::yaml::{self, Node};
use crate::{CommandLine, text};

/// A list of data sources with the line where it stands, from 1.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DatasourceList {
    /// The names as they are written: `OpenStack`, `Ec2`, `None`.
    pub names: Vec<String>,
    /// The line, from 1.
    pub line: u32,
}

impl DatasourceList {
    /// Whether OpenStack is among them. cloud-init compares names without regard to case.
    pub fn has_openstack(&self) -> bool {
        self.names.iter().any(|name| name.eq_ignore_ascii_case("OpenStack"))
    }
}

/// The list in a file of `/etc/cloud`; of several files the last one that has a list counts. `None` if it has none.
///
/// # Errors
///
/// The reason why the file cannot be read, or the list is none.
pub fn parse_datasource_list(bytes: &[u8]) -> Result<Option<DatasourceList>, String> {
    let Some(root) = yaml::parse(bytes)? else { return Ok(None) };
    let Some(node) = root.get("datasource_list") else { return Ok(None) };
    if node.is_null() {
        return Ok(Some(DatasourceList { names: Vec::new(), line: node.line }));
    }
    let one = node.text().map(|text| vec![text::name(text)]);
    let names =
        one.unwrap_or_else(|| node.items().iter().filter_map(Node::text).take(64).map(text::name).collect());
    if names.is_empty() && node.items().is_empty() && !matches!(node.value, yaml::Value::List(_)) {
        return Err("datasource_list is no list".into());
    }
    Ok(Some(DatasourceList { names, line: node.line }))
}

/// What `/etc/cloud/ds-identify.cfg` says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DsIdentify {
    /// `policy:`: `enabled`, `disabled`, `search,found=all,...`.
    pub policy: Option<(String, u32)>,
    /// `datasource:`: the only one that is used.
    pub datasource: Option<(String, u32)>,
}

/// Reads `ds-identify.cfg`: lines of `key: value`, read by a shell and not as YAML.
pub fn parse_ds_identify(bytes: &[u8]) -> DsIdentify {
    let mut found = DsIdentify::default();
    for (number, line) in text::lines(bytes) {
        let line = line.split('#').next().unwrap_or_default();
        let Some((key, value)) = line.split_once(':') else { continue };
        let value = Some((text::name(value.trim().trim_matches(['"', '\''])), number));
        match key.trim() {
            "policy" => found.policy = value,
            "datasource" => found.datasource = value,
            _ => {}
        }
    }
    found
}

/// What the kernel's command line says to cloud-init.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CloudParameters {
    /// `cloud-init=disabled`.
    pub disabled: bool,
    /// The data source of `ds=` or `ci.ds=`, without what follows a `;`.
    pub datasource: Option<String>,
}

/// Reads what is meant for cloud-init.
pub fn cloud_parameters(line: &CommandLine) -> CloudParameters {
    let datasource = line.last("ds").or_else(|| line.last("ci.ds")).or_else(|| line.last("ci.datasource"));
    let name = datasource.and_then(|value| value.split([';', ',']).next()).filter(|name| !name.is_empty());
    CloudParameters {
        disabled: line.values("cloud-init").any(|value| value == "disabled"),
        datasource: name.map(text::name),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_list_names_data_sources() {
        let list = parse_datasource_list(b"# comment\nusers:\n - default\ndatasource_list: [ Ec2, None ]\n")
            .unwrap()
            .unwrap();
        assert_eq!((list.names.clone(), list.line), (vec!["Ec2".to_owned(), "None".to_owned()], 4));
        assert!(!list.has_openstack());
        let list =
            parse_datasource_list(b"datasource_list:\n  - ConfigDrive\n  - openstack\n").unwrap().unwrap();
        assert!(list.has_openstack());
        assert_eq!(parse_datasource_list(b"users: []\n").unwrap(), None);
        assert_eq!(parse_datasource_list(b"datasource_list:\n").unwrap().unwrap().names, [""; 0]);
        assert!(parse_datasource_list(b"datasource_list: {a: b}\n").is_err());
        assert!(parse_datasource_list(b"a: [").is_err());
    }

    #[test]
    fn identification_and_the_command_line_decide_too() {
        let found = parse_ds_identify(
            b"# x\npolicy: search,found=all,maybe=none,notfound=disabled\ndatasource: Ec2 # y\n",
        );
        assert_eq!(found.datasource, Some(("Ec2".into(), 3)));
        assert_eq!(found.policy.unwrap().1, 2);
        let line = CommandLine::parse("root=x ds=nocloud;s=http://x cloud-init=disabled");
        let found = cloud_parameters(&line);
        assert!(found.disabled);
        assert_eq!(found.datasource.as_deref(), Some("nocloud"));
        assert_eq!(cloud_parameters(&CommandLine::parse("root=x")), CloudParameters::default());
    }

    proptest! {
        #[test]
        fn any_bytes_are_read(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            let _ = parse_datasource_list(&bytes);
            parse_ds_identify(&bytes);
        }
    }
}
