//! The plot of the scan's rate, as SVG that can be read on a light and on a dark page.

use std::collections::BTreeMap;
use std::fmt::Write;

use super::scan::Rate;

/// Where it is kept, from the root.
pub(crate) const PLOT: &str = "benchmarks/scan.svg";

const WIDTH: f64 = 760.0;
const HEIGHT: f64 = 420.0;
const LEFT: f64 = 60.0;
const RIGHT: f64 = 110.0;
const TOP: f64 = 50.0;
const BOTTOM: f64 = 50.0;
/// Labels at the ends of lines stand so far apart at least.
const LABEL_HEIGHT: f64 = 15.0;

/// Colours of lines that differ on white, on black and to the colour-blind (Okabe and Ito).
const COLOURS: [&str; 5] = ["#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00"];

const STYLE: &str = "text { font: 13px system-ui, sans-serif; fill: #24292f; } .title { font-size: 16px; } \
                     .grid { stroke: #d0d7de; } .line { fill: none; stroke-width: 2.5; } \
                     @media (prefers-color-scheme: dark) { text { fill: #e6edf3; } .grid { stroke: #444c56; } }";

/// Plots the rates of one kind of sum: a line for each tier.
pub(crate) fn render(title: &str, rates: &[&Rate]) -> String {
    let mut lines = BTreeMap::<&str, Vec<(u32, f64)>>::new();
    for rate in rates {
        lines.entry(&rate.tier).or_default().push((rate.log2_keys, rate.rate / 1e9));
    }
    let keys = rates.iter().map(|rate| rate.log2_keys);
    let axes = Axes {
        least: keys.clone().min().unwrap_or(12),
        greatest: keys.max().unwrap_or(21),
        step: step(rates.iter().map(|rate| rate.rate / 1e9).fold(0.0, f64::max)),
    };

    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {HEIGHT}\" role=\"img\">\n\
         <title>{title}</title>\n<style>{STYLE}</style>\n\
         <text class=\"title\" x=\"{LEFT}\" y=\"24\">{title}</text>\n",
        title = escaped(title)
    );
    axes.draw(&mut svg);

    // The fastest first, so that labels are pushed down in order.
    let mut lines: Vec<_> = lines.into_iter().collect();
    lines.iter_mut().for_each(|(_, points)| points.sort_by_key(|point| point.0));
    lines.sort_by(|(_, one), (_, other)| last_rate(other).total_cmp(&last_rate(one)));
    let mut lowest_label = 0.0;
    for ((tier, points), colour) in lines.iter().zip(COLOURS.iter().cycle()) {
        let points: Vec<_> = points.iter().map(|&(keys, rate)| (axes.x(keys), axes.y(rate))).collect();
        let path: Vec<String> = points.iter().map(|(x, y)| format!("{x:.1},{y:.1}")).collect();
        line(&mut svg, format_args!("<polyline class=\"line\" stroke=\"{colour}\" points=\"{}\"/>", path.join(" ")));
        for (x, y) in &points {
            line(&mut svg, format_args!("<circle cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"3\" fill=\"{colour}\"/>"));
        }
        let (x, y) = points.last().copied().unwrap_or_default();
        lowest_label = f64::max(y + 4.0, lowest_label + LABEL_HEIGHT);
        let (x, y, tier) = (x + 10.0, lowest_label, escaped(tier));
        line(&mut svg, format_args!("<text x=\"{x:.1}\" y=\"{y:.1}\" style=\"fill:{colour}\">{tier}</text>"));
    }
    svg + "</svg>\n"
}

struct Axes {
    least: u32,
    greatest: u32,
    /// Between two lines of the grid, in units of 10^9 a second.
    step: f64,
}

impl Axes {
    const STEPS: u32 = 5;

    fn x(&self, log2_keys: u32) -> f64 {
        let span = f64::from(self.greatest - self.least).max(1.0);
        LEFT + (WIDTH - LEFT - RIGHT) * f64::from(log2_keys - self.least) / span
    }

    fn y(&self, rate: f64) -> f64 {
        HEIGHT - BOTTOM - (HEIGHT - TOP - BOTTOM) * rate / (self.step * f64::from(Self::STEPS))
    }

    fn draw(&self, svg: &mut String) {
        for number in 0..=Self::STEPS {
            let rate = self.step * f64::from(number);
            let (left, right, y) = (LEFT, WIDTH - RIGHT, self.y(rate));
            line(svg, format_args!("<path class=\"grid\" d=\"M{left} {y:.1}H{right}\"/>"));
            let (x, y) = (LEFT - 8.0, y + 4.0);
            line(svg, format_args!("<text x=\"{x}\" y=\"{y:.1}\" text-anchor=\"end\">{rate:.1}</text>"));
        }
        for log2_keys in self.least..=self.greatest {
            let (x, y) = (self.x(log2_keys), HEIGHT - BOTTOM + 20.0);
            line(
                svg,
                format_args!(
                    "<text x=\"{x:.1}\" y=\"{y}\" text-anchor=\"middle\">2<tspan dy=\"-5\" font-size=\"10\">\
                     {log2_keys}</tspan></text>"
                ),
            );
        }
        let (x, y) = (WIDTH - RIGHT, HEIGHT - 8.0);
        line(svg, format_args!("<text x=\"{x}\" y=\"{y}\" text-anchor=\"end\">blocks in the index</text>"));
        let y = TOP - 10.0;
        line(svg, format_args!("<text x=\"8\" y=\"{y}\">10⁹ positions a second</text>"));
    }
}

/// The least round step of which five reach `greatest`.
fn step(greatest: f64) -> f64 {
    let steps = [0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 1.0, 2.0];
    steps.into_iter().find(|step| step * f64::from(Axes::STEPS) >= greatest).unwrap_or(greatest / 5.0)
}

fn last_rate(points: &[(u32, f64)]) -> f64 {
    points.last().map_or(0.0, |point| point.1)
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

fn line(svg: &mut String, text: std::fmt::Arguments<'_>) {
    // A string takes everything.
    let _ = writeln!(svg, "{text}");
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rate(tier: &str, log2_keys: u32, rate: f64) -> Rate {
        Rate { kind: "ours".into(), tier: tier.into(), log2_keys, rate }
    }

    #[test]
    fn every_tier_is_a_line_with_a_label() {
        let rates =
            [rate("avx2", 12, 1.2e9), rate("portable", 12, 0.5e9), rate("avx2", 21, 1e9), rate("portable", 21, 0.99e9)];
        let svg = render("Scan & sieve", &rates.iter().collect::<Vec<_>>());
        assert_eq!(svg.matches("<polyline").count(), 2);
        assert_eq!(svg.matches("<circle").count(), 4);
        assert!(svg.contains(">avx2</text>") && svg.contains(">portable</text>"));
        assert!(svg.contains("<title>Scan &amp; sieve</title>") && !svg.contains("Scan & sieve"));
        assert!(svg.contains("prefers-color-scheme: dark"));
        assert_eq!(svg.matches("<text").count(), svg.matches("</text>").count());
        // Close lines have labels that do not lie on each other.
        let heights: Vec<f64> = svg
            .lines()
            .filter(|line| line.contains("style=\"fill:"))
            .filter_map(|line| line.split("y=\"").nth(1)?.split('"').next()?.parse().ok())
            .collect();
        assert!(heights.len() == 2 && heights[1] - heights[0] >= LABEL_HEIGHT - 0.1, "{heights:?}");
    }

    #[test]
    fn points_lie_within_the_axes() {
        let axes = Axes { least: 12, greatest: 21, step: step(1.3) };
        assert_eq!((axes.x(12), axes.x(21)), (LEFT, WIDTH - RIGHT));
        assert_eq!(axes.y(0.0), HEIGHT - BOTTOM);
        assert!(axes.y(1.3) >= TOP);
        assert_eq!([step(0.0), step(0.26), step(1.5), step(20.0)], [0.05, 0.1, 0.3, 4.0]);
    }

    #[test]
    fn nothing_measured_is_an_empty_plot() {
        assert!(render("x", &[]).ends_with("</svg>\n"));
    }
}
