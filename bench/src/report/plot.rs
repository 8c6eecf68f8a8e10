//! Plots as SVG, drawn by hand: a library for it would be heavier than the whole bench.

use super::number;
use std::fmt::Write as _;

/// Colours of targets, in their order.
const COLOURS: [&str; 5] = ["#4269d0", "#efb118", "#ff725c", "#3ca951", "#97bbf5"];
const WIDTH: f64 = 640.0;

fn colour(at: usize) -> &'static str {
    COLOURS[at % COLOURS.len()]
}

/// A text as it may stand in HTML and SVG.
pub fn escaped(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('"', "&quot;")
}

/// Bars, one a target: its name, its value with whiskers from the least to the most.
pub fn bars(bars: &[(String, f64, Vec<f64>)], unit: &str) -> String {
    let of = |(_, value, all): &(String, f64, Vec<f64>)| all.iter().copied().fold(*value, f64::max);
    let most = bars.iter().map(of).fold(1e-9, f64::max);
    let (left, right, row) = (90.0, 120.0, 26.0);
    let scale = (WIDTH - left - right) / most;
    let height = row * bars.len() as f64 + 6.0;
    let mut out = svg(height);
    for (at, (name, value, all)) in bars.iter().enumerate() {
        let y = row * at as f64 + 5.0;
        let middle = y + 9.0;
        let least = all.iter().copied().fold(*value, f64::min) * scale + left;
        let most = all.iter().copied().fold(*value, f64::max) * scale + left;
        let (width, text) = (value * scale, y + 13.0);
        // (writing to a text cannot fail)
        let _ = writeln!(
            out,
            "<text x=\"{:.1}\" y=\"{text:.1}\" text-anchor=\"end\">{}</text>\
             <rect x=\"{left}\" y=\"{y:.1}\" width=\"{width:.1}\" height=\"18\" fill=\"{}\"/>\
             <path d=\"M{least:.1} {middle:.1}H{most:.1}\" stroke=\"currentColor\"/>\
             <text x=\"{:.1}\" y=\"{text:.1}\">{} {unit}</text>",
            left - 6.0,
            escaped(name),
            colour(at),
            most.max(left + width) + 6.0,
            number(*value)
        );
    }
    out + "</svg>\n"
}

/// Latency curves, one a target: from the median outwards, both axes logarithmic.
pub fn curves(curves: &[(String, &[(f64, f64)])]) -> String {
    if curves.iter().all(|(_, curve)| curve.is_empty()) {
        return String::new();
    }
    let points = || curves.iter().flat_map(|(_, curve)| curve.iter());
    let least = points().map(|p| p.1).fold(f64::INFINITY, f64::min).max(0.1);
    let most = points().map(|p| p.1).fold(least, f64::max);
    let out_to = points().map(|p| nines(p.0)).fold(1.0, f64::max);
    let (bottom, top) = (least.log10().floor(), most.log10().ceil());
    let top = if top > bottom { top } else { bottom + 1.0 };
    let (left, height, floor) = (90.0, 260.0, 230.0);
    let x = |share: f64| left + nines(share) / out_to * (WIDTH - left - 20.0);
    let y = |micros: f64| {
        let share = (micros.max(0.1).log10() - bottom) / (top - bottom);
        floor - share * (floor - 10.0)
    };
    let mut out = svg(height);
    let mut decade = bottom;
    while decade <= top {
        let at = y(10f64.powf(decade));
        let _ = writeln!(
            out,
            "<path d=\"M{left} {at:.1}H{WIDTH}\" class=\"grid\"/>\
             <text x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"end\">{} µs</text>",
            left - 6.0,
            at + 4.0,
            number(10f64.powf(decade))
        );
        decade += 1.0;
    }
    for (share, name) in [
        (0.5, "50 %"),
        (0.9, "90 %"),
        (0.99, "99 %"),
        (0.999, "99.9 %"),
        (0.9999, "99.99 %"),
    ] {
        if nines(share) <= out_to {
            let at = x(share);
            let _ = writeln!(
                out,
                "<path d=\"M{at:.1} 10V{floor}\" class=\"grid\"/>\
                 <text x=\"{at:.1}\" y=\"{:.1}\" text-anchor=\"middle\">{name}</text>",
                floor + 18.0
            );
        }
    }
    for (at, (name, curve)) in curves.iter().enumerate() {
        let line: Vec<String> = curve
            .iter()
            .map(|(share, micros)| format!("{:.1} {:.1}", x(*share), y(*micros)))
            .collect();
        let _ = writeln!(
            out,
            "<path d=\"M{}\" fill=\"none\" stroke=\"{}\" stroke-width=\"2\"/>\
             <text x=\"{:.1}\" y=\"{:.1}\" style=\"fill:{1}\">{}</text>",
            line.join("L"),
            colour(at),
            left + 8.0,
            24.0 + 16.0 * at as f64,
            escaped(name)
        );
    }
    out + "</svg>\n"
}

/// How many nines a share has: 0.9 one, 0.99 two.
fn nines(share: f64) -> f64 {
    -(1.0 - share).max(1e-9).log10()
}

fn svg(height: f64) -> String {
    format!(
        "<svg viewBox=\"0 0 {WIDTH} {height}\" width=\"{WIDTH}\" height=\"{height}\" role=\"img\">\n"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_largest_bar_fills_the_width() {
        let drawn = bars(
            &[
                ("a&b".to_owned(), 50.0, vec![]),
                ("c".to_owned(), 100.0, vec![90.0, 100.0]),
            ],
            "/s",
        );
        assert!(
            drawn.contains("width=\"430.0\"") && drawn.contains("width=\"215.0\""),
            "{drawn}"
        );
        assert!(drawn.contains("a&amp;b") && drawn.ends_with("</svg>\n"));
    }

    #[test]
    fn empty_plots_are_drawn_without_nonsense() {
        for drawn in [
            bars(&[("a".to_owned(), 0.0, vec![])], "/s"),
            curves(&[("a".to_owned(), &[])]),
        ] {
            assert!(!drawn.contains("NaN") && !drawn.contains("inf"), "{drawn}");
        }
    }

    #[test]
    fn curves_go_out_to_the_last_nine() {
        let drawn = curves(&[("a".to_owned(), &[(0.0, 10.0), (0.9, 20.0), (0.99, 300.0)])]);
        assert!(
            drawn.contains("99 %") && !drawn.contains("99.9 %"),
            "{drawn}"
        );
        assert!(!drawn.contains("NaN"));
        assert_eq!(nines(0.99).round(), 2.0);
    }
}
