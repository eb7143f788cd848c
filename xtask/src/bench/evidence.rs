//! What a run left behind: the bytes that it moved, and what it made.

use std::fs::{self, File};
use std::hash::{DefaultHasher, Hasher};
use std::io::{self, Read};

use serde_json::Value;

use super::case::Product;

/// A number that differs where what was made differs.
///
/// # Errors
///
/// When it cannot be read, or is not as programs of ours write it.
pub(crate) fn digest(product: &Product) -> io::Result<u64> {
    let mut hasher = DefaultHasher::new();
    match product {
        Product::File(path) => {
            let (mut file, mut buffer) = (File::open(path)?, vec![0; 1 << 20]);
            while let read @ 1.. = file.read(&mut buffer)? {
                hasher.write(&buffer[..read]);
            }
        }
        Product::Json(path, keys) => {
            let last = last_object(&fs::read_to_string(path)?).unwrap_or_default();
            for key in *keys {
                let number = last[key].as_u64().ok_or_else(|| io::Error::other(format!("it printed no \"{key}\"")))?;
                hasher.write_u64(number);
            }
        }
    }
    Ok(hasher.finish())
}

/// The sum of values of the last line of JSON.
pub(crate) fn json_sum(printed: &str, keys: &[&str]) -> Option<u64> {
    let last = last_object(printed)?;
    keys.iter().map(|key| last[key].as_u64()).sum()
}

fn last_object(printed: &str) -> Option<Value> {
    serde_json::from_str(printed.lines().last()?).ok()
}

/// What both ends sent, the sums included.
pub(crate) fn rsync_bytes(printed: &str) -> Option<u64> {
    ["Total bytes sent:", "Total bytes received:"]
        .iter()
        .map(|label| {
            let line = printed.lines().find_map(|line| line.strip_prefix(label))?;
            line.trim().replace([',', '.'], "").parse::<u64>().ok()
        })
        .sum()
}

/// The last word of a line of testkit's access log.
pub(crate) fn served_bytes(line: &str) -> u64 {
    line.rsplit(' ').next().and_then(|bytes| bytes.parse().ok()).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_are_read_from_what_programs_say() {
        let json = "{\"event\":\"x\"}\n{\"index_bytes\":10,\"fetched_bytes\":5}\n";
        assert_eq!(json_sum(json, &["index_bytes", "fetched_bytes"]), Some(15));
        assert_eq!(json_sum(json, &["index_bytes", "others"]), None);
        assert_eq!(json_sum("", &[]), None);
        assert_eq!(rsync_bytes("Total bytes sent: 41,093\nTotal bytes received: 7\n"), Some(41_100));
        assert_eq!(rsync_bytes("Total bytes sent: 41,093\n"), None);
        assert_eq!(served_bytes("GET /file bytes=2-4 206 3"), 3);
    }

    #[test]
    fn what_differs_has_another_digest() {
        let folder = tempfile::tempdir().unwrap();
        let digest = |bytes: &[u8]| {
            let path = folder.path().join("file");
            fs::write(&path, bytes).unwrap();
            digest(&Product::File(path)).unwrap()
        };
        let mut data = vec![1; (1 << 20) + 1];
        let one = digest(&data);
        assert_eq!(one, digest(&data));
        data[1 << 20] = 2;
        assert_ne!(one, digest(&data));
    }

    #[test]
    fn of_what_is_printed_only_the_named_values_count() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("json");
        let digest = |text: &str| {
            fs::write(&path, text).unwrap();
            digest(&Product::Json(path.clone(), &["matched_bytes"])).ok()
        };
        let one = digest("{\"matched_bytes\":1,\"seconds\":2}");
        assert!(one.is_some() && one == digest("{\"matched_bytes\":1,\"seconds\":3}"));
        assert_ne!(one, digest("{\"matched_bytes\":2,\"seconds\":2}"));
        assert_eq!(digest("{\"seconds\":2}"), None);
    }
}
