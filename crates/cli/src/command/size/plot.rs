//! Drawings of the sizes.

use std::fs;
use std::path::Path;

use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};
use tapcourt_commitment::{MAX_DIGIT_BITS, Parameters};
use tapcourt_script::limits::MAX_STACK_SIZE;

use super::peers::{self, Quantity};
use super::rows::{LEAVES, MESSAGE_BYTES, Row};
use crate::drawing::{AXIS_PX, Area, CURVE_COLOURS, FONT, HEAD_PX, save, title};
use crate::error::{CliError, CliResult};
use crate::output::thousands;

const BAR_PX: u32 = 34;
const CURVES_PX: u32 = 760;

const OURS: RGBColor = RGBColor(0x1f, 0x6f, 0xb4);
const THEIRS: RGBColor = RGBColor(0xb0, 0xb0, 0xb0);

/// Draws all charts: into one file if its name ends in `.svg`, else a file each in this directory.
pub(super) fn write(path: &Path, rows: &[Row]) -> CliResult<()> {
    let bars = Unit::ALL.map(|unit| (unit, bars(rows, unit)));
    let height_px = |bars: &[Bar<'_>]| HEAD_PX + AXIS_PX + BAR_PX * bars.len() as u32; // cast ok: a few dozen
    let (upper_px, lower_px) = (height_px(&bars[0].1), height_px(&bars[1].1));
    let bars_px = upper_px + lower_px;
    let draw_bars = |area: &Area<'_>| {
        let (upper, lower) = area.split_vertically(upper_px);
        for (area, (unit, bars)) in [upper, lower].iter().zip(&bars) {
            draw_bars(area, *unit, bars)?;
        }
        Ok(())
    };
    let curves = curves()?;
    if path.extension().is_some_and(|extension| extension == "svg") {
        return save(path, bars_px + CURVES_PX, |area| {
            let (upper, lower) = area.split_vertically(bars_px);
            draw_bars(&upper)?;
            draw_curves(&lower, &curves)
        });
    }
    fs::create_dir_all(path).map_err(|error| CliError::file(path, error))?;
    save(&path.join("gadgets.svg"), bars_px, draw_bars)?;
    save(&path.join("winternitz.svg"), CURVES_PX, |area| {
        draw_curves(area, &curves)
    })
}

/// What bars count. Those of one unit share an axis.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Unit {
    ScriptBytes,
    WeightUnits,
}

impl Unit {
    const ALL: [Self; 2] = [Self::ScriptBytes, Self::WeightUnits];

    /// What a row is drawn in: that of its peer's figure, else weight units.
    fn of(row: &Row) -> Self {
        match row.peer.map(|peer| peer.quantity) {
            Some(Quantity::Script | Quantity::ScriptWithTables) => Self::ScriptBytes,
            Some(Quantity::WuPerBit) | None => Self::WeightUnits,
        }
    }

    fn title(self) -> &'static str {
        match self {
            Self::ScriptBytes => "Gadgets that are compared, in script bytes",
            Self::WeightUnits => "Commitments and other gadgets, in weight units",
        }
    }

    fn axis(self) -> &'static str {
        match self {
            Self::ScriptBytes => "script bytes, logarithmic; u32 without tables",
            Self::WeightUnits => "weight units, logarithmic: a byte of script or witness is one",
        }
    }
}

/// A gadget as it is drawn, in one unit.
struct Bar<'a> {
    name: &'a str,
    ours: f64,
    theirs: Option<(&'static str, f64)>,
    ratio: Option<f64>,
}

/// All rows of a unit but the leaves of programs.
fn bars(rows: &[Row], unit: Unit) -> Vec<Bar<'_>> {
    rows.iter()
        .filter(|row| !row.name.starts_with(LEAVES) && Unit::of(row) == unit)
        .map(|row| {
            let (ours, theirs) = match row.peer {
                None => (row.weight as f64, None), // cast ok: far below 2^52
                Some(peer) => {
                    let scale = match peer.quantity {
                        Quantity::WuPerBit => row.weight as f64 / peer.quantity.of(row), // cast ok: as above
                        Quantity::Script | Quantity::ScriptWithTables => 1.0,
                    };
                    let ours = peer.quantity.of(row) * scale;
                    (ours, Some((peer.name, peer.figure * scale)))
                }
            };
            Bar {
                name: &row.name,
                ours,
                theirs,
                ratio: row.ratio,
            }
        })
        .collect()
}

fn draw_bars(area: &Area<'_>, unit: Unit, bars: &[Bar<'_>]) -> CliResult<()> {
    let values = bars
        .iter()
        .flat_map(|bar| [Some(bar.ours), bar.theirs.map(|(_, size)| size)])
        .flatten();
    let (least, most) = values.fold((f64::MAX, 10.0f64), |(least, most), size| {
        (least.min(size), most.max(size))
    });
    // Bars begin at a power of ten, and there is room for labels beyond the longest.
    let start = 10f64.powf(least.max(1.0).log10().floor());
    let end = most * (most / start).powf(0.33);
    let rows = bars.len().max(1) as f64; // cast ok: a few dozen
    let mut chart = ChartBuilder::on(area)
        .margin(10)
        .margin_top(HEAD_PX)
        .x_label_area_size(AXIS_PX - 10)
        .y_label_area_size(190)
        .build_cartesian_2d((start..end).log_scale(), 0.0..rows)?;
    chart
        .configure_mesh()
        .disable_y_mesh()
        .disable_y_axis()
        .light_line_style(TRANSPARENT)
        .bold_line_style(BLACK.mix(0.12))
        .x_label_style((FONT, 15))
        .x_label_formatter(&|size| thousands(size.round() as u64)) // cast ok: positive
        .x_desc(unit.axis())
        .axis_desc_style((FONT, 16))
        .draw()?;
    let anchored = |size: u32, horizontal| {
        (FONT, size)
            .into_text_style(area)
            .pos(Pos::new(horizontal, VPos::Center))
    };
    for (index, bar) in bars.iter().enumerate() {
        let top = rows - index as f64; // cast ok: as above
        let (ours, theirs) = match bar.theirs {
            None => ((top - 0.75, top - 0.25), None),
            Some((name, size)) => (
                (top - 0.5, top - 0.1),
                Some((name, size, (top - 0.9, top - 0.5))),
            ),
        };
        let mut draw = |size: f64, (low, high): (f64, f64), colour: RGBColor, label: String| {
            let rectangle = Rectangle::new([(start, low), (size, high)], colour.filled());
            chart.draw_series([rectangle])?;
            let (x, y) = chart.backend_coord(&(size, (low + high) / 2.0));
            let text = Text::new(label, (x + 6, y), anchored(13, HPos::Left));
            area.draw(&text).map_err(CliError::from)
        };
        let ours_label = thousands(bar.ours.round() as u64); // cast ok: positive
        let ours_label = match bar.ratio {
            None => ours_label,
            Some(ratio) => format!("{ours_label}, {ratio:.2} times the peer's"),
        };
        draw(bar.ours, ours, OURS, ours_label)?;
        if let Some((name, size, place)) = theirs {
            let label = format!("{} {name}", thousands(size.round() as u64)); // cast ok: positive
            draw(size, place, THEIRS, label)?;
        }
        let (x, y) = chart.backend_coord(&(start, top - 0.5));
        let name = Text::new(bar.name, (x - 8, y), anchored(15, HPos::Right));
        area.draw(&name)?;
    }
    title(area, unit.title())?;
    let legend = [(OURS, "tapcourt"), (THEIRS, "peer, measured")];
    for ((colour, text), x) in legend.into_iter().zip([200, 320]) {
        let y = 54;
        area.draw(&Rectangle::new(
            [(x, y - 7), (x + 14, y + 7)],
            colour.filled(),
        ))?;
        area.draw(&Text::new(text, (x + 20, y), anchored(15, HPos::Left)))?;
    }
    Ok(())
}

/// Weight a bit of messages of one size, by the bits of a digit.
struct Curve {
    bytes: usize,
    points: Vec<(f64, f64)>,
    theirs: Option<f64>,
}

/// Bits of a digit in the base, 16, of the peer's figures.
const PEER_DIGIT_BITS: f64 = 4.0;

fn curves() -> CliResult<Vec<Curve>> {
    MESSAGE_BYTES
        .into_iter()
        .map(|bytes| {
            let bits = 8 * bytes;
            let mut points = Vec::new();
            for digit_bits in 1..=MAX_DIGIT_BITS {
                let size = Parameters::winternitz(bits, digit_bits)?.publish_size();
                if size.max_stack <= MAX_STACK_SIZE {
                    let wu_per_bit = size.weight_wu_mean() / bits as f64; // cast ok: far below 2^52
                    points.push((f64::from(digit_bits), wu_per_bit));
                }
            }
            let peer = peers::find(&format!("winternitz/{bytes}B"));
            if points.is_empty() {
                return Ok(None); // no base fits on the stack
            }
            Ok(Some(Curve {
                bytes,
                points,
                theirs: peer.map(|peer| peer.figure),
            }))
        })
        .filter_map(Result::transpose)
        .collect()
}

fn draw_curves(area: &Area<'_>, curves: &[Curve]) -> CliResult<()> {
    let values = curves.iter().flat_map(|curve| &curve.points);
    let (least, most) = values.fold((f64::MAX, 0.0f64), |(least, most), &(_, wu)| {
        (least.min(wu), most.max(wu))
    });
    let (least, most) = ((least - 2.0).max(0.0).floor(), most + 2.0);
    let last = f64::from(MAX_DIGIT_BITS);
    let mut chart = ChartBuilder::on(area)
        .margin(10)
        .margin_top(HEAD_PX)
        .margin_right(30)
        .x_label_area_size(AXIS_PX - 10)
        .y_label_area_size(70)
        .build_cartesian_2d(0.8..last + 0.2, least..most)?;
    chart
        .configure_mesh()
        .light_line_style(TRANSPARENT)
        .bold_line_style(BLACK.mix(0.12))
        .x_labels(usize::from(MAX_DIGIT_BITS))
        .label_style((FONT, 15))
        .x_label_formatter(&|bits| format!("{:.0}", bits.exp2()))
        .y_label_formatter(&|wu| format!("{wu:.0}"))
        .x_desc("base of the digits")
        .y_desc("WU a bit, script and mean witness, checksum included")
        .axis_desc_style((FONT, 16))
        .draw()?;
    for (curve, colour) in curves.iter().zip(CURVE_COLOURS.into_iter().cycle()) {
        let line = LineSeries::new(curve.points.iter().copied(), colour.stroke_width(2));
        chart
            .draw_series(line)?
            .label(format!("{} bytes", curve.bytes))
            .legend(move |(x, y)| PathElement::new([(x, y), (x + 18, y)], colour.stroke_width(2)));
        let points = curve.points.iter();
        chart.draw_series(points.map(|&point| Circle::new(point, 4, colour.filled())))?;
        let peer = curve
            .theirs
            .map(|wu| Cross::new((PEER_DIGIT_BITS, wu), 5, colour.stroke_width(2)));
        chart.draw_series(peer)?;
    }
    chart
        .configure_series_labels()
        .position(SeriesLabelPosition::UpperMiddle)
        .label_font((FONT, 15))
        .background_style(WHITE)
        .border_style(BLACK.mix(0.3))
        .draw()?;
    title(area, "Winternitz commitments by base (crosses: BitVM's)")
}
