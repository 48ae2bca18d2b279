//! cloud-init: whether it is there, whether it runs, and which data sources it may use.

use crate::files::Files;
use crate::linux::units::{ServiceState, service};
use crate::{
    Answer, CommandLine, DatasourceList, NotKnown, Origin, Sourced, cloud_parameters, parse_datasource_list,
    parse_ds_identify,
};

/// cloud-init in a system.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CloudInit {
    /// The program, if it is installed.
    pub program: Answer<Option<Origin>>,
    /// What switches it off: a file, a unit, the command line.
    pub disabled: Answer<Vec<Sourced<String>>>,
    /// The list of data sources that counts; `None` if the default does, which has OpenStack.
    pub datasources: Answer<Option<Sourced<DatasourceList>>>,
    /// The only data source that is used, where `ds-identify.cfg` or the command line names one.
    pub only_datasource: Answer<Option<Sourced<String>>>,
}

impl CloudInit {
    /// Whether it is installed and runs. `Err` if that is not known.
    pub fn runs(&self) -> Answer<bool> {
        Ok(self.program.clone()?.is_some() && self.disabled.clone()?.is_empty())
    }

    /// Whether it may use OpenStack as its data source. `Err` if that is not known.
    pub fn allows_openstack(&self) -> Answer<bool> {
        if let Some(only) = self.only_datasource.clone()? {
            return Ok(only.value.eq_ignore_ascii_case("OpenStack"));
        }
        Ok(self.datasources.clone()?.is_none_or(|list| list.value.has_openstack()))
    }
}

pub(super) fn collect(files: &Files<'_>, line: Option<&Sourced<CommandLine>>) -> CloudInit {
    CloudInit {
        program: files.first_of(&["/usr/bin/cloud-init", "/usr/local/bin/cloud-init", "/bin/cloud-init"]),
        disabled: disabled(files, line),
        datasources: datasources(files),
        only_datasource: only_datasource(files, line),
    }
}

fn disabled(files: &Files<'_>, line: Option<&Sourced<CommandLine>>) -> Answer<Vec<Sourced<String>>> {
    let mut reasons = Vec::new();
    let file = "/etc/cloud/cloud-init.disabled";
    if files.exists(file)? {
        reasons.push(Sourced::new("the file exists".into(), files.origin(file)));
    }
    if let Some(line) = line.filter(|line| cloud_parameters(&line.value).disabled) {
        reasons.push(Sourced::new(
            "cloud-init=disabled is on the kernel's command line".into(),
            line.origin.clone(),
        ));
    }
    // Newer versions have other names for the same steps. A generator starts the target, so a unit that no target wants may run
    // all the same; one that is masked does not.
    for names in [["cloud-init", "cloud-init-network"], ["cloud-init-local", "cloud-init-local"]] {
        if let ServiceState::Masked(origin) = service(files, &names)? {
            reasons.push(Sourced::new("the unit is masked".into(), origin));
        }
    }
    if reasons.is_empty()
        && let ServiceState::Disabled(origin) = service(files, &["cloud-init", "cloud-init-network"])?
    {
        let generators = [
            "/usr/lib/systemd/system-generators/cloud-init-generator",
            "/lib/systemd/system-generators/cloud-init-generator",
        ];
        let wanted = service(files, &["cloud-init.target"])?.is_enabled();
        if files.first_of(&generators)?.is_none() && !wanted {
            reasons.push(Sourced::new("the service is not enabled".into(), origin));
        }
    }
    if let Some(bytes) = files.read("/etc/cloud/ds-identify.cfg")?
        && let Some((policy, number)) = parse_ds_identify(&bytes).policy
        && policy == "disabled"
    {
        let origin = files.origin("/etc/cloud/ds-identify.cfg").at_line(number);
        reasons.push(Sourced::new("policy: disabled".into(), origin));
    }
    Ok(reasons)
}

/// `cloud.cfg`, then the files of `cloud.cfg.d` in the order of their names; the last list counts.
fn datasources(files: &Files<'_>) -> Answer<Option<Sourced<DatasourceList>>> {
    let mut paths = vec!["/etc/cloud/cloud.cfg".to_owned()];
    paths.extend(files.files_in("/etc/cloud/cloud.cfg.d", |name| name.ends_with(".cfg"))?);
    let mut found = None;
    for path in paths {
        let Some(bytes) = files.read(&path)? else { continue };
        match parse_datasource_list(&bytes) {
            Ok(Some(list)) => {
                let origin = files.origin(&path).at_line(list.line);
                found = Some(Sourced::new(list, origin));
            }
            Ok(None) => {}
            // cloud.cfg of some distributions is a template with other marks in it.
            Err(reason) => return Err(NotKnown::at(files.origin(&path), reason)),
        }
    }
    Ok(found)
}

fn only_datasource(
    files: &Files<'_>,
    line: Option<&Sourced<CommandLine>>,
) -> Answer<Option<Sourced<String>>> {
    // What the command line names comes first.
    if let Some(line) = line
        && let Some(name) = cloud_parameters(&line.value).datasource
    {
        return Ok(Some(Sourced::new(name, line.origin.clone())));
    }
    let path = "/etc/cloud/ds-identify.cfg";
    let Some(bytes) = files.read(path)? else { return Ok(None) };
    Ok(parse_ds_identify(&bytes)
        .datasource
        .map(|(name, number)| Sourced::new(name, files.origin(path).at_line(number))))
}
