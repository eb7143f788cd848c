//! `fast_rsync`, which knows MD4 and rollsum only, reads ours, and we read its.

use fast_rsync::SignatureOptions as FastOptions;
use gosync_librsync::SignatureKind;
use gosync_testkit::corpus::{self, edit};

use crate::support::{apply, diff, options, signature_of};

#[test]
fn each_reads_what_the_other_wrote() {
    for (name, old) in corpus::all(7, 300_000) {
        let new = edit::scatter(&edit::insert(&old, 2, 10, 2000), 3, 10);
        for (block_len, strong_len) in [(2048, 16), (512, 8), (1000, 16)] {
            let what = format!("{name}, {block_len}, {strong_len}");
            let ours = signature_of(&old, &options(SignatureKind::Md4Rollsum, block_len, strong_len, &old));
            let fast = FastOptions { block_size: block_len, crypto_hash_size: strong_len };
            assert!(fast_rsync::Signature::calculate(&old, fast).serialized() == ours, "{what}");

            let read = fast_rsync::Signature::deserialize(ours.clone()).unwrap();
            let mut delta = Vec::new();
            fast_rsync::diff(&read.index(), &new, &mut delta).unwrap();
            assert!(apply(&old, &delta).unwrap() == new, "{what}");

            let mut made = Vec::new();
            fast_rsync::apply(&old, &diff(&ours, &new), &mut made).unwrap();
            assert!(made == new, "{what}");
        }
    }
}
