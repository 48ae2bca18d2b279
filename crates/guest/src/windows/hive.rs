//! Hives of the registry, read in place: only the cells on the way to a key are read.
//!
//! The crate notatin reads hives, too: it keeps the whole file in memory and needs crates for terminals, async I/O and time zones.
//! nt-hive is GPL. Source: "Windows registry file format specification" by M. Suhanov.

use std::io;

use crate::initramfs::ArchiveFile;
use crate::windows::bytes::{u16_at, u32_at};
use crate::windows::log;

/// Bytes before the first bin.
pub(super) const BASE_BLOCK: u64 = 4096;
/// Most bytes of a cell that are read; larger values are kept in several cells.
const CELL_MAX: u32 = 1 << 20;
/// Most keys of a list, and most values of a key, that are looked through.
const LIST_MAX: usize = 16_384;
/// How deep lists of keys lie in each other at most; Windows makes two levels.
const LIST_DEPTH: usize = 4;
/// Most bytes of a value.
const VALUE_MAX: usize = 64 << 10;
/// Bytes of a part of a large value.
const PART: usize = 16_344;

/// A hive.
pub struct Hive<'f> {
    file: &'f dyn ArchiveFile,
    root: u32,
    /// Pages that the logs have newer, by offset in the hive's data.
    pages: log::Pages,
}

/// A key of a hive.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Key {
    name: String,
    keys: (u32, u32),
    values: (u32, u32),
}

/// A value of a key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Value {
    /// The name; empty for the default value.
    pub name: String,
    /// The type: 1 string, 2 string with variables, 3 bytes, 4 number of 32 bits, 7 list of strings, 11 number of 64 bits.
    pub kind: u32,
    /// The bytes, at most 64 KiB.
    pub bytes: Vec<u8>,
}

impl Value {
    /// A number of 32 bits.
    pub fn number(&self) -> Option<u32> {
        (self.kind == 4).then(|| self.bytes.first_chunk().map(|bytes| u32::from_le_bytes(*bytes))).flatten()
    }

    /// A string, or the first of a list.
    pub fn text(&self) -> Option<String> {
        matches!(self.kind, 1 | 2 | 7).then(|| utf16(&self.bytes))
    }

    /// The strings of a list, or the one string.
    pub fn texts(&self) -> Vec<String> {
        match self.kind {
            7 => {
                let units =
                    self.bytes.as_chunks().0.iter().map(|unit| u16::from_le_bytes(*unit)).collect::<Vec<_>>();
                let parts = units.split(|unit| *unit == 0).filter(|part| !part.is_empty());
                parts.take(64).map(|part| crate::text::name(&String::from_utf16_lossy(part))).collect()
            }
            _ => self.text().into_iter().collect(),
        }
    }
}

impl<'f> Hive<'f> {
    /// Opens a hive. If it was not written to its end, what its logs have newer is put over it in memory.
    ///
    /// # Errors
    ///
    /// The reason why it can't be read.
    pub fn open(file: &'f dyn ArchiveFile, logs: &[&dyn ArchiveFile]) -> Result<Self, String> {
        let base =
            log::read_base(file).map_err(|error| format!("the registry hive can't be read: {error}"))?;
        let base = base.ok_or("the file is no registry hive, or its header is damaged")?;
        let pages = if base.is_clean() {
            log::Pages::default()
        } else {
            log::newer_pages(base, logs).ok_or(
                "the registry hive was not written to its end, and its transaction logs have not what is missing",
            )?
        };
        Ok(Self { file, root: base.root, pages })
    }

    /// The key at a path of names, which are compared without regard to case; `None` if there is none.
    ///
    /// # Errors
    ///
    /// The reason why that can't be told.
    pub fn key(&self, path: &str) -> Result<Option<Key>, String> {
        let mut key = self.root_key()?;
        for name in path.split('\\').filter(|name| !name.is_empty()) {
            match self.child(&key, name)? {
                Some(child) => key = child,
                None => return Ok(None),
            }
        }
        Ok(Some(key))
    }

    fn root_key(&self) -> Result<Key, String> {
        self.read_key(self.root)
    }

    /// A value of the key at a path; `None` if there is no such key or value.
    ///
    /// # Errors
    ///
    /// The reason why that can't be told.
    pub fn value(&self, path: &str, name: &str) -> Result<Option<Value>, String> {
        match self.key(path)? {
            Some(key) => self.value_of(&key, name),
            None => Ok(None),
        }
    }

    /// A value of a key.
    ///
    /// # Errors
    ///
    /// The reason why that can't be told.
    pub fn value_of(&self, key: &Key, name: &str) -> Result<Option<Value>, String> {
        let (count, list) = key.values;
        if count == 0 {
            return Ok(None);
        }
        let cells = self.cell(list)?;
        let offsets = cells.as_chunks().0.iter().map(|bytes| u32::from_le_bytes(*bytes));
        let count = usize::try_from(count).unwrap_or(LIST_MAX).min(LIST_MAX);
        for offset in offsets.take(count) {
            let cell = self.cell(offset)?;
            let (found, is_ascii) = (value_name(&cell), name.is_ascii());
            let found = found.ok_or("a value of the registry is damaged")?;
            if found.eq_ignore_ascii_case(name) && is_ascii {
                return self.content(&cell, found).map(Some);
            }
        }
        Ok(None)
    }

    /// The names of a key's keys, at most 4096.
    ///
    /// # Errors
    ///
    /// The reason why they can't be told.
    pub fn names(&self, key: &Key) -> Result<Vec<String>, String> {
        let mut names = Vec::new();
        self.each_child(key, &mut |child| {
            names.push(child.name.clone());
            names.len() >= 4096
        })?;
        Ok(names)
    }

    /// A key of a key.
    ///
    /// # Errors
    ///
    /// The reason why that can't be told.
    pub fn child(&self, key: &Key, name: &str) -> Result<Option<Key>, String> {
        let mut found = None;
        self.each_child(key, &mut |child| {
            let fits = child.name.eq_ignore_ascii_case(name);
            if fits {
                found = Some(child.clone());
            }
            fits
        })?;
        Ok(found)
    }

    /// Hands over each key of a key until `each` says that it has enough.
    fn each_child(&self, key: &Key, each: &mut dyn FnMut(&Key) -> bool) -> Result<(), String> {
        let (count, list) = key.keys;
        if count == 0 {
            return Ok(());
        }
        let mut left = LIST_MAX;
        self.walk_list(list, LIST_DEPTH, &mut left, each).map(|_| ())
    }

    fn walk_list(
        &self,
        offset: u32,
        depth: usize,
        left: &mut usize,
        each: &mut dyn FnMut(&Key) -> bool,
    ) -> Result<bool, String> {
        if depth == 0 {
            return Err("lists of the registry are nested too deeply".into());
        }
        let cell = self.cell(offset)?;
        let damaged = || "a list of keys in the registry is damaged".to_owned();
        let count = usize::from(u16_at(&cell, 2).ok_or_else(damaged)?);
        let rest = cell.get(4..).unwrap_or_default();
        let width = match cell.get(..2) {
            Some(b"lf" | b"lh") => 8,
            Some(b"li" | b"ri") => 4,
            _ => return Err(damaged()),
        };
        for entry in rest.chunks_exact(width).take(count) {
            let offset = u32_at(entry, 0).ok_or_else(damaged)?;
            *left = left.checked_sub(1).ok_or("a key of the registry has too many keys")?;
            let ends = if cell.starts_with(b"ri") {
                self.walk_list(offset, depth - 1, left, each)?
            } else {
                each(&self.read_key(offset)?)
            };
            if ends {
                return Ok(true);
            }
        }
        Ok(false)
    }

    fn read_key(&self, offset: u32) -> Result<Key, String> {
        let cell = self.cell(offset)?;
        let key = || {
            if !cell.starts_with(b"nk") {
                return None;
            }
            let length = usize::from(u16_at(&cell, 72)?);
            let name = cell.get(76..)?.get(..length)?;
            // A flag tells whether the name has one byte for each character.
            let name = if u16_at(&cell, 2)? & 0x20 != 0 { latin1(name) } else { utf16(name) };
            Some(Key {
                name,
                keys: (u32_at(&cell, 20)?, u32_at(&cell, 28)?),
                values: (u32_at(&cell, 36)?, u32_at(&cell, 40)?),
            })
        };
        key().ok_or_else(|| "a key of the registry is damaged".into())
    }

    fn content(&self, cell: &[u8], name: String) -> Result<Value, String> {
        let damaged = || "a value of the registry is damaged".to_owned();
        let (size, at, kind) = match (u32_at(cell, 4), u32_at(cell, 8), u32_at(cell, 12)) {
            (Some(size), Some(at), Some(kind)) => (size, at, kind),
            _ => return Err(damaged()),
        };
        // The highest bit: up to four bytes in place of the offset.
        if size >> 31 != 0 {
            let length = usize::try_from(size & 0x7fff_ffff).unwrap_or(0).min(4);
            let bytes = cell.get(8..).and_then(|rest| rest.get(..length)).unwrap_or_default().to_vec();
            return Ok(Value { name, kind, bytes });
        }
        let size = usize::try_from(size).unwrap_or(usize::MAX).min(VALUE_MAX);
        if size == 0 {
            return Ok(Value { name, kind, bytes: Vec::new() });
        }
        let data = self.cell(at)?;
        if size > PART && data.starts_with(b"db") {
            return self.large(&data, size).map(|bytes| Value { name, kind, bytes });
        }
        let bytes = data.get(..size).ok_or_else(damaged)?.to_vec();
        Ok(Value { name, kind, bytes })
    }

    /// A value that is kept in several cells.
    fn large(&self, cell: &[u8], size: usize) -> Result<Vec<u8>, String> {
        let damaged = || "a large value of the registry is damaged".to_owned();
        let count = usize::from(u16_at(cell, 2).ok_or_else(damaged)?);
        let list = self.cell(u32_at(cell, 4).ok_or_else(damaged)?)?;
        let mut bytes = Vec::new();
        for offset in list.as_chunks().0.iter().take(count).map(|bytes| u32::from_le_bytes(*bytes)) {
            let part = self.cell(offset)?;
            let wanted = (size - bytes.len()).min(PART);
            bytes.extend_from_slice(part.get(..wanted).ok_or_else(damaged)?);
            if bytes.len() >= size {
                return Ok(bytes);
            }
        }
        Err(damaged())
    }

    /// The content of a cell.
    fn cell(&self, offset: u32) -> Result<Vec<u8>, String> {
        let mut size = [0; 4];
        self.read(&mut size, offset)?;
        // A cell in use has its size as a negative number.
        let size = i32::from_le_bytes(size).checked_neg().and_then(|size| u32::try_from(size).ok());
        let size = size.filter(|size| *size > 4).ok_or("a cell of the registry is not in use")?;
        if size > CELL_MAX {
            return Err("a cell of the registry is too large".into());
        }
        let mut bytes = vec![0; usize::try_from(size - 4).unwrap_or(0)];
        self.read(&mut bytes, offset.checked_add(4).ok_or("a cell lies outside of the registry")?)?;
        Ok(bytes)
    }

    fn read(&self, buf: &mut [u8], offset: u32) -> Result<(), String> {
        let failed = |error: io::Error| format!("the registry hive can't be read: {error}");
        let count = self.file.read_at(buf, BASE_BLOCK + u64::from(offset)).map_err(failed)?;
        // What lies behind the file's end may be in a log.
        let wanted = buf.len();
        buf.get_mut(count..).unwrap_or_default().fill(0);
        let covered = self.pages.lay_over(buf, offset);
        if count < wanted && !covered {
            return Err("a cell lies outside of the registry hive".into());
        }
        Ok(())
    }
}

fn value_name(cell: &[u8]) -> Option<String> {
    if !cell.starts_with(b"vk") {
        return None;
    }
    let length = usize::from(u16_at(cell, 2)?);
    let name = cell.get(20..)?.get(..length)?;
    Some(if u16_at(cell, 16)? & 1 != 0 { latin1(name) } else { utf16(name) })
}

fn latin1(bytes: &[u8]) -> String {
    bytes.iter().take(512).map(|byte| char::from(*byte)).collect()
}

/// UTF-16 up to a NUL, at most 2048 units.
fn utf16(bytes: &[u8]) -> String {
    let units = bytes
        .as_chunks()
        .0
        .iter()
        .map(|unit| u16::from_le_bytes(*unit))
        .take_while(|unit| *unit != 0)
        .take(2048);
    char::decode_utf16(units).map(|c| c.unwrap_or(char::REPLACEMENT_CHARACTER)).collect()
}
