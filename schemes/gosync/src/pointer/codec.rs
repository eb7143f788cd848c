//! The bytes of a pointer: FORMAT.md, chapter 6.

use gosync_chunks::TargetName;

use super::error::PointerError;

/// What is added to the name of something published to make that of its pointer.
pub const POINTER_SUFFIX: &str = ".gosync-latest";

/// The most bytes that a pointer may have, its signature included.
pub const MAX_POINTER_LEN: u64 = 4096;

/// The most bytes that a name in a pointer may have: as many as file systems take.
pub const MAX_NAME_LEN: usize = 255;

const MAGIC: [u8; 8] = *b"\x89GOSYLT\n";
const VERSION: u16 = 1;
const PREFIX_LEN: usize = 16;
const CHECKSUM_LEN: usize = 32;

/// The most bytes that the fields can have: three numbers, a hash, and two names.
const MAX_FIELDS_LEN: usize = 3 * 8 + 32 + 2 * (1 + MAX_NAME_LEN);

/// What a pointer says.
///
/// ```
/// use gosync::pointer::Pointer;
/// use gosync::publish::TargetName;
///
/// let pointer = Pointer {
///     name: TargetName::new("app.img")?,
///     serial: 7,
///     published_at: 1_764_547_200,
///     expires_at: None,
///     index: TargetName::new("app.img-7-1f0e9d8c7b6a5948.gosync")?,
///     head: *blake3::hash(b"the head of the index").as_bytes(),
/// };
/// let bytes = pointer.encode();
/// assert_eq!(Pointer::read(&bytes)?, (pointer, bytes.len()));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pointer {
    /// What is published.
    pub name: TargetName,
    /// Which version of it that is: each has a greater one than those before, and the first has 1.
    pub serial: u64,
    /// When it was published, in seconds since the beginning of 1970.
    pub published_at: u64,
    /// When it is no longer to be believed, in the same.
    pub expires_at: Option<u64>,
    /// The file name of the index, which is beside the pointer.
    pub index: TargetName,
    /// BLAKE3 of the head of the index.
    pub head: [u8; 32],
}

impl Pointer {
    /// Whether what begins with `start`, of which eight bytes will do, is a pointer or was one.
    pub fn begins(start: &[u8]) -> bool {
        start.starts_with(&MAGIC[..MAGIC.len() - 1])
    }

    /// The bytes of it, which are what is signed.
    ///
    /// # Panics
    ///
    /// When a name has more than [`MAX_NAME_LEN`] bytes.
    pub fn encode(&self) -> Vec<u8> {
        let mut fields = Vec::with_capacity(MAX_FIELDS_LEN);
        for number in [self.serial, self.published_at, self.expires_at.unwrap_or(0)] {
            fields.extend(number.to_le_bytes());
        }
        fields.extend(self.head);
        for name in [&self.name, &self.index] {
            fields.push(u8::try_from(name.as_str().len()).expect("names have at most 255 bytes"));
            fields.extend(name.as_str().as_bytes());
        }
        let mut bytes = MAGIC.to_vec();
        bytes.extend(VERSION.to_le_bytes());
        bytes.extend(0u16.to_le_bytes());
        bytes.extend((fields.len() as u32).to_le_bytes());
        bytes.extend(fields);
        bytes.extend(blake3::hash(&bytes).as_bytes());
        bytes
    }

    /// Reads the pointer that begins with the first of `bytes`, and tells how many of them are of
    /// it. What follows them is its signature.
    ///
    /// # Errors
    ///
    /// When it is none, or damaged.
    pub fn read(bytes: &[u8]) -> Result<(Self, usize), PointerError> {
        let cut_off = || PointerError::damaged("it is cut off");
        if !bytes.starts_with(&MAGIC) {
            return Err(PointerError::damaged(match Self::begins(bytes) && bytes.len() > MAGIC.len() {
                true => "its line ends were translated, as if it were text",
                false => "it does not begin as a pointer does",
            }));
        }
        let prefix: &[u8; PREFIX_LEN] = bytes.first_chunk().ok_or_else(cut_off)?;
        let [.., v0, v1, f0, f1, l0, l1, l2, l3] = *prefix;
        let version = u16::from_le_bytes([v0, v1]);
        if version != VERSION {
            return Err(PointerError::Version { version });
        }
        if [f0, f1] != [0, 0] {
            return Err(PointerError::damaged("it has flags that this program does not know"));
        }
        let len = u32::from_le_bytes([l0, l1, l2, l3]) as usize;
        if len > MAX_FIELDS_LEN {
            return Err(PointerError::damaged("it is too long"));
        }
        let (covered, rest) = bytes.split_at_checked(PREFIX_LEN + len).ok_or_else(cut_off)?;
        let checksum: &[u8; CHECKSUM_LEN] = rest.first_chunk().ok_or_else(cut_off)?;
        if blake3::hash(covered).as_bytes() != checksum {
            return Err(PointerError::damaged("its checksum does not hold"));
        }
        let pointer = Self::of(&covered[PREFIX_LEN..])?;
        Ok((pointer, covered.len() + CHECKSUM_LEN))
    }

    fn of(fields: &[u8]) -> Result<Self, PointerError> {
        let mut fields = Fields(fields);
        let (serial, published_at, expires_at) = (fields.number()?, fields.number()?, fields.number()?);
        let head = fields.array()?;
        let (name, index) = (fields.name()?, fields.name()?);
        if !fields.0.is_empty() {
            return Err(PointerError::damaged("it has more than its fields"));
        }
        if serial == 0 || (expires_at != 0 && expires_at <= published_at) {
            return Err(PointerError::damaged("its serial number or its times cannot be"));
        }
        Ok(Self { name, serial, published_at, expires_at: Some(expires_at).filter(|&at| at > 0), index, head })
    }
}

/// What is left of the fields.
struct Fields<'a>(&'a [u8]);

impl Fields<'_> {
    fn array<const N: usize>(&mut self) -> Result<[u8; N], PointerError> {
        let (bytes, rest) = self.0.split_first_chunk().ok_or(PointerError::damaged("its fields are cut off"))?;
        self.0 = rest;
        Ok(*bytes)
    }

    fn number(&mut self) -> Result<u64, PointerError> {
        Ok(u64::from_le_bytes(self.array()?))
    }

    fn name(&mut self) -> Result<TargetName, PointerError> {
        let [len] = self.array()?;
        let (name, rest) =
            self.0.split_at_checked(len.into()).ok_or(PointerError::damaged("its fields are cut off"))?;
        self.0 = rest;
        let name = std::str::from_utf8(name).map_err(|_| PointerError::damaged("a name in it is no text"))?;
        Ok(TargetName::new(name)?)
    }
}
