//! Reading back what `--manifest` wrote, and lists of `sha256sum`.

use std::path::PathBuf;

use imsprep_source::path_from_bytes;

use super::checksum_list;

/// A file that a manifest lists.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Listed {
    pub(crate) path: PathBuf,
    /// A list of `sha256sum` has no sizes.
    pub(crate) size: Option<u64>,
    pub(crate) sha256: [u8; 32],
}

/// Most files of a manifest.
const FILES: usize = 1_000_000;

#[derive(serde::Deserialize)]
struct Manifest {
    schema: String,
    version: u64,
    images: Vec<Image>,
}

#[derive(serde::Deserialize)]
struct Image {
    #[serde(flatten)]
    file: File,
    bitmap: Option<File>,
}

#[derive(serde::Deserialize)]
struct File {
    path: String,
    path_bytes: Option<String>,
    size: u64,
    sha256: String,
}

/// The files that a manifest lists, in its order: the document of `--manifest`, or lines of `sha256sum`.
///
/// # Errors
///
/// What is wrong with it, in words.
pub(crate) fn read(bytes: &[u8]) -> Result<Vec<Listed>, String> {
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    let listed = if bytes.trim_ascii_start().starts_with(b"{") { document(bytes) } else { lines(bytes) }?;
    match listed.len() {
        0 => Err("lists no file".into()),
        1..=FILES => Ok(listed),
        _ => Err(format!("lists more than {FILES} files")),
    }
}

fn document(bytes: &[u8]) -> Result<Vec<Listed>, String> {
    let manifest = serde_json::from_slice::<Manifest>(bytes)
        .map_err(|error| format!("is not a manifest of imsprep: {error}"))?;
    if manifest.schema != "imsprep.manifest" {
        return Err(format!("is a document {:?}, not a manifest (imsprep.manifest)", manifest.schema));
    }
    if manifest.version != 1 {
        return Err(format!(
            "is version {} of a manifest; this imsprep supports version 1",
            manifest.version
        ));
    }
    let files = manifest.images.into_iter().flat_map(|image| [Some(image.file), image.bitmap]);
    files.flatten().map(File::listed).collect()
}

impl File {
    fn listed(self) -> Result<Listed, String> {
        let sha256 = checksum_list::hash(&self.sha256);
        let sha256 = sha256.ok_or_else(|| format!("the sha256 of {:?} is not a SHA-256", self.path))?;
        let path = match self.path_bytes {
            None => Some(PathBuf::from(&self.path)),
            Some(digits) => bytes_of(&digits).and_then(path_from_bytes),
        };
        let path = path.ok_or_else(|| format!("the path_bytes of {:?} are not a path", self.path))?;
        Ok(Listed { path, size: Some(self.size), sha256 })
    }
}

fn bytes_of(digits: &str) -> Option<Vec<u8>> {
    let is_hex = digits.len().is_multiple_of(2) && digits.bytes().all(|digit| digit.is_ascii_hexdigit());
    let pairs = (0..digits.len()).step_by(2).map(|at| u8::from_str_radix(digits.get(at..at + 2)?, 16).ok());
    if is_hex { pairs.collect() } else { None }
}

fn lines(bytes: &[u8]) -> Result<Vec<Listed>, String> {
    let mut listed = Vec::new();
    for (number, line) in bytes.split(|byte| *byte == b'\n').enumerate() {
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        if line.trim_ascii().is_empty() || line.starts_with(b"#") {
            continue;
        }
        let found = checksum_list::read(line)
            .and_then(|(sha256, name)| Some(Listed { path: path_from_bytes(name)?, size: None, sha256 }));
        let what = "is neither JSON of --manifest nor a line of sha256sum";
        listed.push(found.ok_or_else(|| format!("line {} {what}", number + 1))?);
    }
    Ok(listed)
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEX: &str = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

    #[test]
    fn both_forms_are_read_in_order() {
        let listed =
            |path: &str, size| Listed { path: path.into(), size, sha256: checksum_list::hash(HEX).unwrap() };
        let list = format!("# a comment\n{HEX}  a.raw\r\n\n{HEX} *b\n");
        assert_eq!(read(list.as_bytes()).unwrap(), [listed("a.raw", None), listed("b", None)]);
        let file = |path: &str| format!(r#""path":"{path}","key":null,"size":7,"sha256":"{HEX}""#);
        let json = format!(
            r#"{{"schema":"imsprep.manifest","version":1,"images":[{{{},"format":"raw","bitmap":{{{}}}}},{{{},"bitmap":null}}]}}"#,
            file("a.raw"),
            file("a.mf"),
            file("b.zvhd2")
        );
        let expected = ["a.raw", "a.mf", "b.zvhd2"].map(|path| listed(path, Some(7)));
        assert_eq!(read(json.as_bytes()).unwrap(), expected);
        for (bad, why) in [
            (String::new(), "lists no file"),
            ("disk.raw".into(), "line 1 is neither"),
            ("{}".into(), "is not a manifest"),
            (json.replace("imsprep.manifest", "imsprep.check"), "is a document"),
            (json.replace(":1,", ":2,"), "is version 2"),
            (json.replace(HEX, "abc"), "is not a SHA-256"),
        ] {
            let error = read(bad.as_bytes()).unwrap_err();
            assert!(error.contains(why), "{bad}: {error}");
        }
    }

    #[test]
    fn what_was_altered_is_read_or_refused() {
        let list = format!("\\{HEX}  a\\nb\n{HEX} *c");
        let json = format!(
            r#"{{"schema":"imsprep.manifest","version":1,"images":[{{"path":"a","path_bytes":"61ff","size":7,"sha256":"{HEX}","bitmap":null}}]}}"#
        );
        assert_eq!(read(json.as_bytes()).is_ok(), cfg!(unix));
        for text in [list, json] {
            for place in 0..text.len() {
                for byte in [0, b' ', b'"', b'\\', b'\n', b'0', 0xff] {
                    let mut bytes = text.clone().into_bytes();
                    bytes[place] = byte;
                    let _ = read(&bytes);
                }
                let _ = read(&text.as_bytes()[..place]);
            }
        }
    }
}
