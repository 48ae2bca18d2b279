//! The negotiation: options, until the client chooses the export or leaves.

use std::io::{self, Read, Write};

use super::super::protocol as nbd;
use super::{Agreed, array, broken, long, short, word};

/// Bytes of an option's data. The longest that makes sense has a few names of 4096 bytes.
const OPTION_MAX: u32 = 64 << 10;
/// Options of one client.
const OPTIONS_MAX: usize = 256;
/// The number by which status replies name the context.
pub(super) const CONTEXT: u32 = 1;
const FLAGS: u16 = nbd::HAS_FLAGS | nbd::READ_ONLY | nbd::SEND_DF | nbd::CAN_MULTI_CONN | nbd::SEND_CACHE;
/// Bytes of one read.
pub(super) const READ_MAX: u32 = 32 << 20;
/// Bytes of a read that suits best: a block of a container.
const READ_PREFERRED: u32 = 64 << 10;

/// What they agreed on; `None` if the client left.
pub(super) fn shake_hands(stream: &mut (impl Read + Write), size: u64) -> io::Result<Option<Agreed>> {
    let ours = nbd::FIXED_NEWSTYLE | nbd::NO_ZEROES;
    let greeting =
        [&nbd::SERVER_MAGIC.to_be_bytes()[..], &nbd::OPTION_MAGIC.to_be_bytes(), &ours.to_be_bytes()];
    stream.write_all(&greeting.concat())?;
    let flags = word(stream)?;
    if flags & !u32::from(ours) != 0 {
        return Err(broken(format_args!("handshake flags {flags:#x}")));
    }
    let mut agreed = Agreed::default();
    for _ in 0..OPTIONS_MAX {
        let (magic, option, length) = (long(stream)?, word(stream)?, word(stream)?);
        if magic != nbd::OPTION_MAGIC || length > OPTION_MAX {
            return Err(broken(format_args!("an option of {length} bytes with the magic {magic:#x}")));
        }
        let mut data = vec![0; usize::try_from(length).unwrap_or(0)];
        stream.read_exact(&mut data)?;
        let mut answers = Answers { stream: &mut *stream, option };
        match option {
            // It has no reply that could say no.
            nbd::OPTION_EXPORT_NAME if data.is_empty() => {
                let padding = if flags & u32::from(nbd::NO_ZEROES) == 0 { 124 } else { 0 };
                let answer = [&size.to_be_bytes()[..], &FLAGS.to_be_bytes(), &vec![0; padding]];
                stream.write_all(&answer.concat())?;
                return Ok(Some(agreed));
            }
            nbd::OPTION_EXPORT_NAME => return Err(broken("the name of an export that does not exist")),
            nbd::OPTION_ABORT => {
                answers.send(nbd::REPLY_ACK, &[])?;
                return Ok(None);
            }
            nbd::OPTION_LIST if data.is_empty() => {
                // One export, whose name is empty.
                answers.send(nbd::REPLY_SERVER, &[0; 4])?;
                answers.send(nbd::REPLY_ACK, &[])?;
            }
            nbd::OPTION_STRUCTURED if data.is_empty() => {
                agreed.structured = true;
                answers.send(nbd::REPLY_ACK, &[])?;
            }
            nbd::OPTION_INFO | nbd::OPTION_GO => match InfoRequest::parse(&data) {
                None => answers.refuse(nbd::ERROR_INVALID, "the request for information is malformed")?,
                Some(request) if !request.name.is_empty() => {
                    answers.refuse(nbd::ERROR_UNKNOWN, "the only export is the one with the empty name")?;
                }
                Some(request) => {
                    answers.inform(size, &request.kinds)?;
                    if option == nbd::OPTION_GO {
                        return Ok(Some(agreed));
                    }
                }
            },
            nbd::OPTION_SET_META_CONTEXT | nbd::OPTION_LIST_META_CONTEXT => {
                let sets = option == nbd::OPTION_SET_META_CONTEXT;
                agreed.allocation &= !sets;
                match ContextRequest::parse(&data) {
                    None => answers.refuse(nbd::ERROR_INVALID, "the request for contexts is malformed")?,
                    Some(_) if !agreed.structured => {
                        answers.refuse(nbd::ERROR_INVALID, "structured replies come first")?;
                    }
                    Some(request) if !request.name.is_empty() => {
                        answers
                            .refuse(nbd::ERROR_UNKNOWN, "the only export is the one with the empty name")?;
                    }
                    Some(request) => {
                        if request.wants_allocation(sets) {
                            let number = if sets { CONTEXT } else { 0 };
                            let answer = [&number.to_be_bytes()[..], nbd::ALLOCATION].concat();
                            answers.send(nbd::REPLY_META_CONTEXT, &answer)?;
                            agreed.allocation |= sets;
                        }
                        answers.send(nbd::REPLY_ACK, &[])?;
                    }
                }
            }
            nbd::OPTION_LIST | nbd::OPTION_STRUCTURED => {
                answers.refuse(nbd::ERROR_INVALID, "this option has no data")?;
            }
            _ => answers.refuse(nbd::ERROR_UNSUPPORTED, "this option is not supported")?,
        }
    }
    Err(broken("options without end"))
}

/// Answers to one option.
struct Answers<'s, S> {
    stream: &'s mut S,
    option: u32,
}

impl<S: Write> Answers<'_, S> {
    fn send(&mut self, kind: u32, data: &[u8]) -> io::Result<()> {
        let length = u32::try_from(data.len()).map_err(io::Error::other)?;
        let head = [
            &nbd::OPTION_REPLY_MAGIC.to_be_bytes()[..],
            &self.option.to_be_bytes(),
            &kind.to_be_bytes(),
            &length.to_be_bytes(),
            data,
        ];
        self.stream.write_all(&head.concat())
    }

    fn refuse(&mut self, error: u32, text: &str) -> io::Result<()> {
        self.send(nbd::REPLY_ERROR | error, text.as_bytes())
    }

    fn inform(&mut self, size: u64, kinds: &[u16]) -> io::Result<()> {
        let export = [&nbd::INFO_EXPORT.to_be_bytes()[..], &size.to_be_bytes(), &FLAGS.to_be_bytes()];
        self.send(nbd::REPLY_INFO, &export.concat())?;
        if kinds.contains(&nbd::INFO_BLOCK_SIZE) {
            let sizes = [1_u32, READ_PREFERRED, READ_MAX].map(u32::to_be_bytes).concat();
            self.send(nbd::REPLY_INFO, &[&nbd::INFO_BLOCK_SIZE.to_be_bytes()[..], &sizes].concat())?;
        }
        self.send(nbd::REPLY_ACK, &[])
    }
}

/// The data of the options that ask for information on an export.
struct InfoRequest {
    name: Vec<u8>,
    kinds: Vec<u16>,
}

impl InfoRequest {
    fn parse(mut data: &[u8]) -> Option<Self> {
        let name = text(&mut data)?;
        let count = short(&mut data).ok()?;
        if data.len() != usize::from(count) * 2 {
            return None;
        }
        let kinds = (0..count).map_while(|_| array(&mut data).ok().map(u16::from_be_bytes)).collect();
        Some(Self { name, kinds })
    }
}

/// The data of the options that choose or list contexts.
struct ContextRequest {
    name: Vec<u8>,
    queries: Vec<Vec<u8>>,
}

impl ContextRequest {
    fn parse(mut data: &[u8]) -> Option<Self> {
        let name = text(&mut data)?;
        let count = word(&mut data).ok()?;
        let mut queries = Vec::new();
        // Each has four bytes at least, so that there are no more than the data has.
        for _ in 0..count {
            queries.push(text(&mut data)?);
        }
        data.is_empty().then_some(Self { name, queries })
    }

    /// A client that lists contexts may leave out the name of one, or all queries.
    fn wants_allocation(&self, sets: bool) -> bool {
        let fits = |query: &Vec<u8>| query == nbd::ALLOCATION || (!sets && query == b"base:");
        self.queries.iter().any(fits) || (!sets && self.queries.is_empty())
    }
}

/// A length and as many bytes.
fn text(data: &mut &[u8]) -> Option<Vec<u8>> {
    let length = usize::try_from(word(data).ok()?).ok()?;
    let (text, rest) = data.split_at_checked(length)?;
    *data = rest;
    Some(text.to_owned())
}
