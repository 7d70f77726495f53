//! The display list as PNG, with its resolution said in the file so that prints keep the scale.

use precordia_model::Recording;
use tiny_skia::{FillRule, LineCap, LineJoin, Mask, Paint, PathBuilder, Pixmap, Stroke, Transform};
use ttf_parser::OutlineBuilder;

use crate::{Color, Mark, Page, Point, Rect, RenderError, Sheet, Weight, draw, font};

pub const DPI_MIN: u32 = 36;
pub const DPI_MAX: u32 = 300;
const UM_PER_INCH: f32 = 25_400.0;

/// The first page of a drawing.
pub fn png(recording: &Recording, sheet: &Sheet, dpi: u32) -> Result<Vec<u8>, RenderError> {
    if !(DPI_MIN..=DPI_MAX).contains(&dpi) {
        return Err(RenderError::Resolution { dpi });
    }
    page_png(&draw::first_page(recording, sheet), dpi)
}

fn page_png(page: &Page, dpi: u32) -> Result<Vec<u8>, RenderError> {
    let scale = dpi as f32 / UM_PER_INCH;
    let pixels = |um: i32| (um as f32 * scale).round() as u32;
    let (width, height) = (pixels(page.width), pixels(page.height));
    let mut canvas = Pixmap::new(width, height).ok_or(RenderError::Canvas { width, height })?;
    canvas.fill(tiny_skia::Color::WHITE);
    let mut masked: Option<(Rect, Mask)> = None;
    for mark in &page.marks {
        match mark {
            Mark::Stroke { lines, width, color, clip, .. } => {
                if let Some(clip) =
                    clip.filter(|c| masked.as_ref().is_none_or(|(rect, _)| rect != c))
                {
                    masked = mask(&canvas, clip, scale).map(|mask| (clip, mask));
                }
                let mask = clip.and(masked.as_ref().map(|(_, mask)| mask));
                stroke(&mut canvas, lines, *width, *color, mask, scale);
            }
            Mark::Text { at, size, weight, color, text } => {
                words(&mut canvas, *at, *size, *weight, *color, text.reveal(), scale);
            }
        }
    }
    encode(&canvas, dpi)
}

fn paint(color: Color) -> Paint<'static> {
    let mut paint = Paint { anti_alias: true, ..Paint::default() };
    paint.set_color_rgba8(color.0, color.1, color.2, 255);
    paint
}

fn mask(canvas: &Pixmap, clip: Rect, scale: f32) -> Option<Mask> {
    let mut mask = Mask::new(canvas.width(), canvas.height())?;
    let rect = tiny_skia::Rect::from_ltrb(
        clip.left as f32,
        clip.top as f32,
        clip.right as f32,
        clip.bottom as f32,
    )?;
    let path = PathBuilder::from_rect(rect);
    mask.fill_path(&path, FillRule::Winding, true, Transform::from_scale(scale, scale));
    Some(mask)
}

fn stroke(
    canvas: &mut Pixmap,
    lines: &[Vec<Point>],
    width: i32,
    color: Color,
    mask: Option<&Mask>,
    scale: f32,
) {
    let style = Stroke {
        width: width as f32 * scale,
        line_cap: LineCap::Round,
        line_join: LineJoin::Round,
        ..Stroke::default()
    };
    // Points are scaled here and not by a transform: the rasterizer then works in pixels, where its
    // tolerances are meant to be.
    let mut path = PathBuilder::new();
    for line in lines {
        let Some((first, rest)) = line.split_first() else { continue };
        path.move_to(first.x as f32 * scale, first.y as f32 * scale);
        for point in rest {
            path.line_to(point.x as f32 * scale, point.y as f32 * scale);
        }
    }
    if let Some(path) = path.finish() {
        canvas.stroke_path(&path, &paint(color), &style, Transform::identity(), mask);
    }
}

fn words(
    canvas: &mut Pixmap,
    at: Point,
    size: i32,
    weight: Weight,
    color: Color,
    text: &str,
    scale: f32,
) {
    let unit = size as f32 / font::units_per_em(weight) as f32 * scale;
    let mut outline =
        Outline { path: PathBuilder::new(), unit, x: at.x as f32 * scale, y: at.y as f32 * scale };
    for glyph in font::glyphs(text, weight) {
        font::face(weight).outline_glyph(glyph.id, &mut outline);
        outline.x += glyph.advance as f32 * unit;
    }
    if let Some(path) = outline.path.finish() {
        canvas.fill_path(&path, &paint(color), FillRule::Winding, Transform::identity(), None);
    }
}

/// Glyph outlines point up; paper counts down.
struct Outline {
    path: PathBuilder,
    unit: f32,
    x: f32,
    y: f32,
}

impl Outline {
    fn at(&self, x: f32, y: f32) -> (f32, f32) {
        (self.x + x * self.unit, self.y - y * self.unit)
    }
}

impl OutlineBuilder for Outline {
    fn move_to(&mut self, x: f32, y: f32) {
        let (x, y) = self.at(x, y);
        self.path.move_to(x, y);
    }
    fn line_to(&mut self, x: f32, y: f32) {
        let (x, y) = self.at(x, y);
        self.path.line_to(x, y);
    }
    fn quad_to(&mut self, x1: f32, y1: f32, x: f32, y: f32) {
        let ((x1, y1), (x, y)) = (self.at(x1, y1), self.at(x, y));
        self.path.quad_to(x1, y1, x, y);
    }
    fn curve_to(&mut self, x1: f32, y1: f32, x2: f32, y2: f32, x: f32, y: f32) {
        let ((x1, y1), (x2, y2), (x, y)) = (self.at(x1, y1), self.at(x2, y2), self.at(x, y));
        self.path.cubic_to(x1, y1, x2, y2, x, y);
    }
    fn close(&mut self) {
        self.path.close();
    }
}

fn encode(canvas: &Pixmap, dpi: u32) -> Result<Vec<u8>, RenderError> {
    // The paper is opaque, so the premultiplied colors are the colors.
    let rgb: Vec<u8> = canvas.data().chunks_exact(4).flat_map(|p| [p[0], p[1], p[2]]).collect();
    let per_meter = (f64::from(dpi) / 0.0254).round() as u32;
    let mut out = Vec::new();
    let mut encoder = png::Encoder::new(&mut out, canvas.width(), canvas.height());
    encoder.set_color(png::ColorType::Rgb);
    encoder.set_depth(png::BitDepth::Eight);
    encoder.set_compression(png::Compression::Balanced);
    encoder.set_pixel_dims(Some(png::PixelDimensions {
        xppu: per_meter,
        yppu: per_meter,
        unit: png::Unit::Meter,
    }));
    let mut writer = encoder.write_header().map_err(RenderError::Png)?;
    writer.write_image_data(&rgb).map_err(RenderError::Png)?;
    writer.finish().map_err(RenderError::Png)?;
    Ok(out)
}
