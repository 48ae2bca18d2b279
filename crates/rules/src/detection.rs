//! What the facts about a file's content come to.

use std::path::Path;

use imsprep_detect::{Detection, Fact, Format};
use imsprep_findings::{Finding, Report, Rule};

use crate::facts::ImageLocation;
use crate::incomplete::{closed, leads_out, one_file, repaired, sized};
use crate::no_disk::empty_file;
use crate::rules::{
    DAMAGED, ENCRYPTED, MARKED_CORRUPT, NAMES_A_FILE_ELSEWHERE, NOT_CLOSED, NOT_WHOLE, OUTSIDE_FILE,
    POLYGLOT, SIZE_DISPUTED, SNAPSHOTS, UNKNOWN_FEATURES,
};
use crate::wrapper::check_wrapper;
use crate::{HUAWEI, Profile, Size, shown_names};

/// Compares what is in the file with the rules that all clouds share. `path` and `profile` are for advice, not for the look.
pub fn check_detection(path: &Path, detection: &Detection, profile: &Profile, report: &mut Report) {
    check_file(path, detection, "", profile, report);
}

/// The same, with the arguments that a conversion of the disk in the file needs because of what is on it.
pub(crate) fn check_file(
    path: &Path,
    detection: &Detection,
    allow: &str,
    profile: &Profile,
    report: &mut Report,
) {
    check_wrapper(path, detection, allow, profile, report);
    check_facts(ImageLocation::File(path), detection, report);
}

/// The same but for what a wrapper is by itself: what forbids reading the disk.
pub(crate) fn check_facts(place: ImageLocation<'_>, detection: &Detection, report: &mut Report) {
    let format = detection.format;
    if format == Format::Empty {
        report.push(empty_file());
    }
    if !detection.also.is_empty() {
        let others = detection.also.iter().map(|f| f.name()).collect::<Vec<_>>().join(" and ");
        report.push(Finding::new(&POLYGLOT, format!("the file is {format} and also {others}")));
    }
    for fact in &detection.facts {
        match fact {
            Fact::NotLookedAt(what) => {
                report.push_not_checked("part of the content of the file", what.clone());
            }
            _ => {
                if let Some(finding) = finding(fact) {
                    report.push(match fix(place, detection, finding.rule) {
                        Some(fix) => finding.fix(fix),
                        None => finding,
                    });
                }
            }
        }
        if let Some(finding) = elsewhere(fact) {
            report.push(finding);
        }
    }
}

/// The fix that goes by what the image is and where it is.
fn fix(place: ImageLocation<'_>, detection: &Detection, rule: &Rule) -> Option<String> {
    let rule = |other: &Rule| rule.code == other.code;
    if rule(&NOT_WHOLE) {
        Some(one_file(place, detection, HUAWEI.max_disk))
    } else if rule(&NOT_CLOSED) {
        Some(closed(place, detection))
    } else if rule(&MARKED_CORRUPT) {
        Some(repaired(place, detection))
    } else if rule(&SIZE_DISPUTED) {
        Some(sized(place))
    } else {
        None
    }
}

/// The rule that a fact breaks. What is in a wrapper breaks none by itself: the wrapper does.
pub fn rule_of(fact: &Fact) -> Option<&'static Rule> {
    finding(fact).map(|finding| finding.rule)
}

fn finding(fact: &Fact) -> Option<Finding> {
    Some(match fact {
        Fact::BackingFile(name) => Finding::new(&NOT_WHOLE, format!("it is an overlay of {name:?}")),
        Fact::ExternalDataFile(Some(name)) => {
            Finding::new(&NOT_WHOLE, format!("its data is in another file, {name:?}"))
        }
        Fact::ExternalDataFile(None) => Finding::new(&NOT_WHOLE, "its data is in another file"),
        Fact::Parent(Some(name)) => {
            Finding::new(&NOT_WHOLE, format!("it contains only the differences from its parent {name:?}"))
        }
        Fact::Parent(None) => Finding::new(&NOT_WHOLE, "it contains only the differences from a parent"),
        Fact::ExtentFiles(names) if names.is_empty() => {
            Finding::new(&NOT_WHOLE, "it is a descriptor without the name of a data file")
        }
        Fact::ExtentFiles(names) => {
            Finding::new(&NOT_WHOLE, format!("it is a descriptor; the data is in {}", shown_names(names)))
        }
        Fact::ExtentOf(Some(name)) => {
            let message =
                format!("it is one extent-file of a split disk, which belongs to the descriptor {name:?}");
            Finding::new(&NOT_WHOLE, message)
        }
        Fact::ExtentOf(None) => Finding::new(
            &NOT_WHOLE,
            "it is one extent-file of a split disk, and no descriptor in its folder refers to it",
        ),
        Fact::Snapshots(count) => Finding::new(&SNAPSHOTS, "it has internal snapshots").found(count),
        Fact::Encrypted(method) => Finding::new(&ENCRYPTED, format!("it is encrypted ({method})")),
        Fact::Dirty => Finding::new(&NOT_CLOSED, "it is marked dirty, or its log was not replayed"),
        Fact::Corrupt => Finding::new(&MARKED_CORRUPT, "it is marked corrupt"),
        Fact::UnknownIncompatibleFeatures(bits) => Finding::new(
            &UNKNOWN_FEATURES,
            format!("it has feature bits {bits:#x}, which a reader must know and no specification defines"),
        ),
        Fact::UnknownRequired(what) => Finding::new(
            &UNKNOWN_FEATURES,
            format!("it has {what}, which a reader must know and no specification defines"),
        ),
        Fact::OutsideFile(what) => Finding::new(&OUTSIDE_FILE, what.clone()),
        Fact::SizeDisputed(geometry, size) => Finding::new(
            &SIZE_DISPUTED,
            format!("the size is {} by the geometry and {} by the size field", Size(*geometry), Size(*size)),
        ),
        Fact::Damaged(what) => Finding::new(&DAMAGED, what.clone()),
        // What the wrapper itself comes to is checked for the complete file, and what a text is depends on its name as well.
        Fact::Inside(_) | Fact::NotLookedAt(_) | Fact::OnlyText => return None,
        other => Finding::new(&DAMAGED, format!("{other:?}")),
    })
}

/// A name that leads out of the folder in which the image lies.
fn elsewhere(fact: &Fact) -> Option<Finding> {
    let names: &[String] = match fact {
        Fact::BackingFile(name) | Fact::ExternalDataFile(Some(name)) | Fact::Parent(Some(name)) => {
            std::slice::from_ref(name)
        }
        Fact::ExtentFiles(names) => names,
        _ => return None,
    };
    let outside = names.iter().filter(|name| leads_out(name)).cloned().collect::<Vec<_>>();
    let message = format!("it names {}", shown_names(&outside));
    (!outside.is_empty()).then(|| Finding::new(&NAMES_A_FILE_ELSEWHERE, message))
}
