//! What drawings have in common.

use std::path::Path;

use plotters::coord::Shift;
use plotters::prelude::*;

use crate::error::CliResult;
use crate::files;
use crate::output::comment;

const WIDTH_PX: u32 = 1000;
/// Room above a chart, for its title.
pub(crate) const HEAD_PX: u32 = 80;
/// Room below a chart, for its axis.
pub(crate) const AXIS_PX: u32 = 60;

pub(crate) const FONT: &str = "sans-serif";

/// Colours of curves, which stay apart for most who do not see all colours.
pub(crate) const CURVE_COLOURS: [RGBColor; 7] = [
    RGBColor(0xd5, 0x5e, 0x00),
    RGBColor(0x00, 0x72, 0xb2),
    RGBColor(0x00, 0x9e, 0x73),
    RGBColor(0xcc, 0x79, 0xa7),
    RGBColor(0x00, 0x00, 0x00),
    RGBColor(0xe6, 0x9f, 0x00),
    RGBColor(0x56, 0xb4, 0xe9),
];

/// What is drawn on.
pub(crate) type Area<'a> = DrawingArea<SVGBackend<'a>, Shift>;

/// Draws into an SVG file.
pub(crate) fn save(
    path: &Path,
    height_px: u32,
    draw: impl FnOnce(&Area<'_>) -> CliResult<()>,
) -> CliResult<()> {
    let mut text = String::new();
    {
        let area = SVGBackend::with_string(&mut text, (WIDTH_PX, height_px)).into_drawing_area();
        area.fill(&WHITE)?;
        draw(&area)?;
        area.present()?;
    }
    files::write(path, text.as_bytes())?;
    comment(format!("drawn: {}", path.display()));
    Ok(())
}

pub(crate) fn title(area: &Area<'_>, text: &str) -> CliResult<()> {
    let style = (FONT, 22).into_text_style(area);
    area.draw(&Text::new(text.to_owned(), (200, 14), style))?;
    Ok(())
}
