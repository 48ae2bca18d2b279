//! `imsprep summary`

use std::fs::File;
use std::io::{self, BufRead, BufReader, IsTerminal, Read};
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};

use crate::args::SummaryArgs;
use crate::emit;
use crate::exit::Status;
use crate::setup::Setup;
use crate::summary::Joined;
use crate::summary::documents::Documents;
use crate::summary::expected::read_list;
use crate::{render, wire};

/// What is read at a time.
const BUFFER: usize = 1 << 20;

pub(crate) fn run(args: &SummaryArgs, setup: &Setup) -> anyhow::Result<Status> {
    let standard_input = vec![PathBuf::from("-")];
    let files = if args.files.is_empty() { &standard_input } else { &args.files };
    let from_standard_input = files.iter().chain(&args.expect).filter(|path| is_standard_input(path)).count();
    if from_standard_input > 1 {
        bail!("standard input can be read only once: use files for the others");
    }
    let expected = match &args.expect {
        Some(path) => {
            Some(read_list(open(path)?).with_context(|| format!("{}: cannot read", path.display()))?)
        }
        None => None,
    };
    let mut joined = Joined::default();
    for path in files {
        for file in expand(path)? {
            if !read(&file, &mut joined, setup)? {
                return Ok(Status::Interrupted);
            }
        }
    }
    if joined.is_empty() && expected.as_ref().is_none_or(|names| names.is_empty()) {
        bail!("there is no report to merge; imsprep check --format ndjson writes a line for each image");
    }
    let summary = joined.summary(expected.as_ref());
    let document =
        || wire::Document::new("imsprep.summary", summary.status, wire::summary::Body::from(&summary));
    emit::result(setup.output, document, |detail| render::summary::text(&summary, detail))?;
    Ok(summary.status)
}

fn is_standard_input(path: &Path) -> bool {
    path == Path::new("-")
}

/// A folder stands for the files of documents in it.
fn expand(path: &Path) -> anyhow::Result<Vec<PathBuf>> {
    if is_standard_input(path) || !path.is_dir() {
        return Ok(vec![path.to_owned()]);
    }
    let cannot = || format!("{}: cannot list the folder", path.display());
    let mut files = Vec::new();
    for entry in std::fs::read_dir(path).with_context(cannot)? {
        let file = entry.with_context(cannot)?.path();
        if file.extension().is_some_and(|extension| extension == "ndjson" || extension == "json")
            && !file.is_dir()
        {
            files.push(file);
        }
    }
    files.sort();
    Ok(files)
}

fn open(path: &Path) -> anyhow::Result<Box<dyn Read>> {
    if is_standard_input(path) {
        if io::stdin().is_terminal() {
            bail!("standard input is a terminal; use a file or a pipe");
        }
        return Ok(Box::new(io::stdin().lock()));
    }
    Ok(Box::new(File::open(path).with_context(|| format!("{}: cannot open", path.display()))?))
}

/// Takes all documents of a file; `false` if a stop was requested.
fn read(path: &Path, joined: &mut Joined, setup: &Setup) -> anyhow::Result<bool> {
    let mut documents = Documents::new(BufReader::with_capacity(BUFFER, open(path)?));
    let file = (!is_standard_input(path)).then(|| path.to_owned());
    take_all(&mut documents, joined, file.as_ref(), setup)
        .with_context(|| format!("{}: cannot read", path.display()))
}

fn take_all(
    documents: &mut Documents<impl BufRead>,
    joined: &mut Joined,
    file: Option<&PathBuf>,
    setup: &Setup,
) -> io::Result<bool> {
    while let Some(piece) = documents.next()? {
        if setup.cancel().is_cancelled() {
            return Ok(false);
        }
        joined.take(piece, file);
    }
    // A pipe whose writer was stopped as well ends here.
    Ok(!setup.cancel().is_cancelled())
}
