//! Horizontal bars of times, as SVG within the page.

use maud::{Markup, html};

use super::scale::{Scale, tick_text};
use super::text;

/// One program's times.
pub(super) struct Bar {
    pub(super) label: String,
    /// Seconds.
    pub(super) value: f64,
    /// Seconds of the shortest and of the longest sample.
    pub(super) ends: (f64, f64),
    /// The value as it is written beside the bar.
    pub(super) written: String,
    /// What else has to be known, behind the bar.
    pub(super) note: Option<Note>,
    pub(super) ours: bool,
}

/// A word behind a bar.
pub(super) struct Note {
    pub(super) words: &'static str,
    /// Whether it is grave.
    pub(super) alarm: bool,
}

/// A time that all bars are compared with.
pub(super) struct Mark {
    /// Seconds.
    pub(super) value: f64,
    pub(super) label: String,
}

/// Bars below each other, and perhaps a line across them.
pub(super) struct Plot<'a> {
    pub(super) title: &'a str,
    pub(super) bars: &'a [Bar],
    pub(super) mark: Option<Mark>,
}

/// Units of the drawing, of which the page's width has this many.
const WIDTH: f64 = 900.0;
const LINE: f64 = 24.0;
const BAR: f64 = 12.0;
const AXIS: f64 = 26.0;
/// Average width of a letter, ordinary and bold: fonts differ, so there is a margin.
const LETTER: f64 = 7.2;
const BOLD_LETTER: f64 = 8.2;
const LONGEST_LABEL: usize = 44;

/// Where things are in the drawing.
struct PlotGeometry {
    scale: Scale,
    /// The right edge of the column of labels and of that of values.
    labels: f64,
    values: f64,
    /// Left and right edge of the axis.
    left: f64,
    right: f64,
    /// Upper and lower edge of the bars.
    top: f64,
    bottom: f64,
}

impl PlotGeometry {
    fn of(plot: &Plot<'_>) -> Self {
        let ends = plot.bars.iter().flat_map(|bar| [bar.value, bar.ends.0, bar.ends.1]);
        let scale = Scale::for_times(ends.chain(plot.mark.iter().map(|mark| mark.value)));
        let label = |bar: &Bar| width(bar, bar.label.chars().count().min(LONGEST_LABEL));
        let written = |bar: &Bar| width(bar, bar.written.chars().count());
        let note = |bar: &Bar| bar.note.as_ref().map_or(0.0, |note| width(bar, note.words.len() + 2));
        let widest = |of: &dyn Fn(&Bar) -> f64| plot.bars.iter().map(of).fold(0.0, f64::max);
        let labels = widest(&label);
        let values = labels + 14.0 + widest(&written);
        let top = if plot.mark.is_some() { 22.0 } else { 4.0 };
        let count = u16::try_from(plot.bars.len()).unwrap_or(u16::MAX);
        Self {
            scale,
            labels,
            values,
            left: values + 12.0,
            right: WIDTH - 14.0 - widest(&note),
            top,
            bottom: top + LINE * f64::from(count),
        }
    }

    fn x(&self, seconds: f64) -> f64 {
        self.left + (self.right - self.left) * self.scale.place(seconds)
    }
}

/// Of so many letters of a bar's texts, about.
fn width(bar: &Bar, letters: usize) -> f64 {
    let letter = if bar.ours { BOLD_LETTER } else { LETTER };
    letter * f64::from(u16::try_from(letters).unwrap_or(u16::MAX))
}

/// The drawing. Its numbers are in the page's tables as well; a screen reader gets them as one sentence.
pub(super) fn plot(plot: &Plot<'_>) -> Markup {
    let layout = PlotGeometry::of(plot);
    let sentence = sentence(plot);
    html! {
        figure class="scroll" {
            svg viewBox={ "0 0 " (WIDTH) " " (px(layout.bottom + AXIS)) } role="img" aria-label=(sentence) {
                title { (text(plot.title)) }
                (axis(&layout))
                @for (index, bar) in (0u16..).zip(plot.bars) {
                    (bar_markup(bar, layout.top + LINE * (f64::from(index) + 0.5), &layout))
                }
                @if let Some(mark) = &plot.mark {
                    (mark_markup(mark, &layout))
                }
            }
        }
    }
}

/// `Median times, half: imsprep --io auto 33 ms, qemu-img map 4.1 ms (wrong map); memory allows 31 ms.`
fn sentence(plot: &Plot<'_>) -> String {
    let bars = plot.bars.iter().map(|bar| {
        let note = bar.note.as_ref().map_or(String::new(), |note| format!(" ({})", note.words));
        format!("{} {}{note}", text(&bar.label), bar.written)
    });
    let bars = bars.collect::<Vec<_>>().join(", ");
    let mark = plot.mark.as_ref().map_or(String::new(), |mark| format!("; {}", mark.label));
    format!("{}: {bars}{mark}.", text(plot.title))
}

fn axis(layout: &PlotGeometry) -> Markup {
    let (top, bottom) = (px(layout.top), px(layout.bottom));
    let unit = match layout.scale {
        Scale::Even { .. } => "",
        Scale::Log { .. } => "log scale",
    };
    html! {
        @for tick in layout.scale.ticks() {
            @let x = px(layout.x(tick));
            line class="grid" x1=(x) x2=(x) y1=(top) y2=(bottom) {}
            text class="soft mid" x=(x) y=(px(layout.bottom + 13.0)) { (tick_text(tick)) }
        }
        text class="soft end" x=(px(layout.values)) y=(px(layout.bottom + 13.0)) { (unit) }
    }
}

fn bar_markup(bar: &Bar, y: f64, layout: &PlotGeometry) -> Markup {
    let (start, end) = (layout.left, layout.x(bar.value));
    let (low, high) = (layout.x(bar.ends.0), layout.x(bar.ends.1));
    let whisker =
        format!("M{0} {2}H{1}M{0} {3}V{4}M{1} {3}V{4}", px(low), px(high), px(y), px(y - 3.5), px(y + 3.5));
    html! {
        g class=[bar.ours.then_some("ours")] {
            text class="end" x=(px(layout.labels)) y=(px(y)) { (text(&cut(&bar.label))) }
            text class="end" x=(px(layout.values)) y=(px(y)) { (bar.written) }
            @match layout.scale {
                Scale::Even { .. } => {
                    rect class="bar" x=(px(start)) y=(px(y - BAR / 2.0)) width=(px(end - start)) height=(px(BAR)) {}
                }
                // The length of a bar would mean nothing where the axis has no zero: a point, and a stem to guide the eye.
                Scale::Log { .. } => {
                    line class="stem" x1=(px(start)) x2=(px(end)) y1=(px(y)) y2=(px(y)) {}
                    circle class="bar" cx=(px(end)) cy=(px(y)) r="5" {}
                }
            }
            path class="whisker" d=(whisker) {}
            @if let Some(note) = &bar.note {
                text class=(if note.alarm { "alarm" } else { "soft" }) x=(px(high.max(end) + 9.0)) y=(px(y)) { (note.words) }
            }
        }
    }
}

fn mark_markup(mark: &Mark, layout: &PlotGeometry) -> Markup {
    let x = layout.x(mark.value);
    // The label stays within the drawing on whichever side has more space.
    let (class, place) = if x - layout.left < (layout.right - layout.left) / 2.0 {
        ("limit", x - 1.0)
    } else {
        ("limit end", x + 1.0)
    };
    html! {
        line class="limit" x1=(px(x)) x2=(px(x)) y1=(px(layout.top - 4.0)) y2=(px(layout.bottom)) {}
        text class=(class) x=(px(place)) y=(px(layout.top - 13.0)) { (mark.label) }
    }
}

/// A label as long as space allows; the table has all of it.
fn cut(label: &str) -> String {
    if label.chars().count() <= LONGEST_LABEL {
        return label.to_owned();
    }
    label.chars().take(LONGEST_LABEL - 1).chain(['…']).collect()
}

/// A length or a place with one decimal: less than can be seen.
fn px(length: f64) -> String {
    format!("{length:.1}")
}
