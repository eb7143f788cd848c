//! A target cut into cells of equal width, and what shares of each come from where.

use std::fmt::Write;

use super::data::{Origin, ReportData, ReportSpan};

/// Seeds that get a colour of their own.
const COLOURED: usize = 6;

/// What the page tells apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Class {
    /// One of the seeds that most comes from, by rank.
    Seed(usize),
    /// Any other seed.
    OtherSeed,
    Repeat,
    Fetch,
}

impl Class {
    pub(super) const COUNT: usize = COLOURED + 3;

    pub(super) const ALL: [Self; Self::COUNT] = {
        let mut all = [Self::OtherSeed; Self::COUNT];
        let mut rank = 0;
        while rank < COLOURED {
            all[rank] = Self::Seed(rank);
            rank += 1;
        }
        all[COLOURED + 1] = Self::Repeat;
        all[COLOURED + 2] = Self::Fetch;
        all
    };

    pub(super) fn index(self) -> usize {
        match self {
            Self::Seed(rank) => rank,
            Self::OtherSeed => COLOURED,
            Self::Repeat => COLOURED + 1,
            Self::Fetch => COLOURED + 2,
        }
    }

    /// The name of its colour in the style sheet.
    pub(super) fn css(self) -> &'static str {
        const SEEDS: [&str; COLOURED] = ["s0", "s1", "s2", "s3", "s4", "s5"];
        match self {
            Self::Seed(rank) => SEEDS[rank],
            Self::OtherSeed => "other",
            Self::Repeat => "repeat",
            Self::Fetch => "fetch",
        }
    }
}

/// Which seed has which colour.
pub(super) struct Classes {
    /// The class of each seed.
    seeds: Vec<Class>,
    /// The seeds that have a colour, by rank.
    ranked: Vec<usize>,
    bytes: [u64; Class::COUNT],
}

impl Classes {
    pub(super) fn new(data: &ReportData) -> Self {
        let mut copied = vec![0; data.seeds.len()];
        for span in &data.spans {
            if let Origin::Copy { seed, .. } = span.origin
                && let Some(copied) = copied.get_mut(seed)
            {
                *copied += span.range.len();
            }
        }
        let mut ranked: Vec<usize> = (0..copied.len()).filter(|&seed| copied[seed] > 0).collect();
        ranked.sort_by_key(|&seed| std::cmp::Reverse(copied[seed]));
        ranked.truncate(COLOURED);
        let mut seeds = vec![Class::OtherSeed; copied.len()];
        for (rank, &seed) in ranked.iter().enumerate() {
            seeds[seed] = Class::Seed(rank);
        }
        let mut classes = Self { seeds, ranked, bytes: [0; Class::COUNT] };
        for span in &data.spans {
            classes.bytes[classes.of(span.origin).index()] += span.range.len();
        }
        classes
    }

    pub(super) fn of(&self, origin: Origin) -> Class {
        match origin {
            Origin::Copy { seed, .. } => self.seeds.get(seed).copied().unwrap_or(Class::OtherSeed),
            Origin::Repeat { .. } => Class::Repeat,
            Origin::Fetch => Class::Fetch,
        }
    }

    /// The seeds that have a colour, by rank.
    pub(super) fn ranked(&self) -> &[usize] {
        &self.ranked
    }

    pub(super) fn name(&self, class: Class, data: &ReportData) -> String {
        match class {
            Class::Seed(rank) => data.seeds[self.ranked[rank]].name.clone(),
            Class::OtherSeed => "other seeds".into(),
            Class::Repeat => "repeated".into(),
            Class::Fetch => "fetched".into(),
        }
    }

    /// The classes that the target has bytes of, and how many.
    pub(super) fn present(&self) -> impl Iterator<Item = (Class, u64)> {
        Class::ALL.into_iter().map(|class| (class, self.bytes[class.index()])).filter(|(_, bytes)| *bytes > 0)
    }
}

/// `count` cells of equal width, each with the shares of 1 that come from each of `N`
/// kinds; `kind_of` tells of what kind a span is, or that it does not count.
pub(super) fn cells<const N: usize>(
    data: &ReportData,
    count: usize,
    kind_of: impl Fn(&ReportSpan) -> Option<usize>,
) -> Vec<[f64; N]> {
    let mut cells = vec![[0.0; N]; count];
    let scale = count as f64 / data.target_bytes.max(1) as f64;
    for span in &data.spans {
        let Some(kind) = kind_of(span) else { continue };
        let (from, to) = (span.range.start as f64 * scale, span.range.end as f64 * scale);
        let last = (to.ceil() as usize).min(count);
        for (at, cell) in cells.iter_mut().enumerate().take(last).skip(from as usize) {
            cell[kind] += (to.min(at as f64 + 1.0) - from.max(at as f64)).max(0.0);
        }
    }
    cells
}

/// Where bars are drawn, in pixels.
#[derive(Clone, Copy)]
pub(super) struct Frame {
    pub(super) x: usize,
    pub(super) y: usize,
    pub(super) cell_width: usize,
    pub(super) height: usize,
}

/// One `<path>` for each kind, in which each cell is a bar of the kinds' shares, the
/// first on top. What is little is drawn a little larger, so that it can be seen.
pub(super) fn bars<const N: usize>(cells: &[[f64; N]], css: [&str; N], frame: Frame) -> String {
    const LEAST: f64 = 0.07;
    let mut paths: [String; N] = std::array::from_fn(|_| String::new());
    // The bar that each kind is in the middle of: its first cell, its top and bottom.
    let mut open = [(0, 0, 0); N];
    for at in 0..=cells.len() {
        let shares =
            cells.get(at).map_or([0.0; N], |cell| cell.map(|share| if share > 0.0 { share.max(LEAST) } else { 0.0 }));
        let scale = frame.height as f64 / shares.iter().sum::<f64>().max(1.0);
        let mut sum = 0.0;
        for (kind, share) in shares.iter().enumerate() {
            let top = (sum * scale).round() as usize;
            sum += share;
            let bottom = (sum * scale).round() as usize;
            let (start, old_top, old_bottom) = open[kind];
            if (old_top, old_bottom) == (top, bottom) {
                continue;
            }
            let (width, height) = ((at - start) * frame.cell_width, old_bottom - old_top);
            if height > 0 {
                let (x, y) = (frame.x + start * frame.cell_width, frame.y + old_top);
                let _ = write!(paths[kind], "M{x} {y}h{width}v{height}h-{width}z");
            }
            open[kind] = (at, top, bottom);
        }
    }
    let paths = paths.iter().zip(css).filter(|(path, _)| !path.is_empty());
    paths.map(|(path, css)| format!("<path class=\"{css}\" d=\"{path}\"/>\n")).collect()
}
