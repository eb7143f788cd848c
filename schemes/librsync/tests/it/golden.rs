//! Files that rdiff 2.3.2 made, of `corpus::lcg_a` and `corpus::lcg_b`: `rdiff -b 2048 -S 0 -H md4|blake2 -R rollsum|rabinkarp signature A`, which
//! is named by the last digits of its magic, and `rdiff delta` of any of them and B.

use gosync_librsync::SignatureKind;
use gosync_testkit::corpus;

use crate::support::{apply, diff, options, signature_of};

#[test]
fn as_rdiff_made_them() {
    let (old, new) = (corpus::lcg_a(), corpus::lcg_b());
    let expected_delta = include_bytes!("../vectors/delta");
    for (kind, expected) in [
        (SignatureKind::Md4Rollsum, include_bytes!("../vectors/s136").as_slice()),
        (SignatureKind::Blake2Rollsum, include_bytes!("../vectors/s137")),
        (SignatureKind::Md4RabinKarp, include_bytes!("../vectors/s146")),
        (SignatureKind::Blake2RabinKarp, include_bytes!("../vectors/s147")),
    ] {
        assert!(signature_of(&old, &options(kind, 2048, 0, &old)) == expected, "{kind:?}");
        assert!(diff(expected, &new) == expected_delta, "{kind:?}");
    }
    assert!(apply(&old, expected_delta).unwrap() == new);
}
