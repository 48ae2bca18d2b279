//! The manifest of an OVA, or beside an OVF: whether the files are those that it was made of.
//!
//! Source: DMTF DSP0243, Open Virtualization Format, 5.1: a line `SHA256(name)= HEX` for each file.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::fs::File;
use std::io::Read as _;
use std::path::{Path, PathBuf};

use imsprep_detect::{Format, OVF_MAX, Ovf, OvfDisk, look_into_tar};
use imsprep_formats::Slice;
use imsprep_source::{MemoryImage, ReadAt, Stage, Work};
use sha1::Sha1;
use sha2::{Digest, Sha256, Sha512};

use crate::archive::{read_small, refers_to, slice};
use crate::checksum::{ListLine, bsd_line};
use crate::{DigestMismatch, Error, OpenedImage, Result};

/// Bytes of a manifest that is read; a line has some hundred.
const MOST: u64 = 1 << 20;
/// Most bytes of a member that is not stored as it is, and can be much larger than the archive.
const SPARSE_MOST: u64 = 2 << 40;
/// Files beside a disk, and descriptors among them, that are looked at.
const ENTRIES_MAX: usize = 10_000;
const DESCRIPTORS_MAX: usize = 16;
/// Characters of a name that are shown.
const NAME_MAX: usize = 255;
/// What is read and hashed at once.
const PIECE: usize = 1 << 20;

/// A manifest whose digests were compared with the files of an OVF: the members of an OVA, or the descriptor and the disk beside it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OvaManifest {
    /// The name of its file.
    pub name: String,
    /// Files that have the digests that it lists.
    pub verified: Vec<String>,
    /// What was not compared, and why.
    pub not_checked: Vec<(String, String)>,
    /// Whether it also lists files that are not looked at.
    is_partial: bool,
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

/// A file that a manifest may list.
struct ListedFile<'a> {
    name: Vec<u8>,
    /// The name, fit for a message.
    shown: String,
    /// Its bytes, or why they are not compared.
    bytes: std::result::Result<Box<dyn ReadAt + 'a>, &'static str>,
}

/// Compares the members of an OVA, or a VMDK and the descriptor beside it that names it, with the digests of the manifest. `None` if there is
/// no descriptor, or no manifest.
///
/// # Errors
///
/// [`Error::WrongDigest`] with the first file that differs; what reading brings; a stop.
pub(crate) fn verify_manifest(image: &OpenedImage, work: Work<'_>) -> Result<Option<OvaManifest>> {
    match image.format() {
        // What is wrong with the archive itself is reported by the rules.
        Format::Tar if image.refuse_unless_archive_is_readable().is_ok() => of_archive(image, work),
        Format::Vmdk if image.unpacked_from().is_none() => of_disk(image, work),
        _ => Ok(None),
    }
}

fn of_archive(image: &OpenedImage, work: Work<'_>) -> Result<Option<OvaManifest>> {
    let content = image.content();
    let files = look_into_tar(content)?.files;
    let has = |extension| files.iter().find(|file| file.has_extension(extension));
    let (Some(_), Some(manifest)) = (has("ovf"), has("mf")) else { return Ok(None) };
    let mut found = OvaManifest::named(manifest.short_name());
    let Some(bytes) = read_small(content, manifest, MOST)? else {
        found.skip(&manifest.short_name(), "it has more than 1 MiB, or is stored as a sparse file");
        return Ok(Some(found));
    };
    let listed = files.iter().map(|file| -> Result<_> {
        let bytes = match &file.map {
            None => Err("where it is in the archive is not known"),
            Some(map) if map.as_plain().is_none() && file.size > SPARSE_MOST => {
                Err("it is stored as a sparse file of more than 2 TiB")
            }
            Some(map) => Ok(Box::new(slice(content, map)?) as Box<dyn ReadAt + '_>),
        };
        Ok(ListedFile { name: file.name.clone(), shown: file.short_name(), bytes })
    });
    let listed = listed.collect::<Result<Vec<_>>>()?;
    found.compare_all(image.path(), &bytes, &listed, work)?;
    if has("cert").is_some() {
        found.skip(SIGNATURE, NO_CERTIFICATES);
    }
    Ok(Some(found))
}

/// What is not compared of a signed manifest, and why.
const SIGNATURE: &str = "the signature of the manifest";
const NO_CERTIFICATES: &str = "imsprep does not verify certificates";

/// A disk of an OVF that is not in an archive: the descriptor that names it, and the manifest of the same name, lie beside it.
fn of_disk(image: &OpenedImage, work: Work<'_>) -> Result<Option<OvaManifest>> {
    let Some(name) = image.path().file_name() else { return Ok(None) };
    let Some((ovf, descriptor)) = descriptor_beside(image.path(), &name.to_string_lossy()) else {
        return Ok(None);
    };
    let manifest = ovf.with_extension("mf");
    let Some(bytes) = read_file(&manifest, MOST) else { return Ok(None) };
    let text = |name: Option<&OsStr>| name.unwrap_or_default().to_string_lossy().into_owned();
    let file = |name: Option<&OsStr>, bytes| ListedFile {
        name: name.unwrap_or_default().as_encoded_bytes().to_vec(),
        shown: text(name),
        bytes: Ok(bytes),
    };
    let descriptor = MemoryImage::new(&ovf, descriptor);
    let disk = file(Some(name), Box::new(Slice::whole(image.file())) as Box<dyn ReadAt + '_>);
    let listed = [file(ovf.file_name(), Box::new(descriptor)), disk];
    let mut found = OvaManifest::named(text(manifest.file_name()));
    found.is_partial = true;
    found.compare_all(image.path(), &bytes, &listed, work)?;
    found.miss(&name.to_string_lossy());
    if manifest.with_extension("cert").exists() {
        found.skip(SIGNATURE, NO_CERTIFICATES);
    }
    Ok(Some(found))
}

/// The first descriptor, by name, in the folder of the disk that names it, with its bytes. Of what can't be read nothing is known.
fn descriptor_beside(path: &Path, name: &str) -> Option<(PathBuf, Vec<u8>)> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let entries = std::fs::read_dir(folder).ok()?.take(ENTRIES_MAX).flatten().map(|entry| entry.path());
    let is_ovf = |path: &PathBuf| path.extension().is_some_and(|end| end.eq_ignore_ascii_case("ovf"));
    let mut descriptors = entries.filter(is_ovf).collect::<Vec<_>>();
    descriptors.sort();
    descriptors.into_iter().take(DESCRIPTORS_MAX).find_map(|path| {
        let bytes = read_file(&path, OVF_MAX)?;
        let names = |disk: &OvfDisk| disk.file.as_deref().is_some_and(|file| refers_to(file, name));
        Ovf::parse(&bytes)?.disks.iter().any(names).then_some((path, bytes))
    })
}

/// The bytes of an ordinary file; `None` if it can't be read, or has more than `most`.
fn read_file(path: &Path, most: u64) -> Option<Vec<u8>> {
    let is_small = std::fs::metadata(path).is_ok_and(|found| found.is_file() && found.len() <= most);
    let mut bytes = Vec::new();
    let read = is_small.then(|| File::open(path).ok()?.take(most).read_to_end(&mut bytes).ok()).flatten();
    read.map(|_| bytes)
}

/// Digests of one file.
type Digests = BTreeMap<Algorithm, String>;

impl OvaManifest {
    fn named(name: String) -> Self {
        Self { name, verified: Vec::new(), not_checked: Vec::new(), is_partial: false }
    }

    /// Compares all files that the manifest lists.
    fn compare_all(
        &mut self,
        path: &Path,
        manifest: &[u8],
        files: &[ListedFile<'_>],
        work: Work<'_>,
    ) -> Result<()> {
        let listed = self.read(&String::from_utf8_lossy(manifest), files);
        for (file, digests) in files.iter().enumerate().filter_map(|(n, file)| Some((file, listed.get(&n)?)))
        {
            self.compare(path, file, digests, work)?;
        }
        Ok(())
    }

    /// Lists this member as not checked unless it, or the chunks that it is joined from, was compared.
    pub(crate) fn miss(&mut self, name: &str) {
        let mut known = self.verified.iter().chain(self.not_checked.iter().map(|(what, _)| what));
        let is_chunk = |known: &str| {
            let number = known.strip_prefix(name).and_then(|rest| rest.strip_prefix('.'));
            number.is_some_and(|number| number.bytes().all(|byte| byte.is_ascii_digit()))
        };
        if !known.any(|known| known == name || is_chunk(known)) {
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
    fn read(&mut self, text: &str, files: &[ListedFile<'_>]) -> BTreeMap<usize, Digests> {
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
                if !self.is_partial {
                    let name = name.chars().take(NAME_MAX).collect::<String>();
                    self.skip(&name, "the archive has no such file");
                }
                continue;
            };
            let is_hex = digits.bytes().all(|digit| digit.is_ascii_hexdigit());
            let algorithm =
                Algorithm::named(algorithm).filter(|known| is_hex && digits.len() == known.digits());
            for place in places {
                match algorithm {
                    Some(algorithm) => {
                        let digits = digits.to_ascii_lowercase();
                        let known = listed.entry(*place).or_default().entry(algorithm);
                        let known = known.or_insert_with(|| digits.clone());
                        if *known != digits && !known.contains(' ') {
                            // No file has both.
                            *known += &format!(" and {digits}");
                        }
                    }
                    None => {
                        let name = files.get(*place).map(|file| file.shown.clone()).unwrap_or_default();
                        self.skip(&name, "the manifest has no SHA-1, SHA-256 or SHA-512 of it");
                    }
                }
            }
        }
        listed
    }

    fn compare(
        &mut self,
        path: &Path,
        file: &ListedFile<'_>,
        digests: &Digests,
        work: Work<'_>,
    ) -> Result<()> {
        let bytes = match &file.bytes {
            Ok(bytes) => bytes,
            Err(why) => {
                self.skip(&file.shown, why);
                return Ok(());
            }
        };
        for (algorithm, found) in hash(&**bytes, digests, work)? {
            let expected = digests.get(&algorithm).cloned().unwrap_or_default();
            if found != expected {
                let mismatch = Box::new(DigestMismatch {
                    file: file.shown.clone(),
                    manifest: self.name.clone(),
                    algorithm: algorithm.title(),
                    expected,
                    found,
                });
                return Err(Error::WrongDigest { path: path.to_owned(), mismatch });
            }
        }
        self.verified.push(file.shown.clone());
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
