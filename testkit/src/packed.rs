//! Packed files, made by code. The caller brings the encoder.

/// A gzip file with `plain` in it, as `deflate` compresses that.
pub fn gzip(plain: &[u8], deflate: impl Fn(&[u8]) -> Vec<u8>) -> Vec<u8> {
    let mut file = vec![0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255];
    file.extend(deflate(plain));
    file.extend(crc32(plain).to_le_bytes());
    file.extend((plain.len() as u32).to_le_bytes());
    file
}

/// A zip file with these members, names first, as `deflate` compresses them.
pub fn zip(members: &[(&str, &[u8])], deflate: impl Fn(&[u8]) -> Vec<u8>) -> Vec<u8> {
    let (mut file, mut directory) = (Vec::new(), Vec::new());
    for (name, plain) in members {
        let (at, packed) = (file.len() as u32, deflate(plain));
        // From the version that is needed on, as far as both headers have the same: no flags,
        // deflate, and 1 January 1980.
        let mut fields = vec![20, 0, 0, 0, 8, 0, 0, 0, 0x21, 0];
        for number in [crc32(plain), packed.len() as u32, plain.len() as u32] {
            fields.extend(number.to_le_bytes());
        }
        fields.extend((name.len() as u16).to_le_bytes());
        fields.extend([0, 0]);
        file.extend([&b"PK\x03\x04"[..], &fields, name.as_bytes(), &packed].concat());
        let place = at.to_le_bytes();
        directory.extend([&b"PK\x01\x02\x14\0"[..], &fields, &[0; 10], &place, name.as_bytes()].concat());
    }
    let (start, count) = (file.len() as u32, (members.len() as u16).to_le_bytes());
    file.extend(&directory);
    file.extend([&b"PK\x05\x06\0\0\0\0"[..], &count, &count].concat());
    file.extend((directory.len() as u32).to_le_bytes());
    file.extend(start.to_le_bytes());
    file.extend([0, 0]);
    file
}

/// The check of zip and gzip files (ISO 3309), bit by bit.
fn crc32(data: &[u8]) -> u32 {
    !data.iter().fold(!0, |mut crc, byte| {
        crc ^= u32::from(*byte);
        for _ in 0..8 {
            crc = crc >> 1 ^ if crc & 1 == 1 { 0xedb8_8320 } else { 0 };
        }
        crc
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::peers;
    use std::process::Command;

    /// One stored block.
    fn stored(plain: &[u8]) -> Vec<u8> {
        let len = plain.len() as u16;
        [&[1][..], &len.to_le_bytes(), &(!len).to_le_bytes(), plain].concat()
    }

    #[test]
    fn real_programs_read_them() {
        let directory = tempfile::tempdir().unwrap();
        let write = |name: &str, bytes: Vec<u8>| std::fs::write(directory.path().join(name), bytes).unwrap();
        write("a.zip", zip(&[("one", b"One fish"), ("two", b""), ("red", &[7; 1000])], stored));
        write("a.gz", gzip(b"Blue fish", stored));
        let Some(python) = peers::require("python3") else { return };
        let script = "import gzip, zipfile; print(gzip.open('a.gz').read(), zipfile.ZipFile('a.zip').testzip(), \
                      zipfile.ZipFile('a.zip').read('one'), zipfile.ZipFile('a.zip').namelist())";
        let output = Command::new(python).args(["-c", script]).current_dir(directory.path()).output().unwrap();
        let printed = String::from_utf8(output.stdout).unwrap();
        assert_eq!(printed.trim(), "b'Blue fish' None b'One fish' ['one', 'two', 'red']");
    }
}
