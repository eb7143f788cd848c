//! The packets of SFTP, version 3: bytes in, values out.

use std::borrow::Cow;

/// The version of the protocol that is spoken here.
pub const VERSION: u32 = 3;

/// The most bytes that a packet may have after its length: what OpenSSH allows too.
pub const MAX_PACKET: usize = 256 << 10;

/// The most bytes that a file's handle may have (section 6.3).
const MAX_HANDLE: usize = 256;

/// What a client asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Request<'a> {
    /// Begins the conversation.
    Init,
    /// Opens the file at `path` for reading.
    Open {
        /// Comes back in the reply.
        id: u32,
        /// The path, as bytes that mean something to the server.
        path: &'a [u8],
    },
    /// Asks for the attributes of an open file.
    Stat {
        /// Comes back in the reply.
        id: u32,
        /// The open file.
        handle: &'a [u8],
    },
    /// Asks for bytes of an open file.
    Read {
        /// Comes back in the reply.
        id: u32,
        /// The open file.
        handle: &'a [u8],
        /// The first byte.
        offset: u64,
        /// The most bytes to send.
        len: u32,
    },
    /// Opens the file at `path` for writing.
    Create {
        /// Comes back in the reply.
        id: u32,
        /// The path.
        path: &'a [u8],
        /// Whether nothing may be there; else what is there is emptied.
        exclusively: bool,
    },
    /// Writes bytes of an open file.
    Write {
        /// Comes back in the reply.
        id: u32,
        /// The open file.
        handle: &'a [u8],
        /// Where the first byte goes.
        offset: u64,
        /// The bytes.
        data: &'a [u8],
    },
    /// Closes an open file.
    Close {
        /// Comes back in the reply.
        id: u32,
        /// The open file.
        handle: &'a [u8],
    },
    /// Removes the file at `path`.
    Remove {
        /// Comes back in the reply.
        id: u32,
        /// The path.
        path: &'a [u8],
    },
    /// Makes the directory at `path`.
    MakeDirectory {
        /// Comes back in the reply.
        id: u32,
        /// The path.
        path: &'a [u8],
    },
    /// Gives a file another name, and replaces what has that: OpenSSH's `posix-rename`, since
    /// version 3 has nothing of the kind.
    Replace {
        /// Comes back in the reply.
        id: u32,
        /// The path that the file has.
        from: &'a [u8],
        /// The path that it gets.
        to: &'a [u8],
    },
    /// Has the server write an open file to its disk: OpenSSH's `fsync`.
    Sync {
        /// Comes back in the reply.
        id: u32,
        /// The open file.
        handle: &'a [u8],
    },
}

/// What a server answers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reply<'a> {
    /// The version that the server speaks. What it can do beyond that is not looked at.
    Version(u32),
    /// How a request ended.
    Status {
        /// Of the request.
        id: u32,
        /// 0 when all is well.
        code: u32,
        /// For people to read.
        message: Cow<'a, str>,
    },
    /// An open file.
    Handle {
        /// Of the request.
        id: u32,
        /// The name that the server knows it by.
        handle: &'a [u8],
    },
    /// Bytes of a file.
    Data {
        /// Of the request.
        id: u32,
        /// The bytes, which may be fewer than were asked for.
        data: &'a [u8],
    },
    /// What is known of a file.
    Attributes {
        /// Of the request.
        id: u32,
        /// What the server tells.
        attributes: Attributes,
    },
}

/// What a server tells of a file.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Attributes {
    /// Its length in bytes.
    pub size: Option<u64>,
    /// Its kind and permissions, as in POSIX.
    pub mode: Option<u32>,
    /// When it was changed, in seconds since 1970.
    pub modified: Option<u32>,
}

/// Bytes that are no packet of SFTP.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PacketError {
    /// A packet says that it is longer than any may be.
    #[error("what it sends is not SFTP; if its shell greets people who log in, it must not greet programs")]
    TooLong,
    /// A packet is empty, or of a kind that no server sends.
    #[error("it sends a packet that SFTP does not have")]
    Unknown,
    /// A packet ends early, or goes on behind its end.
    #[error("it sends a damaged packet")]
    Damaged,
}

impl Request<'_> {
    /// Appends the packet to `out`.
    pub fn encode(&self, out: &mut Vec<u8>) {
        let start = out.len();
        out.extend([0; 4]);
        match *self {
            Self::Init => {
                out.push(kind::INIT);
                out.extend(VERSION.to_be_bytes());
            }
            Self::Open { id, path } => {
                head(out, kind::OPEN, id);
                string(out, path);
                // For reading, with no attributes.
                out.extend(1u32.to_be_bytes());
                out.extend(0u32.to_be_bytes());
            }
            Self::Stat { id, handle } => {
                head(out, kind::FSTAT, id);
                string(out, handle);
            }
            Self::Read { id, handle, offset, len } => {
                head(out, kind::READ, id);
                string(out, handle);
                out.extend(offset.to_be_bytes());
                out.extend(len.to_be_bytes());
            }
            Self::Create { id, path, exclusively } => {
                head(out, kind::OPEN, id);
                string(out, path);
                // For writing, created, and new or emptied; with no attributes.
                let flags: u32 = if exclusively { 0x2a } else { 0x1a };
                out.extend(flags.to_be_bytes());
                out.extend(0u32.to_be_bytes());
            }
            Self::Write { id, handle, offset, data } => {
                head(out, kind::WRITE, id);
                string(out, handle);
                out.extend(offset.to_be_bytes());
                string(out, data);
            }
            Self::Close { id, handle } => {
                head(out, kind::CLOSE, id);
                string(out, handle);
            }
            Self::Remove { id, path } => {
                head(out, kind::REMOVE, id);
                string(out, path);
            }
            Self::MakeDirectory { id, path } => {
                head(out, kind::MKDIR, id);
                string(out, path);
                out.extend(0u32.to_be_bytes());
            }
            Self::Replace { id, from, to } => {
                head(out, kind::EXTENDED, id);
                [b"posix-rename@openssh.com", from, to].iter().for_each(|text| string(out, text));
            }
            Self::Sync { id, handle } => {
                head(out, kind::EXTENDED, id);
                [b"fsync@openssh.com", handle].iter().for_each(|text| string(out, text));
            }
        }
        let len = (out.len() - start - 4) as u32;
        out[start..start + 4].copy_from_slice(&len.to_be_bytes());
    }
}

/// The length of the packet behind `header`, which are its first four bytes.
///
/// # Errors
///
/// When no packet has it.
pub fn packet_len(header: [u8; 4]) -> Result<usize, PacketError> {
    match u32::from_be_bytes(header) as usize {
        0 => Err(PacketError::Unknown),
        len if len > MAX_PACKET => Err(PacketError::TooLong),
        len => Ok(len),
    }
}

impl<'a> Reply<'a> {
    /// Reads a packet without the length before it.
    ///
    /// # Errors
    ///
    /// When it is no reply.
    pub fn parse(packet: &'a [u8]) -> Result<Self, PacketError> {
        let mut input = Input(packet);
        let kind = input.array::<1>()?[0];
        let number = input.u32()?;
        let reply = match kind {
            kind::VERSION => {
                // Pairs of names and values.
                while !input.0.is_empty() {
                    input.string()?;
                    input.string()?;
                }
                return Ok(Self::Version(number));
            }
            kind::STATUS => {
                let code = input.u32()?;
                // Some servers of older versions end here.
                let message = if input.0.is_empty() { &[] } else { input.string()? };
                if !input.0.is_empty() {
                    input.string()?;
                }
                Self::Status { id: number, code, message: String::from_utf8_lossy(message) }
            }
            kind::HANDLE => {
                let handle = input.string()?;
                if handle.len() > MAX_HANDLE {
                    return Err(PacketError::Damaged);
                }
                Self::Handle { id: number, handle }
            }
            kind::DATA => Self::Data { id: number, data: input.string()? },
            kind::ATTRS => Self::Attributes { id: number, attributes: input.attributes()? },
            _ => return Err(PacketError::Unknown),
        };
        if input.0.is_empty() { Ok(reply) } else { Err(PacketError::Damaged) }
    }
}

mod kind {
    pub(super) const INIT: u8 = 1;
    pub(super) const VERSION: u8 = 2;
    pub(super) const OPEN: u8 = 3;
    pub(super) const CLOSE: u8 = 4;
    pub(super) const READ: u8 = 5;
    pub(super) const WRITE: u8 = 6;
    pub(super) const FSTAT: u8 = 8;
    pub(super) const REMOVE: u8 = 13;
    pub(super) const MKDIR: u8 = 14;
    pub(super) const STATUS: u8 = 101;
    pub(super) const HANDLE: u8 = 102;
    pub(super) const DATA: u8 = 103;
    pub(super) const ATTRS: u8 = 105;
    pub(super) const EXTENDED: u8 = 200;
}

fn head(out: &mut Vec<u8>, kind: u8, id: u32) {
    out.push(kind);
    out.extend(id.to_be_bytes());
}

fn string(out: &mut Vec<u8>, bytes: &[u8]) {
    out.extend((bytes.len() as u32).to_be_bytes());
    out.extend(bytes);
}

/// What is left of a packet.
struct Input<'a>(&'a [u8]);

impl<'a> Input<'a> {
    fn bytes(&mut self, len: usize) -> Result<&'a [u8], PacketError> {
        let (bytes, rest) = self.0.split_at_checked(len).ok_or(PacketError::Damaged)?;
        self.0 = rest;
        Ok(bytes)
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], PacketError> {
        let (bytes, rest) = self.0.split_first_chunk().ok_or(PacketError::Damaged)?;
        self.0 = rest;
        Ok(*bytes)
    }

    fn u32(&mut self) -> Result<u32, PacketError> {
        Ok(u32::from_be_bytes(self.array()?))
    }

    fn string(&mut self) -> Result<&'a [u8], PacketError> {
        let len = self.u32()?;
        self.bytes(len as usize)
    }

    /// Section 5. What is not told here is passed over.
    fn attributes(&mut self) -> Result<Attributes, PacketError> {
        let flags = self.u32()?;
        let mut attributes = Attributes::default();
        if flags & 1 != 0 {
            attributes.size = Some(u64::from_be_bytes(self.array()?));
        }
        if flags & 2 != 0 {
            self.bytes(8)?;
        }
        if flags & 4 != 0 {
            attributes.mode = Some(self.u32()?);
        }
        if flags & 8 != 0 {
            self.u32()?;
            attributes.modified = Some(self.u32()?);
        }
        if flags & 0x8000_0000 != 0 {
            for _ in 0..self.u32()? {
                self.string()?;
                self.string()?;
            }
        }
        Ok(attributes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_are_those_of_the_draft() {
        let encoded = |request: Request<'_>| {
            let mut out = vec![9];
            request.encode(&mut out);
            assert_eq!(out.remove(0), 9);
            assert_eq!(packet_len(out[..4].try_into().unwrap()), Ok(out.len() - 4));
            out.split_off(4)
        };
        assert_eq!(encoded(Request::Init), b"\x01\0\0\0\x03");
        assert_eq!(encoded(Request::Open { id: 7, path: b"/x" }), b"\x03\0\0\0\x07\0\0\0\x02/x\0\0\0\x01\0\0\0\0");
        assert_eq!(encoded(Request::Stat { id: 8, handle: b"h" }), b"\x08\0\0\0\x08\0\0\0\x01h");
        assert_eq!(
            encoded(Request::Read { id: 1, handle: b"h", offset: 1 << 32, len: 5 }),
            b"\x05\0\0\0\x01\0\0\0\x01h\0\0\0\x01\0\0\0\0\0\0\0\x05"
        );
        for (exclusively, flags) in [(true, 0x2a), (false, 0x1a)] {
            let create = encoded(Request::Create { id: 7, path: b"/x", exclusively });
            assert_eq!(create, [&b"\x03\0\0\0\x07\0\0\0\x02/x\0\0\0"[..], &[flags], &[0; 4]].concat());
        }
        assert_eq!(
            encoded(Request::Write { id: 1, handle: b"h", offset: 2, data: b"ab" }),
            b"\x06\0\0\0\x01\0\0\0\x01h\0\0\0\0\0\0\0\x02\0\0\0\x02ab"
        );
        assert_eq!(encoded(Request::Close { id: 1, handle: b"h" }), b"\x04\0\0\0\x01\0\0\0\x01h");
        assert_eq!(encoded(Request::Remove { id: 1, path: b"/x" }), b"\x0d\0\0\0\x01\0\0\0\x02/x");
        assert_eq!(encoded(Request::MakeDirectory { id: 1, path: b"/x" }), b"\x0e\0\0\0\x01\0\0\0\x02/x\0\0\0\0");
        assert_eq!(
            encoded(Request::Replace { id: 1, from: b"a", to: b"b" }),
            b"\xc8\0\0\0\x01\0\0\0\x18posix-rename@openssh.com\0\0\0\x01a\0\0\0\x01b"
        );
        assert_eq!(
            encoded(Request::Sync { id: 1, handle: b"h" }),
            b"\xc8\0\0\0\x01\0\0\0\x11fsync@openssh.com\0\0\0\x01h"
        );
    }

    #[test]
    fn replies_are_understood() {
        let cases: [(&[u8], Reply<'_>); 8] = [
            (b"\x02\0\0\0\x03", Reply::Version(3)),
            (b"\x02\0\0\0\x03\0\0\0\x01a\0\0\0\x02bc", Reply::Version(3)),
            (b"\x65\0\0\0\x09\0\0\0\x02", Reply::Status { id: 9, code: 2, message: "".into() }),
            (b"\x65\0\0\0\x09\0\0\0\x02\0\0\0\x02no\0\0\0\x02en", Reply::Status { id: 9, code: 2, message: "no".into() }),
            (b"\x66\0\0\0\x09\0\0\0\x01h", Reply::Handle { id: 9, handle: b"h" }),
            (b"\x67\0\0\0\x09\0\0\0\x03abc", Reply::Data { id: 9, data: b"abc" }),
            (b"\x69\0\0\0\x09\0\0\0\0", Reply::Attributes { id: 9, attributes: Attributes::default() }),
            (
                b"\x69\0\0\0\x09\x80\0\0\x0f\0\0\0\0\0\0\x01\0uuuugggg\0\0\x81\xa4aaaa\0\0\0\x05\0\0\0\x01\0\0\0\x01n\0\0\0\0",
                Reply::Attributes {
                    id: 9,
                    attributes: Attributes { size: Some(256), mode: Some(0o100_644), modified: Some(5) },
                },
            ),
        ];
        for (packet, expected) in cases {
            assert_eq!(Reply::parse(packet), Ok(expected));
            for cut in 0..packet.len() {
                // A version and a status may end earlier, and nothing else.
                let is_whole = matches!((packet[0], cut), (2, 5) | (0x65, 9 | 15));
                assert_eq!(Reply::parse(&packet[..cut]).is_ok(), is_whole, "{cut} of {packet:?}");
            }
            assert_eq!(Reply::parse(&[packet, b"\0"].concat()), Err(PacketError::Damaged));
        }
        assert_eq!(Reply::parse(b"\x01\0\0\0\x03"), Err(PacketError::Unknown));
        let handle = [b"\x66\0\0\0\x09\0\0\x01\x01".as_slice(), &[1; 257]].concat();
        assert_eq!(Reply::parse(&handle), Err(PacketError::Damaged));
        // Pairs that are declared and do not come take no memory and no time.
        assert_eq!(Reply::parse(b"\x69\0\0\0\x09\x80\0\0\0\xff\xff\xff\xff"), Err(PacketError::Damaged));
    }

    #[test]
    fn lengths_are_limited() {
        assert_eq!(packet_len([0, 4, 0, 0]), Ok(MAX_PACKET));
        assert_eq!(packet_len([0, 4, 0, 1]), Err(PacketError::TooLong));
        // What a greeting looks like.
        assert_eq!(packet_len(*b"Welc"), Err(PacketError::TooLong));
        assert_eq!(packet_len([0; 4]), Err(PacketError::Unknown));
    }
}
