//! Every prober: a file for a format, or for formats that are told apart by the same bytes. A new one is entered in this file
//! alone, and its format in the table of [`Format`](crate::Format).

mod aff;
mod android;
mod bochs;
mod cloop;
mod compressed;
mod dmg;
mod ewf;
mod iso;
mod luks;
mod other;
mod parallels;
mod parallels_xml;
mod qcow;
mod qcow2;
mod qed;
mod seven_zip;
mod vdi;
mod vhd;
mod vhdx;
mod vmdk;
mod wim;
mod zlib;
mod zvhd;

use imsprep_source::Result;

use crate::candidate::Candidate;
use crate::input::Input;
use crate::{tar, zip};

/// Looks for the signs of a format; `None` if they are not there.
pub(crate) type Prober = fn(&Input<'_>) -> Result<Option<Candidate>>;

/// All of them run. Where two candidates are equally strong, the earlier one counts as the format.
pub(crate) const PROBERS: &[Prober] = &[
    self::zvhd::probe,
    self::qcow2::probe,
    self::qcow::probe,
    self::vmdk::probe,
    self::vhdx::probe,
    self::vhd::probe,
    self::qed::probe,
    self::luks::probe,
    self::parallels::probe,
    self::parallels_xml::probe,
    self::bochs::probe,
    self::cloop::probe,
    self::compressed::probe,
    zip::probe,
    self::seven_zip::probe,
    self::android::probe,
    self::ewf::probe,
    self::aff::probe,
    self::wim::probe,
    self::vdi::probe,
    self::iso::probe,
    tar::probe,
    self::dmg::probe_encrypted,
    self::dmg::probe,
    self::other::probe,
    self::zlib::probe,
    self::zlib::probe_lzma,
];
