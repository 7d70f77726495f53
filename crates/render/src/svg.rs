//! The display list as SVG: one unit a micrometer, words as outlines.
//!
//! Outlines look the same on every machine. Each line of words is there a second time as invisible
//! text, so it can be selected, searched and read aloud.

use std::collections::BTreeSet;
use std::fmt::Write;

use precordia_model::Recording;
use ttf_parser::{GlyphId, OutlineBuilder};

use crate::{Color, Mark, Page, Point, Role, Sheet, Weight, draw, font};

/// The first page of a drawing.
pub fn svg(recording: &Recording, sheet: &Sheet) -> String {
    page_svg(&draw::first_page(recording, sheet))
}

fn page_svg(page: &Page) -> String {
    let points: usize = page
        .marks
        .iter()
        .map(|mark| {
            if let Mark::Stroke { lines, .. } = mark {
                lines.iter().map(Vec::len).sum()
            } else {
                400
            }
        })
        .sum();
    let mut out = String::with_capacity(20_000 + points * 9);
    let (width, height) = (page.width, page.height);
    put(
        &mut out,
        format_args!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{}mm\" height=\"{}mm\" viewBox=\"0 0 {width} {height}\" role=\"img\">\n<title>ECG</title>\n<rect width=\"{width}\" height=\"{height}\" fill=\"#fff\"/>\n",
            f64::from(width) / 1000.0,
            f64::from(height) / 1000.0,
        ),
    );
    definitions(&mut out, page);
    for mark in &page.marks {
        match mark {
            Mark::Stroke { role, lines, width, color, clip } => {
                let clip = if clip.is_some() { " clip-path=\"url(#precordia-paper)\"" } else { "" };
                put(
                    &mut out,
                    format_args!(
                        "<path {} fill=\"none\" stroke=\"{}\" stroke-width=\"{width}\" stroke-linecap=\"round\" stroke-linejoin=\"round\"{clip} d=\"",
                        class(*role),
                        Hex(*color),
                    ),
                );
                path(&mut out, lines);
                out.push_str("\"/>\n");
            }
            Mark::Text { at, size, weight, color, text } => {
                words(&mut out, *at, *size, *weight, *color, text.reveal());
            }
        }
    }
    out.push_str("</svg>\n");
    out
}

fn put(out: &mut String, arguments: std::fmt::Arguments<'_>) {
    out.write_fmt(arguments).expect("writing to a string cannot fail");
}

struct Hex(Color);

impl std::fmt::Display for Hex {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Color(r, g, b) = self.0;
        write!(f, "#{r:02x}{g:02x}{b:02x}")
    }
}

fn class(role: Role) -> String {
    match role {
        Role::GridMinor => String::from("class=\"grid minor\""),
        Role::GridMajor => String::from("class=\"grid major\""),
        Role::Calibration => String::from("class=\"calibration\""),
        Role::Separator => String::from("class=\"separator\""),
        Role::Trace(lead) => format!("class=\"trace\" data-lead=\"{lead}\""),
    }
}

/// The clip of the paper and every glyph once. The names are the same in every drawing and mean the
/// same glyph, so several drawings may stand in one document.
fn definitions(out: &mut String, page: &Page) {
    out.push_str("<defs>");
    let clip = page
        .marks
        .iter()
        .find_map(|m| if let Mark::Stroke { clip, .. } = m { *clip } else { None });
    if let Some(c) = clip {
        let (width, height) = (c.right - c.left, c.bottom - c.top);
        put(
            out,
            format_args!(
                "<clipPath id=\"precordia-paper\"><rect x=\"{}\" y=\"{}\" width=\"{width}\" height=\"{height}\"/></clipPath>",
                c.left, c.top
            ),
        );
    }
    let mut used: BTreeSet<(bool, u16)> = BTreeSet::new();
    for mark in &page.marks {
        if let Mark::Text { weight, text, .. } = mark {
            used.extend(
                font::glyphs(text.reveal(), *weight).map(|g| (*weight == Weight::Bold, g.id.0)),
            );
        }
    }
    for (bold, id) in used {
        let weight = if bold { Weight::Bold } else { Weight::Regular };
        let mut outline = Outline(String::new());
        if font::face(weight).outline_glyph(GlyphId(id), &mut outline).is_some() {
            put(out, format_args!("<path id=\"{}\" d=\"{}\"/>", GlyphName(weight, id), outline.0));
        }
    }
    out.push_str("</defs>\n");
}

struct GlyphName(Weight, u16);

impl std::fmt::Display for GlyphName {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let weight = if self.0 == Weight::Bold { 'b' } else { 'r' };
        write!(f, "precordia-{weight}{}", self.1)
    }
}

struct Outline(String);

impl OutlineBuilder for Outline {
    fn move_to(&mut self, x: f32, y: f32) {
        put(&mut self.0, format_args!("M{x} {y}"));
    }
    fn line_to(&mut self, x: f32, y: f32) {
        put(&mut self.0, format_args!("L{x} {y}"));
    }
    fn quad_to(&mut self, x1: f32, y1: f32, x: f32, y: f32) {
        put(&mut self.0, format_args!("Q{x1} {y1} {x} {y}"));
    }
    fn curve_to(&mut self, x1: f32, y1: f32, x2: f32, y2: f32, x: f32, y: f32) {
        put(&mut self.0, format_args!("C{x1} {y1} {x2} {y2} {x} {y}"));
    }
    fn close(&mut self) {
        self.0.push('Z');
    }
}

/// Absolute start, then steps: whole numbers, so steps never add up to an error.
fn path(out: &mut String, lines: &[Vec<Point>]) {
    for line in lines {
        let Some((first, rest)) = line.split_first() else { continue };
        out.push('M');
        number(out, first.x);
        number_after(out, first.y);
        let mut before = *first;
        for (i, point) in rest.iter().enumerate() {
            if i == 0 {
                out.push('l');
                number(out, point.x - before.x);
            } else {
                number_after(out, point.x - before.x);
            }
            number_after(out, point.y - before.y);
            before = *point;
        }
    }
}

/// A number after another: a minus sign separates as well as a space.
fn number_after(out: &mut String, value: i32) {
    if value >= 0 {
        out.push(' ');
    }
    number(out, value);
}

// A page holds up to a hundred thousand numbers; the formatting machinery costs five times as much.
fn number(out: &mut String, value: i32) {
    if value < 0 {
        out.push('-');
    }
    let mut digits = [0u8; 10];
    let mut at = digits.len();
    let mut rest = value.unsigned_abs();
    loop {
        at -= 1;
        digits[at] = b'0' + (rest % 10) as u8;
        rest /= 10;
        if rest == 0 {
            break;
        }
    }
    out.extend(digits[at..].iter().map(|&d| char::from(d)));
}

fn words(out: &mut String, at: Point, size: i32, weight: Weight, color: Color, text: &str) {
    let per_em = f64::from(font::units_per_em(weight));
    let scale = f64::from(size) / per_em;
    put(
        out,
        format_args!(
            "<g fill=\"{}\" aria-hidden=\"true\" transform=\"translate({} {}) scale({scale} -{scale})\">",
            Hex(color),
            at.x,
            at.y
        ),
    );
    let mut pen = 0;
    for glyph in font::glyphs(text, weight) {
        if !glyph.character.is_whitespace() {
            put(
                out,
                format_args!("<use href=\"#{}\" x=\"{pen}\"/>", GlyphName(weight, glyph.id.0)),
            );
        }
        pen += glyph.advance;
    }
    let width = f64::from(pen) * scale;
    out.push_str("</g>");
    if width > 0.0 {
        put(
            out,
            format_args!(
                "<text x=\"{}\" y=\"{}\" font-size=\"{size}\" font-family=\"sans-serif\" textLength=\"{width:.0}\" lengthAdjust=\"spacingAndGlyphs\" fill-opacity=\"0\">",
                at.x, at.y
            ),
        );
        escape(out, text);
        out.push_str("</text>");
    }
    out.push('\n');
}

/// XML 1.0: five characters have names, and what is no character of XML is replaced.
fn escape(out: &mut String, text: &str) {
    for character in text.chars() {
        match character {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            '\t' | '\n' | '\r' => out.push(' '),
            '\u{0}'..='\u{1f}' | '\u{fffe}' | '\u{ffff}' => out.push('\u{fffd}'),
            other => out.push(other),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_cannot_break_out_of_the_picture() {
        let mut out = String::new();
        escape(&mut out, "O'Brien & <script>\"x\"\u{0}\n");
        assert_eq!(out, "O&#39;Brien &amp; &lt;script&gt;&quot;x&quot;\u{fffd} ");
    }

    #[test]
    fn numbers_are_written_as_the_formatter_writes_them() {
        for value in [0, 1, -1, 10, 99, -100, 297_000, i32::MAX, i32::MIN] {
            let mut out = String::new();
            number(&mut out, value);
            assert_eq!(out, value.to_string());
        }
    }

    #[test]
    fn a_path_steps_from_point_to_point() {
        let mut out = String::new();
        let at = |x, y| Point { x, y };
        path(&mut out, &[vec![at(5, 6), at(7, 6), at(9, 1)], vec![at(-1, 0), at(0, 0)], vec![]]);
        assert_eq!(out, "M5 6l2 0 2-5M-1 0l1 0");
    }
}
