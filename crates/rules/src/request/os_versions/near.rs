//! The known values that come nearest to one that is not known, within its family.

use super::family::{Identity, family_named};
use super::known::KnownSystem;

/// Values that are named for one that is not known.
const NAMED: usize = 3;

/// What there is near a value that is not known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NearSystem {
    /// The family is known and has these values; the nearest first, each system once.
    Values {
        /// Its name.
        family: &'static str,
        /// At most three.
        values: Vec<String>,
    },
    /// The family is recognised, and nothing of it is in the list.
    NoneOfFamily(&'static str),
    /// No family is recognised.
    NoFamily,
}

/// What public documentation names near this value.
///
/// ```
/// use imsprep_rules::{NearSystem, near_system};
///
/// let NearSystem::Values { family, values } = near_system("Ubuntu 23.10 64bit") else { unreachable!() };
/// assert_eq!((family, values[0].as_str()), ("Ubuntu", "Ubuntu 24.04 server 64bit"));
/// assert_eq!(near_system("Rocky 9"), NearSystem::NoneOfFamily("Rocky Linux"));
/// ```
pub fn near_system(value: &str) -> NearSystem {
    let mut known = KnownSystem::all().iter().collect::<Vec<_>>();
    // Of several spellings the API's comes first.
    known.sort_by_key(|known| known.pages.first().copied());
    near_among(value, known.into_iter().map(|known| (known.value, known.identity.clone())))
}

/// The same among other values. Of several spellings the first stands for the system.
pub(super) fn near_among<'v>(value: &str, among: impl Iterator<Item = (&'v str, Identity)>) -> NearSystem {
    let meant = Identity::of(value);
    let Some(family) = meant.family else { return NearSystem::NoFamily };
    let mut of_family = Vec::<(&str, Identity)>::new();
    for (value, identity) in among.filter(|(_, identity)| identity.family == Some(family)) {
        if !of_family.iter().any(|(_, seen)| *seen == identity) {
            of_family.push((value, identity));
        }
    }
    of_family.sort_by_cached_key(|(_, identity)| meant.distance(identity));
    let values = of_family.into_iter().take(NAMED).map(|(value, _)| value.to_owned()).collect::<Vec<_>>();
    if values.is_empty() { NearSystem::NoneOfFamily(family) } else { NearSystem::Values { family, values } }
}

impl NearSystem {
    /// The family that a word of a search names or comes near to.
    pub fn of_search(text: &str) -> Self {
        match family_named(text) {
            Some(_) => near_system(text),
            None => Self::NoFamily,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn nearest(value: &str) -> Vec<String> {
        match near_system(value) {
            NearSystem::Values { values, .. } => values,
            other => panic!("{value}: {other:?}"),
        }
    }

    #[test]
    fn the_nearest_is_of_the_same_family_with_the_nearest_version() {
        for (value, expected) in [
            ("ubuntu 22.04", "Ubuntu 22.04 Server 64bit"),
            ("Ubuntu 26.04 LTS 64bit", "Ubuntu 24.04 server 64bit"),
            ("CentOS 7.10 64bit", "CentOS 7.9 64bit"),
            ("CentOS Stream 9 64bit", "CentOS Stream 9.6 64bit"),
            ("CentOS 6.9 32 bit edition", "CentOS 6.9 32bit"),
            ("Debian 12.5 64bit", "Linux 12.0.0 64bit"),
            ("RHEL 9.4 64bit", "Red Hat Linux Enterprise 9.1 64bit"),
            ("SLES 15 SP6 64bit", "SUSE Linux Enterprise Server 15 SP5 64bit"),
            ("openSUSE Leap 15.6 64bit", "SUSE 15.5 64bit"),
            ("Fedora 41 64bit", "Fedora 39 64bit"),
            ("Windows Server 2025 Datacenter 64bit", "Windows Server 2022 Datacenter 64bit"),
            ("AlmaLinux 9 64bit", "Alma 8 64bit"),
            ("EulerOS 2.13 64bit", "EulerOS 2.12 64bit"),
        ] {
            assert_eq!(
                nearest(value).first().map(String::as_str),
                Some(expected),
                "{value}: {:?}",
                nearest(value)
            );
        }
        let of_family = |family: &str| KnownSystem::all().iter().any(|known| known.family == family);
        for known in KnownSystem::all() {
            let changed = known.value.replace("bit", "bits.1");
            assert!(
                matches!(near_system(&changed), NearSystem::Values { family, .. } if family == known.family && of_family(family))
            );
        }
    }

    #[test]
    fn a_family_without_values_is_told_and_so_is_no_family() {
        for value in ["Rocky 9", "rocky-linux 9.4 64bit", "Rocky Linux release 8"] {
            assert_eq!(near_system(value), NearSystem::NoneOfFamily("Rocky Linux"), "{value}");
        }
        assert_eq!(near_system("TempleOS 5.03"), NearSystem::NoFamily);
        assert_eq!(near_system(""), NearSystem::NoFamily);
    }
}
