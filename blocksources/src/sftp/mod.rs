//! Reading and writing files over SFTP, version 3 (draft-ietf-secsh-filexfer-02), which is what
//! every server speaks, over any pair of streams.

mod packet;

use std::io::{self, Read, Write};

use gosync_chunks::{ByteRange, Sink, SinkError, Transfer};

pub use packet::{Attributes, MAX_PACKET, PacketError, Reply, Request, VERSION, packet_len};

use crate::ranges::{coalesce, split};

/// The most bytes asked for in one request. Servers need not give more at once.
pub const READ_SIZE: u64 = 32 << 10;

/// The number of requests other than reads, of which there is one at a time.
const LONE: u32 = u32::MAX;

/// A conversation with an SFTP server.
#[derive(Debug)]
pub struct Session<R, W> {
    reader: R,
    writer: W,
    /// The last packet received.
    packet: Vec<u8>,
    /// What is to be sent.
    out: Vec<u8>,
}

/// A file that the server has open.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OpenFile {
    handle: Vec<u8>,
    /// What the server tells of it.
    pub attributes: Attributes,
}

/// Why a conversation ended.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SftpError {
    /// A stream broke or ended.
    #[error("the connection broke")]
    Io(#[from] io::Error),
    /// The other end does not speak SFTP.
    #[error(transparent)]
    Packet(#[from] PacketError),
    /// The other end does not keep to SFTP.
    #[error("it does not keep to SFTP: {0}")]
    Protocol(&'static str),
    /// The server refuses.
    #[error("the SFTP server says: {message} (status {code})")]
    Status {
        /// As in section 7 of the draft.
        code: u32,
        /// For people to read, without control characters.
        message: String,
    },
    /// The file ends before it should.
    #[error("it ends before byte {0}")]
    End(u64),
    /// The sink took no more.
    #[error("the bytes read could not be used")]
    Sink(#[source] SinkError),
}

impl<R: Read, W: Write> Session<R, W> {
    /// Begins a conversation.
    ///
    /// # Errors
    ///
    /// When the other end does not answer in SFTP, version 3.
    pub fn start(reader: R, writer: W) -> Result<Self, SftpError> {
        let mut session = Self { reader, writer, packet: Vec::new(), out: Vec::new() };
        Request::Init.encode(&mut session.out);
        session.send()?;
        match session.receive()? {
            Reply::Version(VERSION) => Ok(session),
            Reply::Version(_) => Err(SftpError::Protocol("it does not speak version 3")),
            _ => Err(SftpError::Protocol("its first packet is not its version")),
        }
    }

    /// Opens the file at `path` for reading.
    ///
    /// # Errors
    ///
    /// When the server refuses or the conversation breaks.
    pub fn open(&mut self, path: &[u8]) -> Result<OpenFile, SftpError> {
        let handle = match self.ask(Request::Open { id: LONE, path })? {
            Reply::Handle { id: LONE, handle } => handle.to_vec(),
            reply => return Err(failure(reply)),
        };
        match self.ask(Request::Stat { id: LONE, handle: &handle })? {
            Reply::Attributes { id: LONE, attributes } => Ok(OpenFile { handle, attributes }),
            reply => Err(failure(reply)),
        }
    }

    /// Delivers `ranges` of `file`, which ascend and do not overlap, with up to `window`
    /// requests under way at once, answered in any order.
    ///
    /// # Errors
    ///
    /// When the file ends before, the conversation breaks, or the sink refuses. Answers
    /// may then still be on their way, so the session is of no more use.
    pub fn read(
        &mut self,
        file: &OpenFile,
        ranges: &[ByteRange],
        window: usize,
        sink: &dyn Sink,
    ) -> Result<Transfer, SftpError> {
        let mut transfer = Transfer::default();
        let joined = coalesce(ranges, 0);
        let mut wanted = joined.iter().flat_map(|&range| split(range, READ_SIZE));
        // What servers left out of an answer comes first.
        let mut rests: Vec<ByteRange> = Vec::new();
        let mut under_way: Vec<Option<ByteRange>> = Vec::new();
        let mut free: Vec<usize> = Vec::new();
        loop {
            while under_way.len() - free.len() < window.max(1) {
                let Some(range) = rests.pop().or_else(|| wanted.next()) else { break };
                let place = free.pop().unwrap_or(under_way.len());
                if place == under_way.len() {
                    under_way.push(None);
                }
                under_way[place] = Some(range);
                let (id, len) = (place as u32, range.len() as u32);
                Request::Read { id, handle: &file.handle, offset: range.start, len }.encode(&mut self.out);
                transfer.requests += 1;
            }
            if free.len() == under_way.len() {
                return Ok(transfer);
            }
            self.send()?;

            let reply = self.receive()?;
            let (Reply::Data { id, .. } | Reply::Status { id, .. }) = reply else { return Err(failure(reply)) };
            let place = id as usize;
            let Some(asked) = under_way.get_mut(place).and_then(Option::take) else {
                return Err(SftpError::Protocol("it answers what was not asked"));
            };
            match reply {
                Reply::Status { code: status::END_OF_FILE, .. } => return Err(SftpError::End(asked.end)),
                Reply::Data { data, .. } if data.is_empty() || data.len() as u64 > asked.len() => {
                    return Err(SftpError::Protocol("it sends more or less than was asked for"));
                }
                Reply::Data { data, .. } => {
                    sink.deliver(asked.start, data).map_err(SftpError::Sink)?;
                    transfer.bytes += data.len() as u64;
                    let rest = ByteRange { start: asked.start + data.len() as u64, ..asked };
                    rests.extend((!rest.is_empty()).then_some(rest));
                    free.push(place);
                }
                reply => return Err(failure(reply)),
            }
        }
    }

    /// Opens the file at `path` for writing: a new one where nothing may be there, else one in the place
    /// of what is there.
    ///
    /// # Errors
    ///
    /// As [`open`](Self::open), and when something is there that may not be.
    pub fn create(&mut self, path: &[u8], exclusively: bool) -> Result<OpenFile, SftpError> {
        match self.ask(Request::Create { id: LONE, path, exclusively })? {
            Reply::Handle { id: LONE, handle } => {
                Ok(OpenFile { handle: handle.to_vec(), attributes: Attributes::default() })
            }
            reply => Err(failure(reply)),
        }
    }

    /// Writes `data` into `file`, with all of its pieces under way at once: a mebibyte is a good measure.
    ///
    /// # Errors
    ///
    /// As [`open`](Self::open). Answers may then still be on their way, so the session is of no more use.
    pub fn write(&mut self, file: &OpenFile, offset: u64, data: &[u8]) -> Result<(), SftpError> {
        let mut pieces = vec![false; data.len().div_ceil(READ_SIZE as usize)];
        for (id, piece) in data.chunks(READ_SIZE as usize).enumerate() {
            let offset = offset + id as u64 * READ_SIZE;
            Request::Write { id: id as u32, handle: &file.handle, offset, data: piece }.encode(&mut self.out);
            self.send()?;
        }
        let mut refused = None;
        for _ in 0..pieces.len() {
            match self.receive()? {
                Reply::Status { id, code, message } => match pieces.get_mut(id as usize) {
                    Some(is_answered @ false) => {
                        *is_answered = true;
                        if code != status::OK {
                            refused = refused.or(Some(failure(Reply::Status { id, code, message })));
                        }
                    }
                    _ => return Err(SftpError::Protocol("it answers what was not asked")),
                },
                reply => return Err(failure(reply)),
            }
        }
        refused.map_or(Ok(()), Err)
    }

    /// Has the server write `file` to its disk, where it knows how to, and closes it.
    ///
    /// # Errors
    ///
    /// As [`open`](Self::open).
    pub fn finish(&mut self, file: &OpenFile) -> Result<(), SftpError> {
        match self.done(Request::Sync { id: LONE, handle: &file.handle }) {
            Ok(()) | Err(SftpError::Status { code: status::UNSUPPORTED, .. }) => {}
            Err(error) => return Err(error),
        }
        self.done(Request::Close { id: LONE, handle: &file.handle })
    }

    /// Closes `file`.
    ///
    /// # Errors
    ///
    /// As [`open`](Self::open).
    pub fn close(&mut self, file: &OpenFile) -> Result<(), SftpError> {
        self.done(Request::Close { id: LONE, handle: &file.handle })
    }

    /// Removes the file at `path`.
    ///
    /// # Errors
    ///
    /// As [`open`](Self::open).
    pub fn remove(&mut self, path: &[u8]) -> Result<(), SftpError> {
        self.done(Request::Remove { id: LONE, path })
    }

    /// Makes the directory at `path`.
    ///
    /// # Errors
    ///
    /// As [`open`](Self::open).
    pub fn make_directory(&mut self, path: &[u8]) -> Result<(), SftpError> {
        self.done(Request::MakeDirectory { id: LONE, path })
    }

    /// Gives the file at `from` the name `to`, and replaces what has it, at once.
    ///
    /// # Errors
    ///
    /// As [`open`](Self::open), and where the server cannot do that.
    pub fn replace(&mut self, from: &[u8], to: &[u8]) -> Result<(), SftpError> {
        self.done(Request::Replace { id: LONE, from, to })
    }

    fn done(&mut self, request: Request<'_>) -> Result<(), SftpError> {
        match self.ask(request)? {
            Reply::Status { id: LONE, code: status::OK, .. } => Ok(()),
            reply => Err(failure(reply)),
        }
    }

    fn ask(&mut self, request: Request<'_>) -> Result<Reply<'_>, SftpError> {
        request.encode(&mut self.out);
        self.send()?;
        self.receive()
    }

    fn send(&mut self) -> Result<(), SftpError> {
        if !self.out.is_empty() {
            self.writer.write_all(&self.out)?;
            self.writer.flush()?;
            self.out.clear();
        }
        Ok(())
    }

    fn receive(&mut self) -> Result<Reply<'_>, SftpError> {
        let mut header = [0; 4];
        self.reader.read_exact(&mut header)?;
        self.packet.resize(packet_len(header)?, 0);
        self.reader.read_exact(&mut self.packet)?;
        Ok(Reply::parse(&self.packet)?)
    }
}

/// Numbers of a status that mean something to a client (section 7 of the draft).
pub(crate) mod status {
    pub(crate) const OK: u32 = 0;
    /// Of a read behind the end.
    pub(crate) const END_OF_FILE: u32 = 1;
    pub(crate) const NO_SUCH_FILE: u32 = 2;
    pub(crate) const PERMISSION_DENIED: u32 = 3;
    pub(crate) const NO_CONNECTION: u32 = 6;
    pub(crate) const CONNECTION_LOST: u32 = 7;
    pub(crate) const UNSUPPORTED: u32 = 8;
}

fn failure(reply: Reply<'_>) -> SftpError {
    match reply {
        Reply::Status { code, message, .. } if code != 0 => {
            SftpError::Status { code, message: message.chars().filter(|c| !c.is_control()).take(200).collect() }
        }
        _ => SftpError::Protocol("it answers something else than was asked"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use gosync_testkit::source::{FnSink, MemorySink};
    use gosync_testkit::{Random, corpus};
    use std::cell::RefCell;
    use std::collections::VecDeque;

    type Answer<'a> = Box<dyn FnMut(&mut Vec<(u32, ByteRange)>) -> Vec<u8> + 'a>;

    /// Both ends of a stream to a server that has one file, of 65536 bytes.
    struct Server<'a> {
        /// Reads that wait, with their numbers, and the most that ever did.
        reads: Vec<(u32, ByteRange)>,
        most: usize,
        output: VecDeque<u8>,
        /// Takes a read or more, and makes a packet.
        answer: Answer<'a>,
    }

    struct End<'a, 'b>(&'b RefCell<Server<'a>>);

    impl Write for End<'_, '_> {
        fn write(&mut self, mut bytes: &[u8]) -> io::Result<usize> {
            let (server, len) = (&mut *self.0.borrow_mut(), bytes.len());
            while let Some((header, rest)) = bytes.split_first_chunk() {
                let (body, rest) = rest.split_at(packet_len(*header).unwrap());
                bytes = rest;
                match body[0] {
                    1 => server.reply(b"\x02\0\0\0\x03\0\0\0\x01x\0\0\0\0"),
                    3 => server.reply(b"\x66\xff\xff\xff\xff\0\0\0\x01h"),
                    8 => server.reply(b"\x69\xff\xff\xff\xff\0\0\0\x01\0\0\0\0\0\x01\0\0"),
                    _ => {
                        let number = |at: usize| u32::from_be_bytes(body[at..at + 4].try_into().unwrap());
                        server.reads.push((number(1), ByteRange::at(number(14).into(), number(18).into())));
                    }
                }
            }
            server.most = server.most.max(server.reads.len());
            Ok(len)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    impl Read for End<'_, '_> {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            let server = &mut *self.0.borrow_mut();
            if server.output.is_empty() {
                let answer = (server.answer)(&mut server.reads);
                server.reply(&answer);
            }
            server.output.read(buffer)
        }
    }

    impl Server<'_> {
        fn reply(&mut self, body: &[u8]) {
            self.output.extend((body.len() as u32).to_be_bytes());
            self.output.extend(body);
        }
    }

    /// Reads `ranges` of the server's file, and tells how many reads waited at most.
    fn read(
        ranges: &[ByteRange],
        window: usize,
        sink: &dyn Sink,
        answer: impl FnMut(&mut Vec<(u32, ByteRange)>) -> Vec<u8>,
    ) -> (Result<Transfer, SftpError>, usize) {
        let server = Server { reads: Vec::new(), most: 0, output: VecDeque::new(), answer: Box::new(answer) };
        let server = RefCell::new(server);
        let mut session = Session::start(End(&server), End(&server)).unwrap();
        let file = session.open(b"/file").unwrap();
        assert_eq!(file.attributes.size, Some(65536));
        let result = session.read(&file, ranges, window, sink);
        (result, server.borrow().most)
    }

    fn data(id: u32, bytes: &[u8]) -> Vec<u8> {
        [&[103], &id.to_be_bytes()[..], &(bytes.len() as u32).to_be_bytes(), bytes].concat()
    }

    #[test]
    fn answers_may_come_in_any_order_and_in_parts() {
        let content = corpus::random(1, 65536);
        let some: Vec<ByteRange> = (0..60).map(|at| ByteRange::at(at * 1000, 900)).collect();
        for (ranges, window, most) in
            [(&some[..], 1, 1), (&some, 7, 7), (&some, 100, 60), (&[ByteRange::at(0, 65536)], 64, 2)]
        {
            let mut random = Random::new(window as u64);
            let sink = MemorySink::new(ranges);
            let (result, waited) = read(ranges, window, &sink, |reads| {
                let (id, asked) = reads.remove(random.below(reads.len()));
                let given = random.range(1..asked.len() as usize + 1);
                data(id, &content[asked.start as usize..asked.start as usize + given])
            });
            let bytes: u64 = ranges.iter().map(|range| range.len()).sum();
            let transfer = result.unwrap();
            assert!(transfer.bytes == bytes && transfer.requests > ranges.len() as u64, "{transfer:?}");
            assert_eq!(waited, most);
            for (range, fetched) in ranges.iter().zip(sink.finish()) {
                assert!(fetched == content[range.start as usize..range.end as usize]);
            }
        }
    }

    #[test]
    fn what_is_not_sftp_is_an_error() {
        type Wrong = fn(u32, usize) -> Vec<u8>;
        let wrong: [(&str, Wrong); 7] = [
            ("answers what was not asked", |id, len| data(id + 1, &vec![0; len])),
            ("more or less", |id, len| data(id, &vec![0; len + 1])),
            ("more or less", |id, _| data(id, b"")),
            ("ends before byte 1010", |id, _| [&[101], &id.to_be_bytes()[..], &[0, 0, 0, 1]].concat()),
            ("disk is [31m on fire (status 4)", |id, _| {
                let message = b"disk is \x1b[31m on fire";
                [&[101], &id.to_be_bytes()[..], &[0, 0, 0, 4, 0, 0, 0, message.len() as u8], message].concat()
            }),
            ("damaged packet", |id, _| data(id, b"abc")[..8].to_vec()),
            ("something else", |id, _| [&[102], &id.to_be_bytes()[..], &[0, 0, 0, 1, b'h']].concat()),
        ];
        for (expected, answer) in wrong {
            let nothing = FnSink(|_, _: &[u8]| panic!("nothing of that may be delivered"));
            let (result, _) = read(&[ByteRange::at(1000, 10)], 4, &nothing, |reads| {
                let (id, asked) = reads.remove(0);
                answer(id, asked.len() as usize)
            });
            let error = result.unwrap_err().to_string();
            assert!(error.contains(expected), "{error}");
        }
    }

    #[test]
    fn greetings_and_silence_are_told_apart() {
        let start = |bytes: &[u8]| Session::start(bytes, io::sink()).unwrap_err().to_string();
        assert!(start(b"Welcome to this machine!\n").contains("greets"));
        assert_eq!(start(b"\0\0"), "the connection broke");
        assert!(start(b"\0\0\0\x05\x02\0\0\0\x02").contains("version 3"));
    }
}
