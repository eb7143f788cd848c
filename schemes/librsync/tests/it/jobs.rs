//! The state machines: the same as the calls, however their input is cut.

use gosync_librsync::{
    Command, CommandReader, DeltaJob, DeltaOptions, LiteralLen, Signature, SignatureJob, SignatureKind,
    SignatureLoader, SignatureOptions, delta_at, delta_between, signature_at,
};
use gosync_testkit::Random;
use gosync_testkit::corpus::{self, edit};

use crate::support::{apply, diff, diff_with, on_threads, options, signature_of};

/// Cuts `data` anywhere.
fn cut<'a>(data: &'a [u8], random: &mut Random, most: usize) -> Vec<&'a [u8]> {
    let (mut rest, mut pieces) = (data, Vec::new());
    while !rest.is_empty() {
        let (piece, left) = rest.split_at(rest.len().min(random.below(most + 1)));
        pieces.push(piece);
        rest = left;
    }
    pieces
}

#[test]
fn however_the_input_is_cut() {
    let mut random = Random::new(1);
    for (len, most) in [(0, 1), (1, 1), (5000, 3), (3_000_000, 50_000), (3_000_000, 3_000_000)] {
        let old = corpus::text(1, len);
        let new = edit::shift_by_one(&edit::scatter(&edit::insert(&old, 2, 20, 900), 3, 20));
        let options = options(SignatureKind::Blake2RabinKarp, 700, 8, &old);

        let expected = signature_of(&old, &options);
        let mut sums = Vec::new();
        let mut job = SignatureJob::new(&options, &mut sums).unwrap();
        cut(&old, &mut random, most).into_iter().for_each(|piece| job.update(piece, &mut sums));
        job.finish(&mut sums);
        assert!(sums == expected, "{len}");

        let mut loader = SignatureLoader::default();
        cut(&sums, &mut random, most).into_iter().for_each(|piece| loader.update(piece).unwrap());
        let signature = loader.finish().unwrap();
        assert_eq!(signature, Signature::read(sums.as_slice()).unwrap());

        let expected = diff(&sums, &new);
        let (index, mut delta) = (signature.index(), Vec::new());
        let mut job = DeltaJob::new(&index, &DeltaOptions::default(), &mut delta);
        cut(&new, &mut random, most).into_iter().for_each(|piece| job.update(piece, &mut delta));
        let report = job.finish(&mut delta);
        assert!(delta == expected, "{len}");
        assert_eq!((report.new_bytes(), report.delta_bytes), (new.len() as u64, delta.len() as u64));

        let (mut reader, mut made) = (CommandReader::default(), Vec::new());
        for mut piece in cut(&delta, &mut random, most) {
            while let Some(command) = reader.next(&mut piece).unwrap() {
                match command {
                    Command::Bytes(bytes) => made.extend_from_slice(bytes),
                    Command::Copy { position, len } => made.extend(&old[position as usize..][..len as usize]),
                    Command::Literal { .. } | Command::End => {}
                }
            }
            assert!(piece.is_empty());
        }
        assert!(reader.is_over() && made == new, "{len}");
    }
}

#[test]
fn the_number_of_threads_does_not_show() {
    for (name, old) in corpus::all(3, 5_000_000) {
        let new = edit::insert_every(&edit::move_ranges(&old, 1, 4, 300_000), 2, 100_000, 1);
        let options = options(SignatureKind::Md4RabinKarp, 1811, 0, &old);
        let sums = on_threads(1, || signature_of(&old, &options));
        let delta = on_threads(1, || diff(&sums, &new));
        let signature = Signature::read(sums.as_slice()).unwrap();
        let at = || {
            let (mut signed, mut compared) = (Vec::new(), Vec::new());
            signature_at(&old, &mut signed, &options).unwrap();
            delta_at(&signature.index(), &new, &mut compared, &DeltaOptions::default()).unwrap();
            signed == sums && compared == delta
        };
        assert!(on_threads(1, at), "{name}");
        for threads in [2, 5] {
            assert!(on_threads(threads, || signature_of(&old, &options)) == sums, "{name}");
            assert!(on_threads(threads, || diff(&sums, &new)) == delta, "{name}");
            assert!(on_threads(threads, at), "{name}");
        }
        assert!(apply(&old, &delta).unwrap() == new, "{name}");
    }
}

#[test]
fn literals_are_as_long_as_asked_for() {
    let new = corpus::random(1, 200_000);
    let sums = signature_of(b"basis", &SignatureOptions::default());
    let lens = |literals| {
        let delta = diff_with(&sums, &new, &DeltaOptions { literals });
        let (mut reader, mut input, mut lens) = (CommandReader::default(), delta.as_slice(), Vec::new());
        while let Some(command) = reader.next(&mut input).unwrap() {
            if let Command::Literal { len } = command {
                lens.push(len);
            }
        }
        lens
    };
    assert_eq!(lens(LiteralLen::UpTo32768), [32_768, 32_768, 32_768, 32_768, 32_768, 32_768, 3392]);
    assert_eq!(lens(LiteralLen::UpTo65533), [65_533, 65_533, 65_533, 3401]);
}

#[test]
fn two_files_at_once() {
    let (old, new) = (corpus::lcg_a(), corpus::lcg_b());
    let mut delta = Vec::new();
    let (signature_options, options) = (SignatureOptions::default(), DeltaOptions::default());
    delta_between(old.as_slice(), new.as_slice(), &mut delta, &signature_options, &options).unwrap();
    assert!(delta == diff(&signature_of(&old, &signature_options), &new));
    assert!(apply(&old, &delta).unwrap() == new);
}
