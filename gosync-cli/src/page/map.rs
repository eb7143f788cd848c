//! The target in rows, as text runs: what each part of it comes from.

use std::fmt::Write;

use gosync::update::ByteRange;

use super::cells::{Class, Classes, Frame, bars, cells};
use super::data::{Origin, ReportData, ReportSpan};
use crate::text::{escaped, grouped, share, size};

const ROWS: usize = 6;
/// Cells in a row.
const COLUMNS: usize = 120;
const CELL_WIDTH: usize = 8;
const ROW_HEIGHT: usize = 24;
/// From the top of one row to that of the next.
const PITCH: usize = 30;
/// Room for where a row begins.
const LEFT: usize = 80;
/// Up to so many spans each tell of themselves, beyond it the cells do.
const MOST_EXACT: usize = 400;
/// Up to so many origins of a cell are told.
const MOST_TOLD: usize = 3;

pub(super) fn draw(data: &ReportData, classes: &Classes) -> String {
    if data.target_bytes == 0 {
        return String::new();
    }
    let cells = cells::<{ Class::COUNT }>(data, ROWS * COLUMNS, |span| Some(classes.of(span.origin).index()));
    let (width, height) = (LEFT + COLUMNS * CELL_WIDTH, ROWS * PITCH);
    let mut svg = format!("<svg viewBox=\"0 0 {width} {height}\" role=\"img\">\n");
    for (row, cells) in cells.chunks(COLUMNS).enumerate() {
        let y = row * PITCH;
        let start = (u128::from(data.target_bytes) * row as u128 / ROWS as u128) as u64;
        let _ = writeln!(svg, "<text x=\"{}\" y=\"{}\">{}</text>", LEFT - 8, y + 17, size(start));
        svg +=
            &bars(cells, Class::ALL.map(Class::css), Frame { x: LEFT, y, cell_width: CELL_WIDTH, height: ROW_HEIGHT });
    }
    if data.spans.len() <= MOST_EXACT {
        data.spans.iter().for_each(|span| tell(&mut svg, span, data));
    } else {
        for (at, cell) in cells.iter().enumerate() {
            let edge = |at: usize| (u128::from(data.target_bytes) * at as u128 / cells.len() as u128) as u64;
            let mut text = bytes(ByteRange { start: edge(at), end: edge(at + 1) });
            let mut parts: Vec<_> = classes.present().map(|(class, _)| (cell[class.index()], class)).collect();
            parts.retain(|(part, _)| *part > 0.0);
            parts.sort_by(|one, other| other.0.total_cmp(&one.0));
            for (part, class) in parts.iter().take(MOST_TOLD) {
                let name = escaped(&shortened(&classes.name(*class, data)));
                let _ = write!(text, "\n{} {name}", escaped(&share(part.min(1.0))));
            }
            area(&mut svg, at as f64, at as f64 + 1.0, &text);
        }
    }
    svg + "</svg>\n"
}

/// The areas of a span, which may go over several rows, with its text.
fn tell(svg: &mut String, span: &ReportSpan, data: &ReportData) {
    let from = match span.origin {
        Origin::Copy { seed, offset } => {
            let name = data.seeds.get(seed).map_or("a seed", |seed| &seed.name);
            format!("{} at {}", escaped(&shortened(name)), grouped(offset))
        }
        Origin::Repeat { of } => format!("repeated from {}", grouped(of)),
        Origin::Fetch => "fetched".into(),
    };
    let text = format!("{}\n{from}", bytes(span.range));
    let scale = (ROWS * COLUMNS) as f64 / data.target_bytes as f64;
    let (mut at, end) = (span.range.start as f64 * scale, span.range.end as f64 * scale);
    while at < end {
        let row_end = ((at / COLUMNS as f64).floor() + 1.0) * COLUMNS as f64;
        area(svg, at, end.min(row_end), &text);
        at = row_end;
    }
}

/// Something to point at, from one cell to another in the same row.
fn area(svg: &mut String, from: f64, to: f64, text: &str) {
    let row = (from / COLUMNS as f64) as usize;
    let x = LEFT as f64 + (from - (row * COLUMNS) as f64) * CELL_WIDTH as f64;
    let (y, width) = (row * PITCH, ((to - from) * CELL_WIDTH as f64).max(0.5));
    let _ = writeln!(
        svg,
        "<rect x=\"{x:.1}\" y=\"{y}\" width=\"{width:.1}\" height=\"{ROW_HEIGHT}\"><title>{text}</title></rect>"
    );
}

fn bytes(range: ByteRange) -> String {
    format!("{} to {} ({})", grouped(range.start), grouped(range.end), size(range.len()))
}

/// The end of a name that would fill the page if it were on every cell.
fn shortened(name: &str) -> String {
    const MOST: usize = 24;
    let len = name.chars().count();
    if len <= MOST { name.to_owned() } else { format!("…{}", name.chars().skip(len - MOST).collect::<String>()) }
}
