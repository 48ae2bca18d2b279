//! A fact of the system with its place, or why it is not known.

use imsprep_guest::{Answer, Machine, NotKnown, Origin, Sourced};
use schemars::JsonSchema;
use serde::Serialize;

pub(super) fn all<'t, T, W: From<&'t T>>(items: &'t [T]) -> Vec<W> {
    items.iter().map(W::from).collect()
}

/// A file in the image, perhaps a line of it.
#[derive(Debug, JsonSchema, Serialize)]
pub(super) struct Place {
    volume: String,
    path: String,
    line: Option<u32>,
}

impl From<&Origin> for Place {
    fn from(origin: &Origin) -> Self {
        Self { volume: origin.volume.clone(), path: origin.path.clone(), line: origin.line }
    }
}

/// Why something is not known.
#[derive(Debug, JsonSchema, Serialize)]
pub(super) struct WireReason {
    reason: String,
    at: Option<Place>,
}

impl From<&NotKnown> for WireReason {
    fn from(unknown: &NotKnown) -> Self {
        Self { reason: unknown.reason.clone(), at: unknown.origin.as_ref().map(Place::from) }
    }
}

/// A fact with its place, or why it is not known.
#[derive(Debug, JsonSchema, Serialize)]
pub(super) struct Fact<T> {
    /// `null` if there is none, or if it is not known.
    value: Option<T>,
    /// Where it was read.
    at: Option<Place>,
    /// Why it is not known. Absent if it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    not_known: Option<String>,
}

impl<T> Fact<T> {
    pub(super) fn new<'a, A>(
        answer: &'a Answer<A>,
        place: impl FnOnce(&'a A) -> Option<&'a Origin>,
        value: impl FnOnce(&'a A) -> Option<T>,
    ) -> Self {
        match answer {
            Ok(found) => Self { value: value(found), at: place(found).map(Place::from), not_known: None },
            Err(unknown) => Self {
                value: None,
                at: unknown.origin.as_ref().map(Place::from),
                not_known: Some(unknown.reason.clone()),
            },
        }
    }

    /// A fact that follows from others.
    pub(super) fn plain(answer: Answer<T>) -> Self {
        match answer {
            Ok(value) => Self { value: Some(value), at: None, not_known: None },
            Err(NotKnown { reason, origin }) => {
                Self { value: None, at: origin.as_ref().map(Place::from), not_known: Some(reason) }
            }
        }
    }

    /// A fact without a place of its own.
    pub(super) fn of<'a, A>(answer: &'a Answer<A>, value: impl FnOnce(&'a A) -> T) -> Self {
        Self::new(answer, |_| None, |found| Some(value(found)))
    }

    pub(super) fn sourced<'a, A>(answer: &'a Answer<Sourced<A>>, value: impl FnOnce(&'a A) -> T) -> Self {
        Self::new(answer, |found| Some(&found.origin), |found| Some(value(&found.value)))
    }

    pub(super) fn optional<'a, A>(
        answer: &'a Answer<Option<Sourced<A>>>,
        value: impl FnOnce(&'a A) -> T,
    ) -> Self {
        Self::new(
            answer,
            |found| found.as_ref().map(|found| &found.origin),
            |found| found.as_ref().map(|found| value(&found.value)),
        )
    }
}

impl Fact<bool> {
    /// Whether a file is there.
    pub(super) fn there(answer: &Answer<Option<Origin>>) -> Self {
        Self::new(answer, Option::as_ref, |found| Some(found.is_some()))
    }
}

impl<W> Fact<Vec<W>> {
    pub(super) fn list<'t, T>(answer: &'t Answer<Vec<T>>) -> Self
    where
        W: From<&'t T>,
    {
        Self::of(answer, |items| all(items))
    }
}

/// A text with its place.
#[derive(Debug, JsonSchema, Serialize)]
pub(super) struct WireText {
    pub(super) value: String,
    pub(super) at: Place,
}

impl<T: ToString> From<&Sourced<T>> for WireText {
    fn from(text: &Sourced<T>) -> Self {
        Self { value: text.value.to_string(), at: (&text.origin).into() }
    }
}

#[derive(Debug, JsonSchema, Serialize)]
pub(super) struct WireMachine {
    /// `x86_64`, `i386`, `aarch64`, `arm`, or another one in words.
    name: String,
    bits: u32,
}

impl From<&Machine> for WireMachine {
    fn from(machine: &Machine) -> Self {
        Self { name: machine.to_string(), bits: machine.bits() }
    }
}
