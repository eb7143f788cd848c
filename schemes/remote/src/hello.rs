//! What both sides say first.

use std::io::{self, Read};

use crate::message::Broken;

/// Neither text nor what a shell may print, and damaged by what translates line ends.
const MAGIC: [u8; 8] = *b"\x89GSP\r\n\x1a\n";

/// Bytes of a hello.
pub(crate) const LEN: usize = 24;

/// The versions of the protocol that this side speaks.
const OLDEST: u8 = 1;
const NEWEST: u8 = 1;

/// The features that this side knows: none so far.
const KNOWN: u32 = 0;

/// What this side says.
pub(crate) fn ours() -> [u8; LEN] {
    hello(OLDEST, NEWEST, KNOWN, 0)
}

fn hello(oldest: u8, newest: u8, features: u32, needed: u32) -> [u8; LEN] {
    let mut hello = [0; LEN];
    hello[..8].copy_from_slice(&MAGIC);
    (hello[8], hello[9]) = (oldest, newest);
    hello[12..16].copy_from_slice(&features.to_le_bytes());
    hello[16..20].copy_from_slice(&needed.to_le_bytes());
    hello
}

/// Reads what the other side says, and makes sure that both understand each other.
pub(crate) fn read(input: &mut dyn Read) -> Result<(), Broken> {
    let mut magic = [0; MAGIC.len()];
    for at in 0..MAGIC.len() {
        match input.read_exact(&mut magic[at..=at]) {
            // What does not begin with it says why in its own words, which come by another way.
            Err(error) if at > 0 && error.kind() == io::ErrorKind::UnexpectedEof => return Err(NOISE.into()),
            read => read?,
        }
        if magic[at] != MAGIC[at] {
            return Err(NOISE.into());
        }
    }
    let mut rest = [0; LEN - MAGIC.len()];
    input.read_exact(&mut rest)?;
    let [oldest, newest, _, _, _, _, _, _, needed @ ..] = rest;
    let needed = u32::from_le_bytes([needed[0], needed[1], needed[2], needed[3]]);
    if oldest > NEWEST {
        return Err("it is newer, and does not speak this version's protocol any more; update gosync here".into());
    }
    if newest < OLDEST || newest < oldest {
        return Err("it is older, and does not speak this version's protocol yet; update gosync there".into());
    }
    if needed & !KNOWN != 0 {
        return Err("it needs what this version does not know; update gosync here".into());
    }
    Ok(())
}

const NOISE: &str = "what answers there is not gosync, or something is printed before it: a shell's start-up files must \
                     print nothing where there is no terminal";

#[cfg(test)]
mod tests {
    use super::*;

    fn why(bytes: &[u8]) -> String {
        read(&mut &*bytes).map_or_else(|error| error.to_string(), |()| "understood".into())
    }

    #[test]
    fn versions_meet() {
        assert_eq!(why(&ours()), "understood");
        assert_eq!(why(&hello(1, 9, u32::MAX, 0)), "understood", "what is not needed is ignored");
        let mut padded = ours();
        padded[10] = 7;
        padded[23] = 7;
        assert_eq!(why(&padded), "understood", "what later versions say there is ignored");
        assert!(why(&hello(2, 9, 0, 0)).contains("it is newer"));
        assert!(why(&hello(0, 0, 0, 0)).contains("it is older"));
        assert!(why(&hello(1, 1, 0, 1 << 31)).contains("needs what this version"));
    }

    #[test]
    fn noise_is_told_from_a_lost_line() {
        for noise in ["Welcome to Linux!\n", "\u{89}GSP", "bash: gosync: not found\n", "\0", "SSH-2.0"] {
            assert!(why(noise.as_bytes()).contains("not gosync"), "{noise:?}");
        }
        let mut text = ours().to_vec();
        text.remove(4);
        assert!(why(&text).contains("not gosync"), "line ends were translated");
        assert!(!why(b"").contains("not gosync"));
        assert!(!why(&ours()[..20]).contains("not gosync"));
    }
}
