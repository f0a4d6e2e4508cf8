//! A small line chart as SVG, written by hand: logarithmic upwards, since a stall is what one looks for.

use std::fmt::Write as _;

const WIDTH: f64 = 800.0;
const HEIGHT: f64 = 400.0;
const LEFT: f64 = 60.0;
const RIGHT: f64 = 20.0;
const TOP: f64 = 40.0;
const BOTTOM: f64 = 50.0;

/// A line of a chart.
#[derive(Debug, Clone)]
pub struct Line {
    pub name: String,
    /// As in CSS.
    pub colour: String,
    /// From left to right.
    pub points: Vec<(f64, f64)>,
}

/// The chart as an SVG document.
#[must_use]
pub fn svg(title: &str, x_name: &str, y_name: &str, lines: &[Line]) -> String {
    let points = || lines.iter().flat_map(|line| &line.points);
    let right = points().map(|p| p.0).fold(1.0, f64::max);
    let (low, high) = decades(points().map(|p| p.1));
    let x = |value: f64| LEFT + value / right * (WIDTH - LEFT - RIGHT);
    let y = |value: f64| {
        let up = (value.max(10_f64.powi(low)).log10() - f64::from(low)) / f64::from(high - low);
        HEIGHT - BOTTOM - up * (HEIGHT - TOP - BOTTOM)
    };
    let mut out = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {HEIGHT}\" font-family=\"sans-serif\" font-size=\"12\">\n\
         <rect width=\"{WIDTH}\" height=\"{HEIGHT}\" fill=\"#fff\"/>\n\
         <text x=\"{LEFT}\" y=\"24\" font-size=\"15\">{}</text>\n",
        escaped(title)
    );
    let mut add = |text: String| {
        out.push_str(&text);
        out.push('\n');
    };
    for decade in low..=high {
        let (value, at) = (10_f64.powi(decade), y(10_f64.powi(decade)));
        add(format!(
            "<line x1=\"{LEFT}\" x2=\"{:.1}\" y1=\"{at:.1}\" y2=\"{at:.1}\" stroke=\"#ddd\"/>",
            WIDTH - RIGHT
        ));
        add(format!(
            "<text x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"end\">{value}</text>",
            LEFT - 6.0,
            at + 4.0
        ));
    }
    for fifth in 0..=5 {
        let value = right * f64::from(fifth) / 5.0;
        add(format!(
            "<text x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"middle\">{value:.0}</text>",
            x(value),
            HEIGHT - BOTTOM + 18.0
        ));
    }
    add(format!(
        "<text x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"end\">{}</text>",
        WIDTH - RIGHT,
        HEIGHT - 12.0,
        escaped(x_name)
    ));
    add(format!("<text x=\"8\" y=\"{:.1}\">{}</text>", TOP - 4.0, escaped(y_name)));
    for (line, place) in lines.iter().zip(0_u32..) {
        let mut path = String::new();
        for (at, value) in &line.points {
            // Writing to a string cannot fail.
            let _ = write!(path, "{:.1},{:.1} ", x(*at), y(*value));
        }
        let colour = escaped(&line.colour);
        add(format!(
            "<polyline points=\"{}\" fill=\"none\" stroke=\"{colour}\" stroke-width=\"1.5\"/>",
            path.trim_end()
        ));
        let at = LEFT + f64::from(place) * 80.0;
        add(format!(
            "<text x=\"{at:.1}\" y=\"{:.1}\" fill=\"{colour}\">{}</text>",
            HEIGHT - 12.0,
            escaped(&line.name)
        ));
    }
    out.push_str("</svg>\n");
    out
}

/// The powers of ten between which all values lie.
fn decades(values: impl Iterator<Item = f64>) -> (i32, i32) {
    let (low, high) = values
        .filter(|v| *v > 0.0)
        .map(f64::log10)
        .fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), v| (low.min(v), high.max(v)));
    if low > high {
        return (0, 1);
    }
    #[expect(clippy::cast_possible_truncation, reason = "logarithms of finite numbers are small")]
    let (low, high) = (low.floor() as i32, high.ceil() as i32);
    (low, high.max(low + 1))
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_stay_inside_and_names_are_escaped() {
        let points = vec![(0.0, 0.5), (5.0, 100.0), (10.0, 0.0), (10.0, 7_000.0)];
        let line = Line { name: "a<b>".to_owned(), colour: "#c33".to_owned(), points };
        let text = svg("p & q", "seconds", "ms", &[line]);
        assert!(text.starts_with("<svg ") && text.ends_with("</svg>\n"));
        assert!(text.contains("p &amp; q") && text.contains("a&lt;b&gt;") && !text.contains("a<b>"));
        let path = text.split("points=\"").nth(1).unwrap().split('"').next().unwrap();
        let places: Vec<(f64, f64)> = path
            .split(' ')
            .map(|p| p.split_once(',').map(|(x, y)| (x.parse().unwrap(), y.parse().unwrap())).unwrap())
            .collect();
        assert_eq!(places.len(), 4);
        assert!(
            places
                .iter()
                .all(|(x, y)| (LEFT..=WIDTH - RIGHT).contains(x) && (TOP..=HEIGHT - BOTTOM).contains(y))
        );
        assert!(places[1].1 < places[0].1, "more is higher");
    }

    #[test]
    fn an_empty_chart_is_a_chart() {
        let text = svg("empty", "s", "ms", &[]);
        assert!(text.ends_with("</svg>\n") && !text.contains("NaN") && !text.contains("inf"));
        assert_eq!(decades([1.0, 1.0].into_iter()), (0, 1));
        assert_eq!(decades([0.02, 700.0].into_iter()), (-2, 3));
    }
}
