//! A page that shows where the bytes of a target come from, as HTML.

use super::cells::{Class, Classes};
use super::data::{Origin, ReportData};
use super::{flow, layers, map};
use crate::text::{escaped, grouped, percent, size};

const STYLE: &str = include_str!("style.css");

/// The page for `data`, as HTML that is well-formed XML too.
pub(super) fn render(data: &ReportData) -> String {
    let classes = Classes::new(data);
    let title = escaped(&data.target_name);
    let parts = [
        numbers(data),
        legend(data, &classes),
        section("The target, row by row", &map::draw(data, &classes)),
        section("Where it lies in the seeds", &flow::draw(data, &classes)),
        section("Layer by layer", &layers::draw(data)),
    ];
    // Names come from indexes: even if one got through, nothing would run or load.
    format!(
        "<!DOCTYPE html>\n<html xmlns=\"http://www.w3.org/1999/xhtml\" lang=\"en\">\n<head>\n<meta charset=\"utf-8\"/>\n\
         <meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\"/>\n\
         <meta name=\"viewport\" content=\"width=device-width\"/>\n\
         <title>gosync: {title}</title>\n<style>\n{STYLE}</style>\n</head>\n<body>\n<h1>{title}</h1>\n{}\
         </body>\n</html>\n",
        parts.concat()
    )
}

fn section(title: &str, content: &str) -> String {
    if content.is_empty() { String::new() } else { format!("<h2>{title}</h2>\n{content}") }
}

fn numbers(data: &ReportData) -> String {
    let sum = |of: fn(Origin) -> bool| -> u64 {
        data.spans.iter().filter(|span| of(span.origin)).map(|span| span.range.len()).sum()
    };
    let part = |bytes| format!("{} bytes ({})", grouped(bytes), escaped(&percent(bytes, data.target_bytes)));
    let fetches = data.spans.iter().filter(|span| span.origin == Origin::Fetch).count() as u64;
    let mut rows = vec![
        ("target", format!("{} bytes ({})", grouped(data.target_bytes), size(data.target_bytes))),
        ("from seeds", part(sum(|origin| matches!(origin, Origin::Copy { .. })))),
        ("repeated", part(sum(|origin| matches!(origin, Origin::Repeat { .. })))),
        ("to fetch", format!("{} in {} ranges", part(sum(|origin| origin == Origin::Fetch)), grouped(fetches))),
        ("index", format!("{} bytes ({})", grouped(data.index_bytes), size(data.index_bytes))),
    ];
    rows.extend(data.payload_bytes.map(|bytes| ("payload", format!("{} bytes ({})", grouped(bytes), size(bytes)))));
    rows.extend(data.requests.map(|requests| ("requests", grouped(requests))));
    let rows: String = rows.iter().map(|(name, value)| format!("<tr><th>{name}</th><td>{value}</td></tr>\n")).collect();
    format!("<table>\n{rows}</table>\n")
}

fn legend(data: &ReportData, classes: &Classes) -> String {
    let item = |class: Class, bytes| {
        let (css, name) = (class.css(), escaped(&classes.name(class, data)));
        format!("<li><span class=\"{css}\"></span>{name} <small>{}</small></li>\n", size(bytes))
    };
    let items: String = classes.present().map(|(class, bytes)| item(class, bytes)).collect();
    format!("<ul>\n{items}</ul>\n")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::page::data::{ReportLayer, ReportSeed, ReportSpan};
    use gosync::update::ByteRange;

    fn small() -> ReportData {
        let span = |start, end, origin, layer| ReportSpan { range: ByteRange { start, end }, origin, layer };
        ReportData {
            target_name: "app <2.0> & \"more\"".into(),
            target_bytes: 1_000_000,
            seeds: vec![
                ReportSeed { name: "app-1.9.img".into(), bytes: 900_000 },
                ReportSeed { name: "a/path/that/is/too/long/for/a/cell.img".into(), bytes: 50_000 },
                ReportSeed { name: "unused".into(), bytes: 10 },
            ],
            spans: vec![
                span(0, 300_000, Origin::Copy { seed: 0, offset: 0 }, 0),
                span(300_000, 300_256, Origin::Fetch, 2),
                span(300_256, 650_000, Origin::Copy { seed: 0, offset: 300_000 }, 0),
                span(650_000, 700_000, Origin::Copy { seed: 1, offset: 0 }, 1),
                span(700_000, 900_000, Origin::Fetch, 2),
                span(900_000, 1_000_000, Origin::Repeat { of: 700_000 }, 2),
            ],
            layers: vec![
                ReportLayer { block_size: 65536, asked: 16, matched: 9, index_bytes: 200 },
                ReportLayer { block_size: 8192, asked: 56, matched: 7, index_bytes: 600 },
                ReportLayer { block_size: 1024, asked: 392, matched: 100, index_bytes: 4000 },
            ],
            index_bytes: 4800,
            payload_bytes: Some(81_000),
            requests: Some(5),
        }
    }

    /// A million short spans from many seeds, none of them where it was.
    fn large() -> ReportData {
        const SPANS: u64 = 1_000_000;
        let len = (300 << 30) / SPANS;
        let spans = (0..SPANS).map(|at| {
            let mixed = at.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 20;
            let origin = match mixed % 11 {
                9 => Origin::Fetch,
                10 => Origin::Repeat { of: 0 },
                seed => Origin::Copy { seed: seed as usize, offset: mixed % (200 << 30) },
            };
            ReportSpan { range: ByteRange::at(at * len, len), origin, layer: (mixed % 5) as usize }
        });
        let layer = ReportLayer { block_size: 1024, asked: SPANS, matched: SPANS, index_bytes: SPANS };
        ReportData {
            target_bytes: SPANS * len,
            spans: spans.collect(),
            seeds: (0..9)
                .map(|at| ReportSeed { name: format!("{at}&{}", "x".repeat(200)), bytes: 200 << 30 })
                .collect(),
            layers: vec![layer; 5],
            ..small()
        }
    }

    /// That `page` has tags that close in the right order, and none that does anything.
    fn check(page: &str) {
        let mut open = Vec::new();
        for (at, _) in page.match_indices('<').skip(1) {
            let tag = &page[at + 1..at + page[at..].find('>').expect("a tag that ends")];
            let name = tag.trim_start_matches('/').split([' ', '\n']).next().unwrap_or_default();
            if tag.starts_with('/') {
                assert_eq!(open.pop(), Some(name), "at {at}");
            } else if !tag.ends_with('/') {
                open.push(name);
            }
            assert_ne!(name, "script");
        }
        assert!(open.is_empty());
        for forbidden in ["href", "src=", "url(", "@import", "NaN", "inf"] {
            assert!(!page.contains(forbidden), "{forbidden}");
        }
    }

    #[test]
    fn a_small_page() {
        let page = render(&small());
        check(&page);
        insta::assert_snapshot!(page.replace(STYLE, "[style]\n"));
    }

    #[test]
    fn no_target_makes_a_large_page() {
        let page = render(&large());
        check(&page);
        assert!(page.len() < 500_000, "{}", page.len());
    }

    #[test]
    fn what_there_is_little_of() {
        let fetch = |end| ReportSpan { range: ByteRange { start: 0, end }, origin: Origin::Fetch, layer: 0 };
        for target_bytes in [0, 1, 5] {
            let spans = if target_bytes > 0 { vec![fetch(target_bytes)] } else { Vec::new() };
            let page = render(&ReportData { target_bytes, spans, ..ReportData::default() });
            check(&page);
            assert_eq!(page.contains("<svg"), target_bytes > 0);
        }
        let strayed = ReportSpan { origin: Origin::Copy { seed: 7, offset: u64::MAX }, layer: 9, ..fetch(9) };
        check(&render(&ReportData { target_bytes: 9, spans: vec![strayed], ..small() }));
    }
}
