use std::io::{self, Cursor, Read, Write};

use imsprep_source::{DiskReader, Error, Extent, MemoryImage, ReadAt};
use proptest::prelude::*;

use super::super::protocol as nbd;
use super::Export;

/// What a client sends, and what it receives.
struct Client {
    sends: Cursor<Vec<u8>>,
    receives: Vec<u8>,
}

impl Read for Client {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        self.sends.read(buf)
    }
}

impl Write for Client {
    fn write(&mut self, buf: &[u8]) -> io::Result<usize> {
        self.receives.write(buf)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// A disk of which every other 64 KiB are a hole, with data that tells its place.
struct Striped(MemoryImage);

const STRIPE: u64 = 64 << 10;

impl Striped {
    fn new(size: usize) -> Self {
        let byte = |at: usize| {
            if (at as u64 / STRIPE).is_multiple_of(2) { u8::try_from(at % 251).unwrap() } else { 0 }
        };
        Self(MemoryImage::new("disk", (0..size).map(byte).collect::<Vec<_>>()))
    }
}

impl ReadAt for Striped {
    fn path(&self) -> &std::path::Path {
        self.0.path()
    }

    fn size(&self) -> u64 {
        self.0.size()
    }

    fn read_at(&self, buf: &mut [u8], offset: u64) -> imsprep_source::Result<()> {
        self.0.read_at(buf, offset)
    }
}

impl DiskReader for Striped {
    fn data_from(&self, offset: u64) -> imsprep_source::Result<Option<Extent>> {
        let start = if (offset / STRIPE).is_multiple_of(2) { offset } else { (offset / STRIPE + 1) * STRIPE };
        let end = ((start / STRIPE + 1) * STRIPE).min(self.size());
        Ok((start < self.size()).then_some(Extent { start, end }))
    }
}

fn option(number: u32, data: &[u8]) -> Vec<u8> {
    let length = u32::try_from(data.len()).unwrap();
    [&nbd::OPTION_MAGIC.to_be_bytes()[..], &number.to_be_bytes(), &length.to_be_bytes(), data].concat()
}

fn request(flags: u16, kind: u16, cookie: u64, offset: u64, length: u32) -> Vec<u8> {
    [
        &nbd::REQUEST_MAGIC.to_be_bytes()[..],
        &flags.to_be_bytes(),
        &kind.to_be_bytes(),
        &cookie.to_be_bytes(),
        &offset.to_be_bytes(),
        &length.to_be_bytes(),
    ]
    .concat()
}

/// What qemu sends before its first request.
fn negotiation(structured: bool) -> Vec<u8> {
    let context = [&[0; 4][..], &1_u32.to_be_bytes(), &15_u32.to_be_bytes(), nbd::ALLOCATION].concat();
    let mut bytes = 3_u32.to_be_bytes().to_vec();
    if structured {
        bytes.extend(option(nbd::OPTION_STRUCTURED, &[]));
        bytes.extend(option(nbd::OPTION_SET_META_CONTEXT, &context));
    }
    bytes.extend(option(nbd::OPTION_GO, &[0, 0, 0, 0, 0, 1, 0, 3]));
    bytes
}

fn serve(disk: &dyn DiskReader, sends: Vec<u8>) -> (io::Result<()>, Vec<u8>) {
    let mut client = Client { sends: Cursor::new(sends), receives: Vec::new() };
    let unchanged = || Ok(());
    let result = Export::new(disk, &unchanged).serve(&mut client);
    (result, client.receives)
}

fn take<'a>(bytes: &mut &'a [u8], count: usize) -> &'a [u8] {
    let (head, rest) = bytes.split_at(count);
    *bytes = rest;
    head
}

fn bytes_of(number: u64) -> usize {
    usize::try_from(number).unwrap()
}

fn number(bytes: &mut &[u8], count: usize) -> u64 {
    take(bytes, count).iter().fold(0, |number, byte| number << 8 | u64::from(*byte))
}

/// What follows the negotiation in what a client receives.
fn replies(structured: bool, mut received: &[u8]) -> &[u8] {
    assert_eq!(take(&mut received, 18), b"NBDMAGICIHAVEOPT\0\x03");
    // Acknowledged one after the other; the context comes before.
    let mut acknowledged = 0;
    while acknowledged < if structured { 3 } else { 1 } {
        assert_eq!(number(&mut received, 8), nbd::OPTION_REPLY_MAGIC);
        take(&mut received, 4);
        let kind = number(&mut received, 4);
        let length = number(&mut received, 4);
        take(&mut received, usize::try_from(length).unwrap());
        assert!(kind & u64::from(nbd::REPLY_ERROR) == 0, "{kind:#x}");
        acknowledged += u32::from(kind == u64::from(nbd::REPLY_ACK));
    }
    received
}

/// The chunks of one reply: kind and content.
fn chunks<'a>(received: &mut &'a [u8], cookie: u64) -> Vec<(u16, &'a [u8])> {
    let mut found = Vec::new();
    loop {
        assert_eq!(number(received, 4), u64::from(nbd::CHUNK_MAGIC));
        let (flags, kind) = (number(received, 2), number(received, 2));
        assert_eq!(number(received, 8), cookie);
        let length = usize::try_from(number(received, 4)).unwrap();
        found.push((u16::try_from(kind).unwrap(), take(received, length)));
        if flags & u64::from(nbd::CHUNK_DONE) != 0 {
            return found;
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn reads_and_block_status_are_those_of_the_disk(
        size in 1..3_usize << 20, at in 0..3_u64 << 20, length in 1..3_u32 << 20, df in any::<bool>(),
    ) {
        let disk = Striped::new(size);
        let sends = [
            negotiation(true),
            request(if df { nbd::COMMAND_DF } else { 0 }, nbd::READ, 7, at, length),
            request(0, nbd::BLOCK_STATUS, 8, at, length),
            request(0, nbd::DISCONNECT, 9, 0, 0),
        ]
        .concat();
        let (result, received) = serve(&disk, sends);
        result.unwrap();
        let mut received = replies(true, &received);
        let (read, status) = (chunks(&mut received, 7), chunks(&mut received, 8));
        prop_assert!(received.is_empty());
        if at + u64::from(length) > size as u64 {
            prop_assert!(read.len() == 1 && read[0].0 == nbd::CHUNK_ERROR_ANY && read[0].1[..4] == [0, 0, 0, 22]);
            prop_assert!(status.len() == 1 && status[0].0 == nbd::CHUNK_ERROR_ANY);
            return Ok(());
        }
        let mut expected = vec![0; usize::try_from(length).unwrap()];
        disk.read_at(&mut expected, at).unwrap();
        let mut bytes = Vec::new();
        for (kind, mut content) in read.iter().copied() {
            prop_assert_eq!(number(&mut content, 8), at + bytes.len() as u64);
            match kind {
                nbd::CHUNK_DATA => bytes.extend(content),
                nbd::CHUNK_HOLE => bytes.resize(bytes.len() + bytes_of(number(&mut content, 4)), 0),
                other => panic!("{other}"),
            }
        }
        prop_assert!(bytes == expected);
        prop_assert!(!df || read.len() == 1 && read[0].0 == nbd::CHUNK_DATA);
        // Byte by byte.
        let mut content = status[0].1;
        prop_assert_eq!((status.len(), status[0].0, number(&mut content, 4)), (1, nbd::CHUNK_STATUS, 1));
        let mut told = Vec::new();
        while !content.is_empty() {
            let (length, flags) = (number(&mut content, 4), number(&mut content, 4));
            told.resize(told.len() + bytes_of(length), flags);
        }
        let holes = (at..at + u64::from(length)).map(|at| if (at / STRIPE).is_multiple_of(2) { 0 } else { 3 });
        prop_assert!(told.into_iter().eq(holes));
    }

    #[test]
    fn a_hostile_client_ends_its_own_connection(
        structured in any::<bool>(), edits in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..6),
        cut in any::<prop::sample::Index>(), tail in prop::collection::vec(any::<u8>(), 0..64),
    ) {
        let disk = Striped::new(300_000);
        let mut sends = [
            negotiation(structured),
            option(nbd::OPTION_LIST, &[]),
            request(0, nbd::READ, 1, 1000, 100_000),
            request(0, nbd::BLOCK_STATUS, 2, 0, 300_000),
            request(0, nbd::WRITE, 3, 0, 8),
            vec![1; 8],
            request(0, nbd::CACHE, 4, 0, 4096),
            request(0, nbd::FLUSH, 5, 0, 0),
        ]
        .concat();
        for (place, byte) in edits {
            let at = place.index(sends.len());
            sends[at] = byte;
        }
        let at = cut.index(sends.len() + 1);
        sends.truncate(at.max(sends.len() / 2));
        sends.extend(tail);
        let requests = sends.len() / 28 + 1;
        let (_, received) = serve(&disk, sends);
        // Each request gets what the disk has, at most.
        prop_assert!(received.len() < 4096 + requests * 301_000, "{}", received.len());
    }
}

#[test]
fn writers_are_refused_and_heard_to_the_end() {
    let disk = Striped::new(1000);
    let sends = [
        negotiation(false),
        request(0, nbd::WRITE, 1, 0, 300),
        vec![9; 300],
        request(0, nbd::TRIM, 2, 0, 300),
        request(0, nbd::READ, 3, 0, 2),
        request(0, nbd::READ, 4, u64::MAX, 2),
        request(0, nbd::READ, 5, 0, u32::MAX),
        request(0, nbd::BLOCK_STATUS, 6, 0, 10),
        request(0, 99, 7, 0, 10),
        request(0, nbd::FLUSH, 8, 0, 0),
    ]
    .concat();
    let (result, received) = serve(&disk, sends);
    result.unwrap();
    let mut received = replies(false, &received);
    for (cookie, error, data) in [
        (1, 1, &[][..]),
        (2, 1, &[]),
        (3, 0, &[0, 1]),
        (4, 22, &[]),
        (5, 22, &[]),
        (6, 22, &[]),
        (7, 22, &[]),
        (8, 0, &[]),
    ] {
        assert_eq!(number(&mut received, 4), u64::from(nbd::SIMPLE_MAGIC));
        assert_eq!((number(&mut received, 4), number(&mut received, 8)), (error, cookie));
        assert_eq!(take(&mut received, data.len()), data);
    }
    assert!(received.is_empty());
}

#[test]
fn an_image_that_changed_gives_no_more_data() {
    let disk = Striped::new(1000);
    let unchanged = || Err(Error::Changed { path: "disk".into(), what: "it grew".into() });
    for structured in [true, false] {
        let sends = [negotiation(structured), request(0, nbd::READ, 1, 0, 2)].concat();
        let mut client = Client { sends: Cursor::new(sends), receives: Vec::new() };
        let export = Export::new(&disk, &unchanged);
        assert!(export.serve(&mut client).is_err());
        let received = replies(structured, &client.receives);
        let error = if structured { &received[20..24] } else { &received[4..8] };
        assert_eq!(error, [0, 0, 0, 5]);
        assert!(matches!(export.failure(), Some(Error::Changed { .. })));
    }
}
