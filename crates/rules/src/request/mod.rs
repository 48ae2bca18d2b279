//! The request that imports an uploaded image: its body, made or checked, and the commands around it.

mod body;
mod check;
mod choices;
mod facts;
mod fill;
mod image;
mod image_url;
mod json;
mod kind;
mod min_disk;
mod names;
mod next_steps;
mod os_versions;
pub(crate) mod profile;
mod read;
mod rules;
mod tags;
mod words;

pub(crate) use crate::intent::Purpose;
pub use body::{ImageTag, RequestBody};
pub use check::{ValidateOptions, is_covered_by_request, validate_body};
pub use facts::{Architecture, BootsBy, Firmware, ImageFacts, OsType, Told};
pub use fill::{Filled, Machine, Request, Wishes, fill_request};
pub use image_url::ObjectPlace;
pub use kind::{BodyKind, Endpoint};
pub use next_steps::{BodyPlace, NextSteps};
pub use os_versions::{OsVersions, OsVersionsError};
pub use profile::{Letters, RequestProfile};
pub use read::MAX_BODY;
pub use rules::REQUEST_RULES;
