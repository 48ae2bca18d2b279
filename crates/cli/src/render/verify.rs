//! `imsprep verify`

use imsprep_rules::Size;
use imsprep_toolkit::ListedFile;

use crate::exit::Status;
use crate::outcome::Outcome;
use crate::style;
use crate::terminal::shown;
use crate::words::counted;

/// What came of one file, on a line; nothing if it could not be read, which was reported.
pub(crate) fn line(outcome: &Outcome<ListedFile>, expected_size: Option<u64>) -> String {
    let path = outcome.path.display().to_string();
    let (word, style, why) = match &outcome.result {
        Err(_) => return String::new(),
        Ok(ListedFile::Same(_)) => ("ok", style::GOOD, String::new()),
        Ok(ListedFile::Missing) => ("missing", style::BAD, String::new()),
        Ok(ListedFile::OtherSize(size)) => {
            let expected = expected_size.map(|size| format!(", expected {size}")).unwrap_or_default();
            ("differs", style::BAD, format!(" (the size is {size} bytes{expected})"))
        }
        Ok(ListedFile::OtherContent(found)) => {
            let sha256 = found.sha256.iter().map(|byte| format!("{byte:02x}")).collect::<String>();
            ("differs", style::BAD, format!(" ({}, SHA-256 {sha256})", Size(found.size).scaled()))
        }
    };
    format!("{}: {style}{word}{style:#}{why}\n", shown(&path))
}

/// How many files came to what.
pub(crate) fn sum<'a>(outcomes: impl Iterator<Item = &'a Outcome<ListedFile>> + Clone) -> String {
    let number = |is: fn(&Outcome<ListedFile>) -> bool| outcomes.clone().filter(|one| is(one)).count();
    let ok = number(|one| one.status == Status::Fine);
    let missing = number(|one| matches!(one.result, Ok(ListedFile::Missing)));
    let unread = number(|one| one.result.is_err());
    let all = outcomes.clone().count();
    let differs = all - ok - missing - unread;
    let files = counted(all as u64, "file");
    format!("{files}: {ok} ok, {differs} differ, {missing} missing, {unread} could not be read\n")
}
