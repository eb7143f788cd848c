use super::*;
use proptest::prelude::*;

#[derive(Debug, Default, PartialEq, Eq)]
struct Read {
    parts: Vec<(u64, Option<u64>, Vec<u8>)>,
    ended: bool,
}

fn read<'a>(boundary: &str, pieces: impl IntoIterator<Item = &'a [u8]>) -> Result<Read, MultipartError> {
    let mut parser = Parser::new(boundary);
    let mut read = Read::default();
    for mut piece in pieces {
        while let Some(event) = parser.next(&mut piece)? {
            match event {
                Event::Part { range, total } => read.parts.push((range.start, total, Vec::new())),
                Event::Body(body) => read.parts.last_mut().unwrap().2.extend_from_slice(body),
                Event::End => read.ended = true,
            }
        }
    }
    assert_eq!(read.ended, parser.is_over());
    Ok(read)
}

#[test]
fn boundaries() {
    for (content_type, expected) in [
        ("multipart/byteranges; boundary=abc", Some("abc")),
        ("Multipart/ByteRanges;charset=utf-8 ; BOUNDARY = \"a; b=\\\"c\" ; x=y", Some("a; b=\"c")),
        ("multipart/byteranges; x=\"boundary=no\"; boundary=yes;more=1", Some("yes")),
        ("multipart/byteranges; boundary=", None),
        ("multipart/byteranges; boundary=\"open", None),
        ("multipart/byteranges; charset=x", None),
        ("multipart/byteranges", None),
        ("multipart/mixed; boundary=abc", None),
        ("text/plain", None),
    ] {
        assert_eq!(boundary(content_type).as_deref(), expected, "{content_type}");
    }
    assert_eq!(boundary(&format!("multipart/byteranges; boundary={}", "x".repeat(201))), None);
}

#[test]
fn what_servers_send() {
    let two = || vec![(5, Some(99), b"hello".to_vec()), (1, None, b"\n--b".to_vec())];
    for (what, body) in [
        // nginx begins with an empty line, Apache without.
        (
            "crlf",
            "\r\n--b\r\nContent-Type: a\r\nContent-Range: bytes 5-9/99\r\n\r\nhello\r\n--b\r\ncontent-range:bytes 1-4/*\r\n\r\n\n--b\r\n--b--\r\n",
        ),
        ("lf", "--b\nContent-Range: bytes 5-9/99\n\nhello\n--b\nContent-Range: bytes 1-4/*\n\n\n--b\n--b--"),
        (
            "preamble and epilogue",
            "once\r\n--bb\r\n\r\n--b  \r\nContent-Range: bytes 5-9/99\r\n\r\nhello--b\r\nContent-Range: bytes 1-4/*\r\nX: y\r\n\r\n\n--b\r\n\r\n--b--  \r\n--b\r\nnot a part",
        ),
    ] {
        assert_eq!(read("b", [body.as_bytes()]), Ok(Read { parts: two(), ended: true }), "{what}");
        assert_eq!(read("b", body.as_bytes().chunks(1)), Ok(Read { parts: two(), ended: true }), "{what}");
    }
    let cut = b"--b\r\nContent-Range: bytes 5-9/99\r\n\r\nhel";
    let expected = Read { parts: vec![(5, Some(99), b"hel".to_vec())], ended: false };
    assert_eq!(read("b", [&cut[..]]), Ok(expected), "the reader knows that something is missing");
    assert_eq!(read("b", [&b"--b--"[..]]), Ok(Read { parts: vec![], ended: true }));
}

#[test]
fn what_is_none() {
    let long = format!("--b\r\n{}", "x: y\r\n".repeat(2000));
    let endless = format!("--b\r\nContent-Range: {}", " ".repeat(9000));
    for (body, expected) in [
        ("--b\r\nContent-Type: a\r\n\r\nhello\r\n", MultipartError::NoRange),
        ("--b\r\nContent-Range: bytes */9\r\n\r\nhello\r\n", MultipartError::NoRange),
        ("--b\r\nContent-Range: bytes 0-9/5\r\n\r\n", MultipartError::NoRange),
        ("--b\r\nContent-Range: bytes 0-1/5\r\nContent-Range: bytes 1-2/5\r\n\r\n", MultipartError::NoRange),
        ("--b\r\nContent-Range: bytes 0-1/5\r\n\r\nhello\r\n--b--", MultipartError::Length),
        ("--b\r\nContent-Range: bytes 0-1/5\r\n\r\nhe\r\n--c\r\n", MultipartError::Length),
        (&long, MultipartError::LongHead),
        (&endless, MultipartError::LongHead),
        (&"x".repeat(9000), MultipartError::LongHead),
        (&"\r\n".repeat(9000), MultipartError::LongHead),
    ] {
        assert_eq!(read("b", [body.as_bytes()]), Err(expected), "{body:.60}");
        assert_eq!(read("b", body.as_bytes().chunks(1)), Err(expected), "{body:.60}");
    }
}

proptest! {
    #[test]
    fn any_cut_reads_the_same(
        ranges in proptest::collection::vec((0u64..1000, proptest::collection::vec(0u8..12, 1..20)), 0..6),
        sizes in proptest::collection::vec(1usize..30, 1..9),
    ) {
        let mut body = Vec::new();
        for (start, data) in &ranges {
            let last = start + data.len() as u64 - 1;
            body.extend_from_slice(format!("\r\n--\u{1}\r\nContent-Range: bytes {start}-{last}/5000\r\n\r\n").as_bytes());
            body.extend_from_slice(data);
        }
        body.extend_from_slice(b"\r\n--\x01--");
        let mut rest = body.as_slice();
        let mut pieces = Vec::new();
        for size in sizes.iter().cycle() {
            if rest.is_empty() { break }
            let (piece, left) = rest.split_at(rest.len().min(*size));
            pieces.push(piece);
            rest = left;
        }
        let expected = ranges.into_iter().map(|(start, data)| (start, Some(5000), data)).collect();
        prop_assert_eq!(read("\u{1}", pieces), Ok(Read { parts: expected, ended: true }));
    }
}
