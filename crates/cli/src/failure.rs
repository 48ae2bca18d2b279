//! Errors, warnings and hints on standard error, and the exit status of an error. The libraries say what is wrong; the flags and
//! commands that help are known here alone.

use std::fmt::{self, Display};
use std::io;

use anstyle::{AnsiColor, Style};
use imsprep_source::{Error as SourceError, ErrorKind as SourceKind};
use imsprep_toolkit::{Error, ErrorKind as Kind, Format, NbdAddress};

use crate::exit::Status;
use crate::terminal::{print_error, shown};

/// What begins a line on standard error, in clap's words and colours.
const ERROR: (&str, Style) = ("error", AnsiColor::Red.on_default().bold());
const WARNING: (&str, Style) = ("warning", AnsiColor::Yellow.on_default().bold());
const NOTE: (&str, Style) = ("note", Style::new().bold());
const HINT: (&str, Style) = ("hint", AnsiColor::Cyan.on_default().bold());

/// What is said of a stop.
pub(crate) const STOPPED: &str = "interrupted; no partial output was left behind";
/// What is said of it where an image went to standard output.
pub(crate) const STREAM_STOPPED: &str = "interrupted; the output on standard output is incomplete";

/// An error of a command that knows what would help.
#[derive(Debug)]
pub(crate) struct Hinted {
    pub(crate) text: String,
    pub(crate) hint: &'static str,
}

impl Display for Hinted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl std::error::Error for Hinted {}

/// Prints an error that has no causes.
pub(crate) fn error(text: impl Display) {
    say(ERROR, text);
}

/// Prints what the user should know and what changes no status.
pub(crate) fn warning(text: impl Display) {
    say(WARNING, text);
}

/// Prints what the user may want to know.
pub(crate) fn note(text: impl Display) {
    say(NOTE, text);
}

/// Prints what helps against the error or warning before it.
pub(crate) fn hint(text: impl Display) {
    say(HINT, text);
}

fn say((word, style): (&str, Style), text: impl Display) {
    print_error(&format!("{style}{word}:{style:#} {text}\n"));
}

/// Prints an error with all its causes and a hint, and returns the exit status.
pub(crate) fn report_failure(error: &anyhow::Error) -> Status {
    let status = status(error);
    match status {
        Status::Interrupted => self::error(STOPPED),
        // Silently, as every program in a pipe.
        Status::ReaderGone => {}
        _ => {
            self::error(shown(&format!("{error:#}")));
            if let Some(text) = hint_for(error) {
                hint(text);
            }
        }
    }
    status
}

/// The same where the exit status for "wrong" is an answer about images that were read.
pub(crate) fn report_unread(error: &anyhow::Error) -> Status {
    match report_failure(error) {
        Status::Wrong => Status::CouldNotLook,
        status => status,
    }
}

/// An error, its causes and what helps against it on one line, fit for a terminal.
pub(crate) fn failure_text(error: &anyhow::Error) -> String {
    let hint = hint_for(error).map(|hint| format!("; {hint}")).unwrap_or_default();
    shown(&format!("{error:#}{hint}")).to_string()
}

/// The kind of an error, from whichever library it comes.
fn kind(error: &anyhow::Error) -> Kind {
    if let Some(error) = error.downcast_ref::<imsprep_toolkit::Error>() {
        error.kind()
    } else if let Some(error) = error.downcast_ref::<imsprep_source::Error>() {
        Kind::Source(error.kind())
    } else if let Some(imsprep_bench::ErrorKind::Source(kind)) = bench_kind(error) {
        Kind::Source(kind)
    } else {
        Kind::Other
    }
}

fn bench_kind(error: &anyhow::Error) -> Option<imsprep_bench::ErrorKind> {
    error.downcast_ref().map(imsprep_bench::Error::kind)
}

/// Whether the work ended because it was asked to.
pub(crate) fn is_stop(error: &anyhow::Error) -> bool {
    kind(error) == Kind::Source(SourceKind::Cancelled)
}

fn status(error: &anyhow::Error) -> Status {
    match kind(error) {
        Kind::Source(SourceKind::Cancelled) => Status::Interrupted,
        Kind::Source(SourceKind::ReaderGone) => Status::ReaderGone,
        Kind::Unfit | Kind::Ambiguous | Kind::NotAsWritten => Status::Wrong,
        _ => Status::CouldNotLook,
    }
}

/// What helps against an error: the flags and commands for its kind, or what to do about the system's.
fn hint_for(error: &anyhow::Error) -> Option<&'static str> {
    if bench_kind(error) == Some(imsprep_bench::ErrorKind::NoRoom) {
        return Some("use a smaller --size or another --folder");
    }
    if let Some(Error::NotRaw { format: Format::Zvhd2, .. }) = error.downcast_ref() {
        return Some("imsprep zvhd2 check checks the bitmap inside");
    }
    if let Some(Hinted { hint, .. }) = error.downcast_ref() {
        return Some(hint);
    }
    if let Some(Error::Remote { source, .. }) = error.downcast_ref()
        && source.kind() == io::ErrorKind::TimedOut
    {
        return Some(
            "a server may serve one client at a time (qemu-nbd without --shared), and be busy with another one",
        );
    }
    Some(match kind(error) {
        Kind::Source(SourceKind::Exists) => "--force replaces it",
        Kind::Ambiguous => "imsprep detect shows which",
        Kind::SameFormat => {
            "--sparsify and --fit write a changed disk in the same format; imsprep bitmap create writes the bitmap of a RAW"
        }
        Kind::NotZvhd2 => "imsprep detect shows the format of a file, and imsprep check checks every format",
        Kind::Source(SourceKind::Damaged) => "copy or download the file again, and compare its checksum",
        Kind::UnsoundContainer => "imsprep zvhd2 check lists all errors, and imsprep zvhd2 repair may help",
        Kind::SizeUnknown => "use --size",
        Kind::SizeContradicted => "omit --size",
        Kind::NoSpaceToUnpack => "--temp-dir DIR selects another folder",
        Kind::OneDisk => "--disk does not apply here",
        Kind::WhichDisk => "--disk selects one, by its number or name",
        Kind::NoBitmapBeside => "create it with imsprep bitmap create",
        Kind::NoRandomness => "use --uuid",
        Kind::NoImageGiven => "imsprep bitmap show shows its content",
        Kind::DeviceNeedsOutput => "use -o OUT for the path",
        Kind::UnknownBitmap => "use --layout FILE for another layout",
        Kind::NeedsImageSize => "use --image-size or --image",
        _ => {
            let mut causes = error.chain().filter_map(|cause| cause.downcast_ref());
            return hint_for_name(error).or_else(|| causes.find_map(hint_for_system));
        }
    })
}

/// What helps if a file is not there because its name is that of something else.
fn hint_for_name(error: &anyhow::Error) -> Option<&'static str> {
    let of_source = match error.downcast_ref::<imsprep_toolkit::Error>() {
        Some(imsprep_toolkit::Error::Source(error)) => error,
        _ => error.downcast_ref::<SourceError>()?,
    };
    let path = match of_source {
        SourceError::Open { path, source } if source.kind() == io::ErrorKind::NotFound => path.to_str()?,
        _ => return None,
    };
    if NbdAddress::of(path).is_some() {
        return Some(
            "an NBD export is read by check, compare, convert, detect, inspect and prepare; imsprep convert saves it to a file",
        );
    }
    let scheme = path.split_once(":/").map(|(scheme, _)| scheme);
    match scheme {
        Some("http" | "https") => Some(
            "imsprep reads no URLs: download the file, or use: curl -fsS URL | imsprep convert - disk.zvhd2",
        ),
        Some("obs" | "s3") => Some("imsprep reads no object storage: download the file first"),
        _ if path.ends_with(".mf") => Some("imsprep bitmap create writes the bitmap file of a RAW"),
        _ if path == "-" => Some("only imsprep convert reads standard input"),
        _ => None,
    }
}

fn hint_for_system(error: &io::Error) -> Option<&'static str> {
    Some(match error.kind() {
        io::ErrorKind::PermissionDenied => "run imsprep as another user (sudo), or change the permissions",
        io::ErrorKind::StorageFull => "the disk is full: free space on it, or write to another disk",
        io::ErrorKind::QuotaExceeded => "your quota is exhausted: free space, or write to another disk",
        io::ErrorKind::FileTooLarge => {
            "the file is too large for the file system or a limit (ulimit -f): write to another disk"
        }
        io::ErrorKind::ReadOnlyFilesystem => "the file system is read-only: write to another disk",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stop_is_known_whichever_library_says_so() {
        use imsprep_source::Error::Cancelled;
        let toolkit = anyhow::Error::new(imsprep_toolkit::Error::from(Cancelled));
        let bench = anyhow::Error::new(imsprep_bench::Error::from(Cancelled));
        for error in [toolkit, bench] {
            assert_eq!(report_failure(&error.context("while measuring")), Status::Interrupted);
        }
        let failed = imsprep_bench::Error::Failed { program: "imsprep".into(), message: "no".into() };
        assert_eq!(report_failure(&anyhow::Error::new(failed)), Status::CouldNotLook);
    }
}
