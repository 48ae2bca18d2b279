//! Writes hives for tests.

/// A key to be written.
#[derive(Default)]
pub(crate) struct Node {
    keys: Vec<(String, Node)>,
    pub(crate) values: Vec<(String, u32, Vec<u8>)>,
}

impl Node {
    pub(crate) fn at(&mut self, path: &str) -> &mut Self {
        path.split('\\').filter(|name| !name.is_empty()).fold(self, |node, name| {
            let index = node.keys.iter().position(|(found, _)| found == name).unwrap_or_else(|| {
                node.keys.push((name.to_owned(), Self::default()));
                node.keys.len() - 1
            });
            &mut node.keys[index].1
        })
    }

    pub(crate) fn text(&mut self, path: &str, name: &str, text: &str) -> &mut Self {
        self.at(path).values.push((name.into(), 1, utf16(&format!("{text}\0"))));
        self
    }

    pub(crate) fn number(&mut self, path: &str, name: &str, number: u32) -> &mut Self {
        self.at(path).values.push((name.into(), 4, number.to_le_bytes().to_vec()));
        self
    }
}

pub(crate) fn utf16(text: &str) -> Vec<u8> {
    text.encode_utf16().flat_map(u16::to_le_bytes).collect()
}

/// Writes a hive with one bin. `list` is the kind of list that keys have.
pub(crate) fn hive(root: &Node, list: &[u8; 2]) -> Vec<u8> {
    let mut data = vec![0; 32];
    data[..4].copy_from_slice(b"hbin");
    // All keys share one security descriptor, which is the only one in a ring.
    let security = [
        b"sk\0\0".as_slice(),
        &[32, 0, 0, 0, 32, 0, 0, 0],
        &100_u32.to_le_bytes(),
        &20_u32.to_le_bytes(),
        &[0; 20],
    ];
    cell(&mut data, &security.concat());
    let root = key(&mut data, root, "ROOT", list);
    // What is left of the bin is a cell that is not in use.
    let end = (data.len() + 8).next_multiple_of(4096);
    let free = i32::try_from(end - data.len()).unwrap();
    data.extend(free.to_le_bytes());
    data.resize(end, 0);
    data[8..12].copy_from_slice(&u32::try_from(end).unwrap().to_le_bytes());
    let mut file = vec![0; 4096];
    file[..4].copy_from_slice(b"regf");
    for at in [4, 8] {
        file[at..at + 4].copy_from_slice(&7_u32.to_le_bytes());
    }
    // Version 1.3, a primary file, in memory format.
    for (at, number) in [(20, 1_u32), (24, 3), (32, 1)] {
        file[at..at + 4].copy_from_slice(&number.to_le_bytes());
    }
    file[36..40].copy_from_slice(&root.to_le_bytes());
    file[40..44].copy_from_slice(&u32::try_from(data.len()).unwrap().to_le_bytes());
    seal(&mut file);
    file.extend(data);
    file
}

/// Writes the checksum of a header.
pub(crate) fn seal(file: &mut [u8]) {
    let sum = file[..508].as_chunks().0.iter().fold(0, |sum, word| sum ^ u32::from_le_bytes(*word));
    file[508..512].copy_from_slice(&sum.to_le_bytes());
}

fn cell(data: &mut Vec<u8>, content: &[u8]) -> u32 {
    let at = u32::try_from(data.len()).unwrap();
    let size = (content.len() + 4).next_multiple_of(8);
    data.extend((-i32::try_from(size).unwrap()).to_le_bytes());
    data.extend_from_slice(content);
    data.resize(usize::try_from(at).unwrap() + size, 0);
    at
}

fn key(data: &mut Vec<u8>, node: &Node, name: &str, list: &[u8; 2]) -> u32 {
    let keys = node.keys.iter().map(|(name, node)| key(data, node, name, list)).collect::<Vec<_>>();
    let values = node.values.iter().map(|(name, kind, bytes)| {
        let mut cell_bytes = [b"vk".as_slice(), &u16::try_from(name.len()).unwrap().to_le_bytes()].concat();
        let length = u32::try_from(bytes.len()).unwrap();
        if bytes.len() <= 4 {
            let mut inline = bytes.clone();
            inline.resize(4, 0);
            cell_bytes.extend((length | 1 << 31).to_le_bytes());
            cell_bytes.extend(inline);
        } else {
            let at = cell(data, bytes);
            cell_bytes.extend(length.to_le_bytes());
            cell_bytes.extend(at.to_le_bytes());
        }
        cell_bytes.extend(kind.to_le_bytes());
        cell_bytes.extend([1, 0, 0, 0]);
        cell_bytes.extend_from_slice(name.as_bytes());
        cell(data, &cell_bytes)
    });
    let values = values.collect::<Vec<_>>();
    let values_at = cell(data, &values.iter().flat_map(|at| at.to_le_bytes()).collect::<Vec<_>>());
    let entries = |keys: &[u32], kind: &[u8]| {
        let width = if kind == b"li" || kind == b"ri" { 4 } else { 8 };
        let mut bytes = [kind, &u16::try_from(keys.len()).unwrap().to_le_bytes()].concat();
        for at in keys {
            bytes.extend(at.to_le_bytes());
            bytes.resize(bytes.len() + width - 4, 0);
        }
        bytes
    };
    let list_at = if list == b"ri" {
        let halves = keys.chunks(2).map(|half| cell(data, &entries(half, b"li"))).collect::<Vec<_>>();
        cell(data, &entries(&halves, b"ri"))
    } else {
        cell(data, &entries(&keys, list))
    };
    let mut nk = vec![0; 76];
    nk[..2].copy_from_slice(b"nk");
    nk[2] = 0x20;
    for (at, number) in [
        (20, u32::try_from(keys.len()).unwrap()),
        (28, list_at),
        (36, u32::try_from(values.len()).unwrap()),
        (40, values_at),
        (44, 32),
        (48, u32::MAX),
    ] {
        nk[at..at + 4].copy_from_slice(&number.to_le_bytes());
    }
    nk[72..74].copy_from_slice(&u16::try_from(name.len()).unwrap().to_le_bytes());
    nk.extend_from_slice(name.as_bytes());
    let at = cell(data, &nk);
    for key in keys {
        let parent = usize::try_from(key).unwrap() + 20;
        data[parent..parent + 4].copy_from_slice(&at.to_le_bytes());
    }
    at
}
