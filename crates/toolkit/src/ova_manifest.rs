//! The manifest of an OVA: whether its members are those that it was made of.
//!
//! Source: DMTF DSP0243, Open Virtualization Format, 5.1: a line `SHA256(name)= HEX` for each file.

use std::collections::BTreeMap;

use imsprep_detect::{ArchiveFile, look_into_tar};
use imsprep_formats::Slice;
use imsprep_source::{ImageFile, ReadAt, SparseMap, Stage, Work};
use sha1::Sha1;
use sha2::{Digest, Sha256, Sha512};

use crate::archive::read_small;
use crate::checksum::{ListLine, bsd_line};
use crate::{Error, OpenedImage, Result};

/// Bytes of a manifest that is read; a line has some hundred.
const MOST: u64 = 1 << 20;
/// Most bytes of a member that is not stored as it is, and can be much larger than the archive.
const SPARSE_MOST: u64 = 2 << 40;
/// Characters of a name that are shown.
const NAME_MAX: usize = 255;
/// What is read and hashed at once.
const PIECE: usize = 1 << 20;

/// A manifest whose digests were compared with the members of the archive.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OvaManifest {
    /// The name of its file.
    pub name: String,
    /// Members that have the digests that it lists.
    pub verified: Vec<String>,
    /// What was not compared, and why.
    pub not_checked: Vec<(String, String)>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Algorithm {
    Sha1,
    Sha256,
    Sha512,
}

impl Algorithm {
    fn named(name: &str) -> Option<Self> {
        Some(match name.to_ascii_uppercase().replace('-', "").as_str() {
            "SHA1" => Self::Sha1,
            "SHA256" => Self::Sha256,
            "SHA512" => Self::Sha512,
            _ => return None,
        })
    }

    /// Hexadecimal digits of a digest.
    fn digits(self) -> usize {
        match self {
            Self::Sha1 => 40,
            Self::Sha256 => 64,
            Self::Sha512 => 128,
        }
    }

    fn title(self) -> &'static str {
        match self {
            Self::Sha1 => "SHA-1",
            Self::Sha256 => "SHA-256",
            Self::Sha512 => "SHA-512",
        }
    }
}

/// Compares the members of an OVA with the digests of its manifest. `None` if it is no OVA, or has no manifest.
///
/// # Errors
///
/// [`Error::WrongDigest`] with the first member that differs; what reading brings; a stop.
pub(crate) fn verify_manifest(image: &OpenedImage, work: Work<'_>) -> Result<Option<OvaManifest>> {
    // What is wrong with the archive itself is reported by the rules.
    if !image.is_archive() || image.refuse_unless_archive_is_readable().is_err() {
        return Ok(None);
    }
    let content = image.content();
    let files = look_into_tar(content)?.files;
    let has = |extension| files.iter().find(|file| file.has_extension(extension));
    let (Some(_), Some(manifest)) = (has("ovf"), has("mf")) else { return Ok(None) };
    let mut found = OvaManifest { name: shown(manifest), verified: Vec::new(), not_checked: Vec::new() };
    let Some(bytes) = read_small(content, manifest, MOST)? else {
        found.skip(&shown(manifest), "it has more than 1 MiB, or is stored as a sparse file");
        return Ok(Some(found));
    };
    let listed = found.read(&String::from_utf8_lossy(&bytes), &files);
    for (file, digests) in files.iter().enumerate().filter_map(|(n, file)| Some((file, listed.get(&n)?))) {
        found.compare(image, content, file, digests, work)?;
    }
    if has("cert").is_some() {
        found.skip("the signature of the manifest", "imsprep does not verify certificates");
    }
    Ok(Some(found))
}

/// The name of a file, fit for a message.
fn shown(file: &ArchiveFile) -> String {
    file.short_name()
}

/// Digests of one file.
type Digests = BTreeMap<Algorithm, String>;

impl OvaManifest {
    /// Lists this member as not checked unless it was compared.
    pub(crate) fn miss(&mut self, name: &str) {
        let mut known = self.verified.iter().chain(self.not_checked.iter().map(|(what, _)| what));
        if !known.any(|known| known == name) {
            self.skip(name, "the manifest does not list it");
        }
    }

    fn skip(&mut self, what: &str, why: &str) {
        // A hostile manifest may have many lines.
        const MOST: usize = 32;
        if self.not_checked.len() < MOST {
            self.not_checked.push((what.to_owned(), why.to_owned()));
        }
    }

    /// The digests that each member must have, by its place in the archive.
    fn read(&mut self, text: &str, files: &[ArchiveFile]) -> BTreeMap<usize, Digests> {
        let mut listed = BTreeMap::<usize, Digests>::new();
        let places = files.iter().enumerate().map(|(place, file)| (plain(&file.name), place));
        let mut by_name = BTreeMap::<Vec<u8>, Vec<usize>>::new();
        places.for_each(|(name, place)| by_name.entry(name).or_default().push(place));
        for line in text.lines().map(str::trim).filter(|line| !line.is_empty()) {
            let Some(ListLine { algorithm, name, digits }) = bsd_line(line) else {
                self.skip("a line of the manifest", "it is not a digest of a file");
                continue;
            };
            let places = by_name.get(plain(name.as_bytes()).as_slice());
            let Some(places) = places else {
                self.skip(&name.chars().take(NAME_MAX).collect::<String>(), "the archive has no such file");
                continue;
            };
            let is_hex = digits.bytes().all(|digit| digit.is_ascii_hexdigit());
            let algorithm =
                Algorithm::named(algorithm).filter(|known| is_hex && digits.len() == known.digits());
            for place in places {
                match algorithm {
                    Some(algorithm) => {
                        listed.entry(*place).or_default().insert(algorithm, digits.to_ascii_lowercase());
                    }
                    None => {
                        let name = files.get(*place).map(shown).unwrap_or_default();
                        self.skip(&name, "the manifest has no SHA-1, SHA-256 or SHA-512 of it");
                    }
                }
            }
        }
        listed
    }

    fn compare(
        &mut self,
        image: &OpenedImage,
        content: &ImageFile,
        file: &ArchiveFile,
        digests: &Digests,
        work: Work<'_>,
    ) -> Result<()> {
        let name = shown(file);
        let Some(map) = &file.map else {
            self.skip(&name, "where it is in the archive is not known");
            return Ok(());
        };
        if SparseMap::as_plain(map).is_none() && file.size > SPARSE_MOST {
            self.skip(&name, "it is stored as a sparse file of more than 2 TiB");
            return Ok(());
        }
        let end = || imsprep_source::Error::UnexpectedEnd {
            path: content.path().to_owned(),
            offset: map.end_in_source(),
        };
        let bytes = Slice::mapped(content, std::sync::Arc::clone(map)).ok_or_else(end)?;
        for (algorithm, found) in hash(&bytes, digests, work)? {
            let expected = digests.get(&algorithm).cloned().unwrap_or_default();
            if found != expected {
                return Err(Error::WrongDigest {
                    path: image.path().to_owned(),
                    member: name,
                    manifest: self.name.clone(),
                    algorithm: algorithm.title(),
                    expected,
                    found,
                });
            }
        }
        self.verified.push(name);
        Ok(())
    }
}

/// A name without a folder that says nothing.
fn plain(name: &[u8]) -> Vec<u8> {
    name.strip_prefix(b"./").unwrap_or(name).to_vec()
}

/// The digests of all bytes, by the algorithms that are asked for; they are read once.
fn hash(bytes: &dyn ReadAt, asked: &Digests, work: Work<'_>) -> Result<Digests> {
    let mut sha1 = asked.contains_key(&Algorithm::Sha1).then(Sha1::new);
    let mut sha256 = asked.contains_key(&Algorithm::Sha256).then(Sha256::new);
    let mut sha512 = asked.contains_key(&Algorithm::Sha512).then(Sha512::new);
    let stage = Stage::begin(work.progress, "comparing with the manifest", bytes.size());
    let mut buffer = vec![0; PIECE];
    let mut at = 0;
    while at < bytes.size() {
        work.cancel.check()?;
        let length = usize::try_from(bytes.size() - at).unwrap_or(PIECE).min(PIECE);
        let piece = buffer.get_mut(..length).unwrap_or_default();
        bytes.read_at(piece, at)?;
        sha1.iter_mut().for_each(|hash| hash.update(&*piece));
        sha256.iter_mut().for_each(|hash| hash.update(&*piece));
        sha512.iter_mut().for_each(|hash| hash.update(&*piece));
        at += length as u64;
        stage.advance(length as u64);
    }
    let hex = |bytes: &[u8]| bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>();
    let sha1 = sha1.map(|hash| (Algorithm::Sha1, hex(&hash.finalize())));
    let sha256 = sha256.map(|hash| (Algorithm::Sha256, hex(&hash.finalize())));
    let sha512 = sha512.map(|hash| (Algorithm::Sha512, hex(&hash.finalize())));
    Ok([sha1, sha256, sha512].into_iter().flatten().collect())
}
