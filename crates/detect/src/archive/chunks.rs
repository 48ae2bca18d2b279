//! Files of which an archive has parts.

use std::sync::Arc;

use imsprep_ondisk::format::zip::Method;
use imsprep_source::{SparseMap, Stored};

use super::Chunks;
use super::members::File;
use crate::Content;

/// Digits of the number of a chunk.
const OVF_DIGITS: usize = 9;
const XVA_DIGITS: usize = 8;

impl File {
    /// The name of the whole file, if this is a chunk of one: `disk.vmdk` of `disk.vmdk.000000000` (DSP0243, 7.1), `Ref:4` of
    /// `Ref:4/00000000`.
    fn chunk(&self) -> Option<(&str, Chunks)> {
        let is_number =
            |text: &str, length| text.len() == length && text.bytes().all(|byte| byte.is_ascii_digit());
        if let Some((folder, _)) = self.lower.rsplit_once('/').filter(|(_, base)| is_number(base, XVA_DIGITS))
        {
            let reference = folder.rsplit('/').next().and_then(|last| last.strip_prefix("ref:"));
            let is_xva =
                reference.is_some_and(|id| !id.is_empty() && id.bytes().all(|byte| byte.is_ascii_digit()));
            return is_xva.then_some((folder, Chunks::Xva));
        }
        let (stem, _) = self.lower.rsplit_once('.').filter(|(_, digits)| is_number(digits, OVF_DIGITS))?;
        (!stem.is_empty()).then_some((stem, Chunks::Ovf))
    }
}

/// The chunks of one file.
struct Whole {
    stem: String,
    /// The place of the file among the others: that of the chunk that comes first.
    place: usize,
    chunks: Vec<Chunk>,
}

struct Chunk {
    number: u64,
    size: u64,
    /// Where its bytes are, if they are stored as they are and in one piece.
    offset: Option<u64>,
}

impl Chunk {
    fn new(file: &File) -> Self {
        let digits = file.lower.rsplit(['.', '/']).next().unwrap_or_default();
        let is_plain = file.zip.is_none_or(|zip| zip.method == Method::Stored);
        Self {
            number: digits.parse().unwrap_or(u64::MAX),
            size: file.inside.size.unwrap_or(0),
            offset: file.map.as_ref().filter(|_| is_plain).and_then(|map| map.as_plain()),
        }
    }
}

/// Makes one file of those that an OVF or an XVA has split, in the place of the first.
pub(super) fn join_chunks(files: Vec<File>) -> Vec<File> {
    let mut joined = Vec::<File>::new();
    let mut whole = Vec::<Whole>::new();
    for mut file in files {
        let Some((stem, chunks)) = file.chunk().map(|(stem, chunks)| (stem.to_owned(), chunks)) else {
            joined.push(file);
            continue;
        };
        let chunk = Chunk::new(&file);
        file.chunks = Some(chunks);
        let suffix = match chunks {
            Chunks::Ovf => OVF_DIGITS + 1,
            Chunks::Xva => XVA_DIGITS + 1,
        };
        if let Some(known) = whole.iter_mut().find(|known| known.stem == stem) {
            known.chunks.push(chunk);
            continue;
        }
        whole.push(Whole { stem: stem.clone(), place: joined.len(), chunks: vec![chunk] });
        if let Some(name) = &mut file.inside.name {
            name.truncate(name.len().saturating_sub(suffix));
        }
        (file.lower, file.is_closed, file.map, file.zip) = (stem, true, None, None);
        joined.push(file);
    }
    for Whole { place, chunks, .. } in whole {
        if let Some(file) = joined.get_mut(place) {
            join(file, chunks);
        }
    }
    joined
}

/// Gives the file of which these are the chunks its size and its bytes, or the reason why it has none.
fn join(file: &mut File, chunks: Vec<Chunk>) {
    let count = chunks.len();
    if file.chunks == Some(Chunks::Xva) {
        // The chunks that are left out count, too.
        file.inside.size = None;
        file.inside.content = Content::NotLookedAt(format!(
            "a disk of an XVA in {count} chunks of 1 MiB: the chunks that are left out contain only zeros"
        ));
        return;
    }
    file.inside.size = chunks.iter().try_fold(0_u64, |sum, chunk| sum.checked_add(chunk.size));
    match map_of(chunks) {
        Ok(map) => {
            (file.inside.content, file.is_closed) = (Content::Nothing, false);
            file.map = Some(Arc::new(map));
        }
        Err(why) => {
            let what = format!("a file of an OVF in {count} chunks (.000000000 and up), of which {why}");
            file.inside.content = Content::NotLookedAt(what);
        }
    }
}

/// Where the bytes of the file are. All chunks must be there, once, and only the last one may be smaller than the others.
fn map_of(mut chunks: Vec<Chunk>) -> Result<SparseMap, String> {
    chunks.sort_by_key(|chunk| chunk.number);
    let size = chunks.first().map_or(0, |chunk| chunk.size);
    let last = chunks.len().saturating_sub(1);
    let (mut pieces, mut start) = (Vec::new(), 0_u64);
    for (index, chunk) in chunks.iter().enumerate() {
        let expected = index as u64;
        if chunk.number > expected {
            return Err(format!("number {expected} is missing"));
        }
        if chunk.number < expected {
            return Err(format!("number {} is there more than once", chunk.number));
        }
        if chunk.size > size || chunk.size < size && index < last {
            return Err(format!("number {index} has {} bytes, and the first has {size}", chunk.size));
        }
        let Some(offset) = chunk.offset else {
            return Err(format!("number {index} is not stored as it is"));
        };
        pieces.push(Stored { start, offset, length: chunk.size });
        start = start.saturating_add(chunk.size);
    }
    SparseMap::new(start, pieces).ok_or_else(|| "the sizes are too large".into())
}
