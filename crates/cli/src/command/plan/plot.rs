//! A drawing of the price list.

use std::path::Path;

use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};

use super::row::Row;
use crate::drawing::{AXIS_PX, CURVE_COLOURS, FONT, HEAD_PX, save, title};
use crate::error::CliResult;
use crate::output::thousands;

const HEIGHT_PX: u32 = 700;
const OTHERS: RGBColor = RGBColor(0xb0, 0xb0, 0xb0);

/// Draws virtual bytes against transactions of the worst case: a dot for each row, and a line through those that are marked.
pub(super) fn write(path: &Path, rows: &[Row]) -> CliResult<()> {
    let point = |row: &Row| (row.worst_transactions as f64, row.worst_vsize as f64); // casts ok: far below 2^52
    let most = rows
        .iter()
        .map(point)
        .fold((1.0f64, 1.0f64), |most, (x, y)| {
            (most.0.max(x), most.1.max(y))
        });
    save(path, HEIGHT_PX, |area| {
        let mut chart = ChartBuilder::on(area)
            .margin(10)
            .margin_top(HEAD_PX)
            .margin_right(30)
            .x_label_area_size(AXIS_PX - 10)
            .y_label_area_size(90)
            .build_cartesian_2d(0.0..most.0 * 1.05, 0.0..most.1 * 1.3)?;
        let number = |number: &f64| thousands(number.round() as u64); // cast ok: not negative
        chart
            .configure_mesh()
            .light_line_style(TRANSPARENT)
            .bold_line_style(BLACK.mix(0.12))
            .label_style((FONT, 15))
            .x_label_formatter(&number)
            .y_label_formatter(&number)
            .x_desc("transactions in the worst case, the contract included")
            .y_desc("vB in the worst case")
            .axis_desc_style((FONT, 16))
            .draw()?;
        let marked = CURVE_COLOURS[1];
        let front = rows.iter().filter(|row| row.pareto).map(point);
        chart.draw_series(LineSeries::new(front, marked.mix(0.5)))?;
        for row in rows {
            let colour = if row.pareto { marked } else { OTHERS };
            chart.draw_series([Circle::new(point(row), 4, colour.filled())])?;
            let (x, y) = chart.backend_coord(&point(row));
            // Upwards from marked dots and downwards from the others, so that labels of neighbours stay apart.
            let (end, away) = if row.pareto {
                (HPos::Left, -8)
            } else {
                (HPos::Right, 8)
            };
            let style = (FONT, 11)
                .into_font()
                .transform(FontTransform::Rotate270)
                .into_text_style(area)
                .pos(Pos::new(end, VPos::Center));
            let label = match row.short_arity() {
                arity if arity.is_empty() => row.protocol.to_owned(),
                arity => arity,
            };
            area.draw(&Text::new(label, (x, y + away), style))?;
        }
        title(
            area,
            "What a dispute costs at worst, by arities (line: no other is better)",
        )
    })
}
