//! `imsprep compare --json`

use imsprep_toolkit::{Comparison, Side};
use schemars::JsonSchema;
use serde::Serialize;

use super::WirePath;
use super::report::WireReport;
use super::space::WireSpace;

#[derive(Debug, JsonSchema, Serialize)]
pub(crate) struct Body {
    a: WireSide,
    b: WireSide,
    /// Whether the content is the same; the longer disk may go on in zeros.
    same: bool,
    difference: Option<WireDifference>,
    /// `a` or `b`, if one disk is longer.
    longer: Option<&'static str>,
    longer_by: u64,
    /// What was ignored because no file holds it by the first image; null unless that was asked for.
    ignored: Option<WireSpace>,
    bytes_read: u64,
}

#[derive(Debug, JsonSchema, Serialize)]
struct WireSide {
    #[serde(flatten)]
    path: WirePath,
    format: &'static str,
    /// The name of the disk's file in an archive; else null.
    member: Option<String>,
    disk_size: u64,
    report: WireReport,
}

#[derive(Debug, JsonSchema, Serialize)]
struct WireDifference {
    offset: u64,
    a: Option<u8>,
    b: Option<u8>,
}

impl From<&Side> for WireSide {
    fn from(side: &Side) -> Self {
        Self {
            path: side.path.as_path().into(),
            format: side.format.name(),
            member: side.member.clone(),
            disk_size: side.disk_size,
            report: (&side.report).into(),
        }
    }
}

impl From<&Comparison> for Body {
    fn from(compared: &Comparison) -> Self {
        let Comparison { a, b, difference, ignored, bytes_read } = compared;
        Self {
            a: a.into(),
            b: b.into(),
            same: difference.is_none(),
            difference: difference.map(|d| WireDifference { offset: d.offset, a: d.a, b: d.b }),
            longer: match a.disk_size.cmp(&b.disk_size) {
                std::cmp::Ordering::Less => Some("b"),
                std::cmp::Ordering::Equal => None,
                std::cmp::Ordering::Greater => Some("a"),
            },
            longer_by: compared.tail(),
            ignored: ignored.as_ref().map(WireSpace::from),
            bytes_read: *bytes_read,
        }
    }
}
