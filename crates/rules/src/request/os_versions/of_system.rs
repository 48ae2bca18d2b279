//! The value of os_version for the system in an image.

use std::cmp::Reverse;

use super::family::{Identity, family_named};
use super::known::{KnownSystem, Page};
use super::{NearSystem, OsVersions};
use crate::request::GuestSystem;

/// Most values that are offered.
const OFFERED: usize = 12;

/// What a list has for the system in an image.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SystemValue {
    /// The value that names it.
    Named(String),
    /// The value of the nearest point release of the same version.
    Nearest(String),
    /// No value names it, or several might: those that come near, the best first. Never empty.
    Offered(Vec<String>),
}

/// How a value fits the system in an image.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::request) enum Fit {
    /// It names it, or a system that can't be compared with it.
    Fits,
    /// It names another release of the same version, or a relative where no value names the system itself.
    OtherRelease,
    /// It names another system.
    Contradicts,
}

impl OsVersions {
    /// The value for the system in an image. What the image does not tell is not guessed.
    pub fn of_system(&self, system: &GuestSystem) -> SystemValue {
        let Some(wanted) = &system.wanted else {
            return SystemValue::Offered(vec![self.other("")]);
        };
        let identity = Identity::of(wanted);
        let is_whole = system.lacking.is_none();
        let mut values = self.usable();
        // Of several spellings the API's comes first, and of several values that with the most of the version.
        values.sort_by_key(|(_, rank, value)| (Reverse(value.version_parts()), *rank));
        if let Some((value, ..)) = values.iter().find(|(_, _, value)| value.covers(&identity, is_whole)) {
            return SystemValue::Named((*value).to_owned());
        }
        values.retain(|(_, _, value)| value.is_same_major(&identity));
        values.sort_by_cached_key(|(_, rank, value)| (identity.distance(value), *rank));
        if let (true, true, Some((value, ..))) = (system.has_points, is_whole, values.first()) {
            return SystemValue::Nearest((*value).to_owned());
        }
        let mut seen = Vec::new();
        values.retain(|(_, _, value)| {
            let is_new = !seen.contains(value);
            seen.push(value.clone());
            is_new
        });
        let near = values.into_iter().take(OFFERED).map(|(value, ..)| value.to_owned()).collect::<Vec<_>>();
        if !near.is_empty() {
            return SystemValue::Offered(near);
        }
        match self.near(wanted) {
            NearSystem::Values { values, .. } => SystemValue::Offered(values),
            NearSystem::NoneOfFamily(_) | NearSystem::NoFamily => {
                SystemValue::Offered(vec![self.other(wanted)])
            }
        }
    }

    /// Whether some value might name the system if the image had what it lacks: one of the same family and major version, as far as
    /// these are known.
    pub(crate) fn might_name(&self, system: &GuestSystem) -> bool {
        system.wanted.as_ref().is_none_or(|wanted| {
            let identity = Identity::of(wanted);
            let might = |value: &Identity| match identity.version_parts() {
                0 => value.family == identity.family,
                _ => value.is_same_major(&identity),
            };
            self.usable().iter().any(|(_, _, value)| might(value))
        })
    }

    /// How a value that the user gave fits the system in the image.
    pub(in crate::request) fn fit(&self, value: &str, system: &GuestSystem) -> Fit {
        let given = Identity::of(value);
        let (Some(wanted), Some(family)) = (&system.wanted, given.family) else { return Fit::Fits };
        if family == "Other" {
            return Fit::Fits;
        }
        let wanted = Identity::of(wanted);
        let best = self.of_system(system);
        if wanted.family != Some(family) {
            let is_like = system.like.iter().any(|like| family_named(like) == Some(family));
            let has_none = matches!(&best, SystemValue::Offered(values)
                if values.iter().all(|value| Identity::of(value).family != wanted.family));
            return if is_like && has_none { Fit::OtherRelease } else { Fit::Contradicts };
        }
        if given.bits.is_some() && wanted.bits.is_some() && given.bits != wanted.bits {
            return Fit::Contradicts;
        }
        match best {
            SystemValue::Named(named) => {
                let named = Identity::of(&named);
                if given.is_same_system(&named) || given.covers(&wanted, system.lacking.is_none()) {
                    Fit::Fits
                } else if given.is_same_major(&wanted) {
                    Fit::OtherRelease
                } else {
                    Fit::Contradicts
                }
            }
            SystemValue::Nearest(_) if given.is_same_major(&wanted) => Fit::OtherRelease,
            SystemValue::Nearest(_) => Fit::Contradicts,
            // The minor version is not known.
            SystemValue::Offered(_) if system.lacking.is_some() && given.is_same_major(&wanted) => Fit::Fits,
            SystemValue::Offered(offered) => {
                let is_offered = offered.iter().any(|offer| Identity::of(offer).is_same_system(&given));
                if is_offered || given.is_same_major(&wanted) { Fit::OtherRelease } else { Fit::Contradicts }
            }
        }
    }

    /// The values that may be written: of the list, and unless the service gave it of pages outside the API reference. With
    /// the rank of their pages.
    fn usable(&self) -> Vec<(&str, usize, Identity)> {
        let mut values = self.values().map(|value| (value, 0, Identity::of(value))).collect::<Vec<_>>();
        if !self.of_service {
            for known in KnownSystem::all().iter().filter(|known| !self.has(known.value)) {
                let page = known.pages.iter().find(|page| !page.is_api());
                let rank = page.and_then(|page| Page::ALL.iter().position(|other| other == page));
                values.extend(rank.map(|rank| (known.value, rank + 1, known.identity.clone())));
            }
        }
        values
    }
}
