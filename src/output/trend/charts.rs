//! Charts as SVG. Colours are classes of the page's style sheet, which defines them for light, dark and print.

use std::fmt::Write as _;

use super::phrases::day;
use crate::history::trend::{Point, RuleTrend};
use crate::output::html_text::escape_html;
use crate::output::phrases::counted;
use crate::report::time::Timestamp;

const WIDTH: f64 = 640.0;
const HEIGHT: f64 = 260.0;
const LEFT: f64 = 46.0;
const RIGHT: f64 = 14.0;
const TOP: f64 = 12.0;
const BOTTOM: f64 = 30.0;

/// Where a chart draws.
struct Frame {
    out: String,
    height: f64,
    /// Value at the upper end of the vertical axis.
    top: f64,
}

/// One line, or one layer of a stack.
pub(super) struct Layer {
    /// Its name, which is also its class in the page's style.
    pub(super) name: &'static str,
    /// By point.
    pub(super) values: Vec<f64>,
}

impl Frame {
    fn new(title: &str, height: f64, top: f64) -> Self {
        let title = escape_html(title);
        let out = format!(
            "<svg viewBox=\"0 0 {WIDTH} {height}\" role=\"img\" aria-label=\"{title}\"><title>{title}</title>\n"
        );
        Self { out, height, top }
    }

    fn push(&mut self, text: std::fmt::Arguments<'_>) {
        self.out.write_fmt(text).expect("invariant: a string takes all");
        self.out.push('\n');
    }

    fn y(&self, value: f64) -> f64 {
        let room = self.height - TOP - BOTTOM;
        self.height - BOTTOM - value / self.top * room
    }

    fn text(&mut self, (x, y): (f64, f64), class: &str, text: &str) {
        let text = escape_html(text);
        self.push(format_args!(
            "<text x=\"{x:.1}\" y=\"{y:.1}\" class=\"{class}\">{text}</text>"
        ));
    }

    /// Horizontal lines with their values.
    fn grid(&mut self, step: f64, suffix: &str) {
        let mut value = 0.0;
        while value <= self.top + step / 1e6 {
            let y = self.y(value);
            let right = WIDTH - RIGHT;
            self.push(format_args!(
                "<line x1=\"{LEFT}\" x2=\"{right}\" y1=\"{y:.1}\" y2=\"{y:.1}\" class=\"grid\"/>"
            ));
            self.text((LEFT - 6.0, y + 4.0), "end", &format!("{value}{suffix}"));
            value += step;
        }
    }

    fn finish(mut self) -> String {
        self.out.push_str("</svg>\n");
        self.out
    }
}

/// A step between grid lines, and the first multiple of it that is no less than the highest value.
fn scale(highest: f64) -> (f64, f64) {
    let highest = highest.max(4.0);
    let power = 10_f64.powf((highest / 4.0).log10().floor());
    let step = [1.0, 2.0, 5.0, 10.0]
        .into_iter()
        .map(|factor| factor * power)
        .find(|step| step * 4.0 >= highest)
        .unwrap_or(10.0 * power);
    (step, (highest / step).ceil() * step)
}

/// Horizontal positions of points, by their time.
fn positions(points: &[&Point]) -> Vec<f64> {
    let seconds = |point: &&Point| Timestamp::parse(point.as_of.as_bytes()).map_or(0, |time| time.0);
    let times: Vec<i64> = points.iter().map(seconds).collect();
    let ends = times.first().zip(times.last());
    let (first, span) = ends.map_or((0, 0), |(first, last)| (*first, last - first));
    let room = WIDTH - LEFT - RIGHT;
    #[expect(clippy::cast_precision_loss, reason = "far fewer than 2^53 seconds")]
    let x = |time: i64| LEFT + (time - first) as f64 / span.max(1) as f64 * room;
    times.into_iter().map(x).collect()
}

/// Days below the axis, and a mark for each snapshot.
fn time_axis(frame: &mut Frame, points: &[&Point], x: &[f64]) {
    let base = frame.height - BOTTOM;
    for x in x {
        let y2 = base + 4.0;
        frame.push(format_args!(
            "<line x1=\"{x:.1}\" x2=\"{x:.1}\" y1=\"{base}\" y2=\"{y2}\" class=\"tick\"/>"
        ));
    }
    let last = x.len().saturating_sub(1);
    let mut free = f64::MIN;
    for (number, (point, &x)) in points.iter().zip(x).enumerate() {
        // The last day is always shown.
        let before_last = number == last || x + 120.0 <= WIDTH - RIGHT;
        if x < free || !before_last {
            continue;
        }
        let (class, x) = match number {
            0 => ("start", x),
            _ if number == last => ("end", x),
            // The style leaves these out where there is little room.
            _ => ("middle between", x),
        };
        frame.text((x, base + 20.0), class, day(&point.as_of));
        free = x + if number == 0 { 120.0 } else { 100.0 };
    }
}

/// Layers one upon the other over time, the first at the bottom.
pub(super) fn stacked(title: &str, points: &[&Point], layers: &[Layer]) -> String {
    let totals = (0..points.len()).map(|at| layers.iter().map(|layer| layer.values[at]).sum());
    let (step, top) = scale(totals.fold(0.0, f64::max));
    let mut frame = Frame::new(title, HEIGHT, top);
    frame.grid(step, "");
    let x = positions(points);
    let mut below = vec![0.0; points.len()];
    for layer in layers {
        let above: Vec<f64> = below
            .iter()
            .zip(&layer.values)
            .map(|(below, value)| below + value)
            .collect();
        let edges =
            |values: &[f64]| -> Vec<(f64, f64)> { x.iter().copied().zip(values.iter().copied()).collect() };
        let upper = edges(&above);
        let lower = edges(&below).into_iter().rev();
        let outline: Vec<String> = upper
            .into_iter()
            .chain(lower)
            .map(|(x, value)| format!("{x:.1},{:.1}", frame.y(value)))
            .collect();
        let name = layer.name;
        frame.push(format_args!(
            "<polygon points=\"{}\" class=\"{name}\"/>",
            outline.join(" ")
        ));
        below = above;
    }
    hover(&mut frame, points, &x, |at| values_at(layers, at));
    unveiled(&mut frame, points, &x);
    time_axis(&mut frame, points, &x);
    frame.finish()
}

/// Lines where findings only became visible because a report has more columns.
fn unveiled(frame: &mut Frame, points: &[&Point], x: &[f64]) {
    let base = frame.height - BOTTOM;
    for (point, x) in points.iter().zip(x).filter(|(point, _)| point.unveiled > 0) {
        let name = format!("{} unveiled", counted(point.unveiled, "finding"));
        frame.push(format_args!(
            "<line x1=\"{x:.1}\" x2=\"{x:.1}\" y1=\"{TOP}\" y2=\"{base}\" class=\"unveiled\"><title>{name}</title></line>"
        ));
    }
}

/// One line over time; it has gaps where a value is not known.
pub(super) struct Curve {
    /// Its name, for people.
    pub(super) name: &'static str,
    /// Its class in the page's style.
    pub(super) class: &'static str,
    /// By point.
    pub(super) values: Vec<Option<f64>>,
}

/// Lines over time. `unit` follows each value; the axis ends at `top`, or above the highest value.
pub(super) fn lines(
    title: &str,
    points: &[&Point],
    curves: &[Curve],
    (unit, top): (&str, Option<f64>),
) -> String {
    let highest = curves
        .iter()
        .flat_map(|curve| &curve.values)
        .flatten()
        .copied()
        .fold(0.0, f64::max);
    let (step, top) = top.map_or_else(|| scale(highest), |top| (top / 4.0, top));
    let mut frame = Frame::new(title, HEIGHT, top);
    frame.grid(step, unit);
    let x = positions(points);
    for curve in curves {
        let mut run: Vec<String> = Vec::new();
        for (x, value) in x.iter().zip(curve.values.iter().copied()) {
            let Some(value) = value else {
                line(&mut frame, &mut run, curve.class);
                continue;
            };
            let y = frame.y(value);
            run.push(format!("{x:.1},{y:.1}"));
            let class = curve.class;
            frame.push(format_args!(
                "<circle cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"2.5\" class=\"dot {class}\"/>"
            ));
        }
        line(&mut frame, &mut run, curve.class);
    }
    hover(&mut frame, points, &x, |at| {
        let values = curves
            .iter()
            .filter_map(|curve| Some((curve.name, curve.values[at]?)));
        let texts: Vec<String> = values
            .map(|(name, value)| format!("{name} {}{unit}", value.floor()))
            .collect();
        texts.join(", ")
    });
    time_axis(&mut frame, points, &x);
    frame.finish()
}

fn line(frame: &mut Frame, run: &mut Vec<String>, class: &str) {
    if run.len() > 1 {
        frame.push(format_args!(
            "<polyline points=\"{}\" class=\"curve {class}\"/>",
            run.join(" ")
        ));
    }
    run.clear();
}

/// Bars side by side at each snapshot.
pub(super) fn bars(title: &str, points: &[&Point], layers: &[Layer]) -> String {
    let highest = layers
        .iter()
        .flat_map(|layer| &layer.values)
        .copied()
        .fold(0.0, f64::max);
    let (step, top) = scale(highest);
    let mut frame = Frame::new(title, HEIGHT, top);
    frame.grid(step, "");
    let x = positions(points);
    // Some snapshots are closer together than most.
    let mut distances: Vec<f64> = x.windows(2).map(|pair| pair[1] - pair[0]).collect();
    distances.sort_by(f64::total_cmp);
    let usual = distances.get(distances.len() / 2).copied().unwrap_or(WIDTH);
    #[expect(clippy::cast_precision_loss, reason = "there are few layers")]
    let width = (usual * 0.7 / layers.len() as f64).clamp(1.0, 14.0);
    #[expect(clippy::cast_precision_loss, reason = "there are few layers")]
    let left = width * layers.len() as f64 / 2.0;
    for (at, x) in x.iter().enumerate() {
        let mut x = (x - left).clamp(LEFT, WIDTH - RIGHT - 2.0 * left);
        for layer in layers {
            let y = frame.y(layer.values[at]);
            let (height, class) = (frame.y(0.0) - y, layer.name);
            frame.push(format_args!(
                "<rect x=\"{x:.1}\" y=\"{y:.1}\" width=\"{width:.1}\" height=\"{height:.1}\" class=\"{class}\"/>"
            ));
            x += width;
        }
    }
    hover(&mut frame, points, &x, |at| values_at(layers, at));
    time_axis(&mut frame, points, &x);
    frame.finish()
}

/// `3 critical, 12 high`.
fn values_at(layers: &[Layer], at: usize) -> String {
    let values = layers
        .iter()
        .map(|layer| format!("{} {}", layer.values[at], layer.name));
    values.collect::<Vec<_>>().join(", ")
}

/// What a mouse shows over each snapshot: its day and its values.
fn hover(frame: &mut Frame, points: &[&Point], x: &[f64], text: impl Fn(usize) -> String) {
    let between = |one: f64, other: f64| f64::midpoint(one, other);
    for (at, point) in points.iter().enumerate() {
        let left = if at == 0 { LEFT } else { between(x[at - 1], x[at]) };
        let right = x.get(at + 1).map_or(WIDTH - RIGHT, |next| between(x[at], *next));
        let (width, height) = (right - left, frame.height - TOP - BOTTOM);
        let words = format!("{}: {}", day(&point.as_of), text(at));
        let words = escape_html(&words);
        frame.push(format_args!(
            "<rect x=\"{left:.1}\" y=\"{TOP}\" width=\"{width:.1}\" height=\"{height}\" class=\"hover\"><title>{words}</title></rect>"
        ));
    }
}

/// Names of [`Point::key_ages`].
const AGES: [&str; 6] = ["≤ 30 d", "≤ 90 d", "≤ 180 d", "≤ 1 y", "≤ 2 y", "older"];

/// Key ages at the first snapshot, if there is more than one, and at the last, side by side; no bars where they are not known.
pub(super) fn key_ages(title: &str, first: Option<&Point>, last: &Point) -> String {
    #[expect(clippy::cast_precision_loss, reason = "far fewer than 2^53 keys")]
    let counts = [first, Some(last)].map(|point| point?.key_ages.map(|ages| ages.map(|count| count as f64)));
    let highest = counts.iter().flatten().flatten().copied().fold(0.0, f64::max);
    let (step, top) = scale(highest);
    let mut frame = Frame::new(title, HEIGHT, top);
    frame.grid(step, "");
    let group = (WIDTH - LEFT - RIGHT) / 6.0;
    let bar = group * 0.36;
    let mut left = LEFT;
    for (number, name) in AGES.into_iter().enumerate() {
        for (class, counts, x) in [
            ("first", counts[0], left + group * 0.12),
            ("last", counts[1], left + group * 0.52),
        ] {
            let Some(count) = counts.map(|counts| counts[number]) else {
                continue;
            };
            let y = frame.y(count);
            let height = frame.y(0.0) - y;
            frame.push(format_args!(
                "<rect x=\"{x:.1}\" y=\"{y:.1}\" width=\"{bar:.1}\" height=\"{height:.1}\" class=\"{class}\"/>"
            ));
            if count > 0.0 {
                frame.text((x + bar / 2.0, y - 4.0), "middle small", &count.to_string());
            }
        }
        frame.text((left + group / 2.0, HEIGHT - BOTTOM + 20.0), "middle", name);
        left += group;
    }
    frame.finish()
}

/// Days to resolve by rule: median and 90th percentile.
pub(super) fn times_to_resolve(title: &str, rules: &[&RuleTrend]) -> String {
    const ROW: f64 = 26.0;
    const NAMES: f64 = 250.0;
    const VALUES: f64 = 90.0;
    let known = rules
        .iter()
        .flat_map(|rule| [rule.median_days_to_resolve, rule.p90_days_to_resolve]);
    let (_, top) = scale(known.flatten().fold(0.0, f64::max));
    #[expect(clippy::cast_precision_loss, reason = "there are few rules")]
    let height = rules.len() as f64 * ROW + 8.0;
    let mut frame = Frame::new(title, height, top);
    let room = WIDTH - NAMES - VALUES;
    let mut y = 4.0;
    for rule in rules {
        let middle = y + ROW / 2.0;
        frame.text((NAMES - 8.0, middle + 4.0), "end", &rule.rule);
        let length = |days: f64| (days / top * room).max(1.0);
        let [median, p90] = [rule.median_days_to_resolve, rule.p90_days_to_resolve];
        // Not reached: the whole width, with an open end.
        let (class, width) = p90.map_or(("range endless", room), |days| ("range", length(days)));
        let thin = middle - 2.0;
        frame.push(format_args!(
            "<rect x=\"{NAMES}\" y=\"{thin:.1}\" width=\"{width:.1}\" height=\"4\" class=\"{class}\"/>"
        ));
        if let Some(days) = median {
            let (thick, width) = (middle - 7.0, length(days));
            frame.push(format_args!(
                "<rect x=\"{NAMES}\" y=\"{thick:.1}\" width=\"{width:.1}\" height=\"14\" class=\"last\"/>"
            ));
        }
        let label = [median, p90].map(|days| days.map_or("–".to_owned(), |days| format!("{days:.0}")));
        let label = format!("{} / {} d", label[0], label[1]);
        frame.text((NAMES + room + 8.0, middle + 4.0), "start", &label);
        y += ROW;
    }
    frame.finish()
}
