//! The target from left to right against its seeds from top to bottom: what stayed where
//! it was is a diagonal, what moved lies beside it.

use std::fmt::Write;

use super::cells::{Class, Classes, Frame, bars, cells};
use super::data::{Origin, ReportData};
use crate::text::{escaped, size};

const COLUMNS: usize = 240;
/// Rows of all seeds together, about.
const ROWS: usize = 80;
/// Width and height of a dot.
const DOT: usize = 4;
const LEFT: usize = 80;
/// Rows between two seeds, where their names are.
const GAP: usize = 5;

pub(super) fn draw(data: &ReportData, classes: &Classes) -> String {
    if classes.ranked().is_empty() {
        return String::new();
    }
    let total: u64 = classes.ranked().iter().map(|&seed| data.seeds[seed].bytes).sum();
    let mut picture = String::new();
    let mut top = GAP;
    for (rank, &seed) in classes.ranked().iter().enumerate() {
        let length = data.seeds[seed].bytes.max(1);
        let rows = ((ROWS as f64 * length as f64 / total.max(1) as f64) as usize).clamp(4, ROWS);
        let mut dots = vec![[false; COLUMNS]; rows];
        for span in &data.spans {
            if let Origin::Copy { seed: from, offset } = span.origin
                && from == seed
            {
                let target = (span.range.start as f64 / data.target_bytes as f64, span.range.len() as f64);
                mark(&mut dots, target, data.target_bytes as f64, offset as f64, length as f64);
            }
        }
        let name = escaped(&data.seeds[seed].name);
        let css = Class::Seed(rank).css();
        let (y, height) = (top * DOT, rows * DOT);
        let _ = write!(
            picture,
            "<text class=\"name\" x=\"{LEFT}\" y=\"{}\">{name}, {}</text>\n\
             <path class=\"ground\" d=\"M{LEFT} {y}h{}v{height}H{LEFT}z\"/>\n<path class=\"{css} dots\" d=\"{}\"><title>{name}</title></path>\n",
            y - 6,
            size(length),
            COLUMNS * DOT,
            path(&dots, top)
        );
        top += rows + GAP;
    }
    let fetched = cells::<1>(data, COLUMNS, |span| (span.origin == Origin::Fetch).then_some(0));
    let frame = Frame { x: LEFT, y: top * DOT, cell_width: DOT, height: 16 };
    let y = top * DOT - 6;
    let _ = write!(
        picture,
        "<text class=\"name\" x=\"{LEFT}\" y=\"{y}\">fetched</text>\n{}",
        bars(&fetched, ["fetch"], frame)
    );
    let (width, height) = (LEFT + COLUMNS * DOT, (top + GAP) * DOT);
    format!("<svg viewBox=\"0 0 {width} {height}\" role=\"img\">\n{picture}</svg>\n")
}

/// Marks where a span, which begins at a share of the target and has a length, lies.
fn mark(dots: &mut [[bool; COLUMNS]], (start, len): (f64, f64), target: f64, offset: f64, seed: f64) {
    let from = start * COLUMNS as f64;
    let to = from + len / target * COLUMNS as f64;
    let rows = dots.len();
    let row_of = |bytes: f64| ((bytes / seed * rows as f64) as usize).min(rows - 1);
    let bytes_per_column = target / COLUMNS as f64;
    let mut column = from as usize;
    while (column as f64) < to && column < COLUMNS {
        let begin = (column as f64).max(from);
        let end = (column as f64 + 1.0).min(to);
        let touched =
            row_of(offset + (begin - from) * bytes_per_column)..=row_of(offset + (end - from) * bytes_per_column);
        for row in &mut dots[touched] {
            row[column] = true;
        }
        column += 1;
    }
}

/// The dots as strokes as wide as they are.
fn path(dots: &[[bool; COLUMNS]], top: usize) -> String {
    let mut path = String::new();
    for (row, dots) in dots.iter().enumerate() {
        let y = (top + row) * DOT + DOT / 2;
        let mut column = 0;
        for run in dots.chunk_by(|one, other| one == other) {
            if run[0] {
                let (x, width) = (LEFT + column * DOT, run.len() * DOT);
                let _ = write!(path, "M{x} {y}h{width}");
            }
            column += run.len();
        }
    }
    path
}
