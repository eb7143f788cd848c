//! What each layer of the index settled, and what it cost.

use std::fmt::Write;

use super::cells::{Frame, bars, cells};
use super::data::{Origin, ReportData};
use crate::text::{grouped, size};

const COLUMNS: usize = 120;
/// No index has as many.
const MOST: usize = 12;

pub(super) fn draw(data: &ReportData) -> String {
    if data.layers.is_empty() || data.target_bytes == 0 {
        return String::new();
    }
    let mut table = "<table class=\"layers\">\n<tr><th>blocks of</th><th>asked</th><th>found</th><th>index bytes</th>\
                     <th><span class=\"found\"></span> found, <span class=\"before\"></span> before, <span class=\"left\"></span> left</th></tr>\n"
        .to_owned();
    for (layer, facts) in data.layers.iter().enumerate().take(MOST) {
        let shares = cells::<3>(data, COLUMNS, |span| {
            Some(match span.origin {
                Origin::Fetch => 2,
                _ if span.layer < layer => 0,
                _ if span.layer == layer => 1,
                _ => 2,
            })
        });
        let frame = Frame { x: 0, y: 0, cell_width: 4, height: 20 };
        let _ = writeln!(
            table,
            "<tr><td>{}</td><td>{}</td><td>{}</td><td>{}</td><td><svg viewBox=\"0 0 {} 20\">\n{}</svg></td></tr>",
            size(facts.block_size.into()),
            grouped(facts.asked),
            grouped(facts.matched),
            grouped(facts.index_bytes),
            COLUMNS * 4,
            bars(&shares, ["before", "found", "left"], frame)
        );
    }
    table + "</table>\n"
}
