//! Who can log in, cloud-init, and the identity that servers would share.

use imsprep_guest::{CloudInit, Identity, Login, Sourced, SshdOption};
use schemars::JsonSchema;
use serde::Serialize;

use super::fact::{Fact, Place, WireText};
use crate::words::guest::service_state;

#[derive(Debug, JsonSchema, Serialize)]
pub(super) struct WireCloudInit {
    installed: Fact<bool>,
    /// Whether it is installed and not disabled.
    runs: Fact<bool>,
    /// What disables it.
    disabled: Fact<Vec<WireText>>,
    /// The list of data sources; `null` if the default counts, which has OpenStack.
    datasources: Fact<Vec<String>>,
    /// The only data source that is used, if one is named.
    only_datasource: Fact<String>,
    allows_openstack: Fact<bool>,
}

impl From<&CloudInit> for WireCloudInit {
    fn from(cloud_init: &CloudInit) -> Self {
        Self {
            installed: Fact::there(&cloud_init.program),
            runs: Fact::plain(cloud_init.runs()),
            disabled: Fact::list(&cloud_init.disabled),
            datasources: Fact::optional(&cloud_init.datasources, |list| list.names.clone()),
            only_datasource: Fact::optional(&cloud_init.only_datasource, String::clone),
            allows_openstack: Fact::plain(cloud_init.allows_openstack()),
        }
    }
}

#[derive(Debug, JsonSchema, Serialize)]
pub(super) struct WireLogin {
    /// Whether an SSH server is installed.
    sshd: Fact<bool>,
    /// `enabled`, `disabled`, `masked` or `absent`.
    sshd_service: Fact<&'static str>,
    sshd_options: Fact<Vec<WireOption>>,
    /// Accounts with a shell and a usable password.
    passwords: Fact<Vec<WireText>>,
    /// Accounts with a shell and a key; the place is the file with the key.
    keys: Fact<Vec<WireText>>,
}

impl From<&Login> for WireLogin {
    fn from(login: &Login) -> Self {
        Self {
            sshd: Fact::there(&login.sshd),
            sshd_service: Fact::new(
                &login.sshd_service,
                |state| service_state(state).1,
                |state| Some(service_state(state).0),
            ),
            sshd_options: Fact::list(&login.sshd_options),
            passwords: Fact::list(&login.passwords),
            keys: Fact::list(&login.keys),
        }
    }
}

/// An option of sshd.
#[derive(Debug, JsonSchema, Serialize)]
pub(super) struct WireOption {
    name: String,
    value: String,
    at: Place,
}

impl From<&Sourced<SshdOption>> for WireOption {
    fn from(option: &Sourced<SshdOption>) -> Self {
        let SshdOption { keyword, value, .. } = &option.value;
        Self { name: keyword.clone(), value: value.clone(), at: (&option.origin).into() }
    }
}

/// What every server made from the image would share.
#[derive(Debug, JsonSchema, Serialize)]
pub(super) struct WireIdentity {
    /// Whether a machine-id is set.
    machine_id: Fact<bool>,
    host_keys: Fact<Vec<Place>>,
}

impl From<&Identity> for WireIdentity {
    fn from(identity: &Identity) -> Self {
        Self { machine_id: Fact::there(&identity.machine_id), host_keys: Fact::list(&identity.host_keys) }
    }
}
