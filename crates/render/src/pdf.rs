//! The display list as PDF 1.7 with embedded fonts: vector lines, selectable words, exact scale.
//!
//! The same drawing always gives the same bytes: no dates, no random file identifier.

use std::collections::BTreeMap;
use std::io::Write;

use flate2::Compression;
use flate2::write::ZlibEncoder;
use pdf_writer::types::{
    CidFontType, FontFlags, LineCapStyle, LineJoinStyle, SystemInfo, UnicodeCmap,
};
use pdf_writer::{Content, Filter, Finish, Name, Pdf, Ref, Str, TextStr};
use precordia_model::Recording;
use ttf_parser::GlyphId;

use crate::{Color, Mark, Page, Point, Rect, RenderError, Sheet, Weight, draw, font};

/// Points (1/72 inch) in a micrometer.
const PT_PER_UM: f64 = 72.0 / 25_400.0;
const WEIGHTS: [Weight; 2] = [Weight::Regular, Weight::Bold];

/// All pages of a drawing.
pub fn pdf(recording: &Recording, sheet: &Sheet) -> Result<Vec<u8>, RenderError> {
    document(&draw::pages(recording, sheet))
}

/// Object numbers, in the order in which they are given out.
struct Refs(i32);

impl Refs {
    fn next(&mut self) -> Ref {
        self.0 += 1;
        Ref::new(self.0)
    }
}

fn document(pages: &[Page]) -> Result<Vec<u8>, RenderError> {
    let mut refs = Refs(0);
    let (catalog, tree, info) = (refs.next(), refs.next(), refs.next());
    let fonts = WEIGHTS.map(|_| refs.next());
    let sides: Vec<(Ref, Ref)> = pages.iter().map(|_| (refs.next(), refs.next())).collect();

    let mut pdf = Pdf::new();
    pdf.set_version(1, 7);
    pdf.catalog(catalog).pages(tree).lang(TextStr("en"));
    pdf.document_info(info).title(TextStr("ECG")).producer(TextStr("Precordia"));
    pdf.pages(tree).kids(sides.iter().map(|side| side.0)).count(pages.len() as i32);
    for (page, (side, content)) in pages.iter().zip(&sides) {
        let mut object = pdf.page(*side);
        let size = |um: i32| (f64::from(um) * PT_PER_UM) as f32;
        object.media_box(pdf_writer::Rect::new(0.0, 0.0, size(page.width), size(page.height)));
        object.parent(tree).contents(*content);
        object.resources().fonts().pairs(WEIGHTS.map(resource_name).into_iter().zip(fonts));
        object.finish();
        pdf.stream(*content, &deflate(&drawn(page))?).filter(Filter::FlateDecode);
    }
    for (weight, id) in WEIGHTS.into_iter().zip(fonts) {
        embed(&mut pdf, &mut refs, id, weight, pages)?;
    }
    Ok(pdf.finish())
}

fn resource_name(weight: Weight) -> Name<'static> {
    match weight {
        Weight::Regular => Name(b"R"),
        Weight::Bold => Name(b"B"),
    }
}

fn deflate(bytes: &[u8]) -> Result<Vec<u8>, RenderError> {
    let mut encoder = ZlibEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(bytes).map_err(RenderError::Compress)?;
    encoder.finish().map_err(RenderError::Compress)
}

/// The page's marks in micrometers, as they stand in the list; one matrix makes them points and
/// turns the paper the right way up.
fn drawn(page: &Page) -> Vec<u8> {
    let scale = PT_PER_UM as f32;
    let mut content = Content::new();
    content.transform([scale, 0.0, 0.0, -scale, 0.0, (f64::from(page.height) * PT_PER_UM) as f32]);
    content.set_line_cap(LineCapStyle::RoundCap).set_line_join(LineJoinStyle::RoundJoin);
    for mark in &page.marks {
        match mark {
            Mark::Stroke { lines, width, color, clip, .. } => {
                stroke(&mut content, lines, *width, *color, *clip)
            }
            Mark::Text { at, size, weight, color, text } => {
                words(&mut content, *at, *size, *weight, *color, text.reveal());
            }
        }
    }
    content.finish().into_vec()
}

fn rgb(color: Color) -> [f32; 3] {
    [color.0, color.1, color.2].map(|c| f32::from(c) / 255.0)
}

fn stroke(
    content: &mut Content,
    lines: &[Vec<Point>],
    width: i32,
    color: Color,
    clip: Option<Rect>,
) {
    content.save_state();
    if let Some(c) = clip {
        content.rect(
            c.left as f32,
            c.top as f32,
            (c.right - c.left) as f32,
            (c.bottom - c.top) as f32,
        );
        content.clip_nonzero().end_path();
    }
    let [r, g, b] = rgb(color);
    content.set_stroke_rgb(r, g, b).set_line_width(width as f32);
    let mut any = false;
    for line in lines {
        let Some((first, rest)) = line.split_first() else { continue };
        content.move_to(first.x as f32, first.y as f32);
        for point in rest {
            content.line_to(point.x as f32, point.y as f32);
        }
        any = true;
    }
    if any {
        content.stroke();
    }
    content.restore_state();
}

fn words(content: &mut Content, at: Point, size: i32, weight: Weight, color: Color, text: &str) {
    let ids: Vec<u8> = font::glyphs(text, weight).flat_map(|g| g.id.0.to_be_bytes()).collect();
    if ids.is_empty() {
        return;
    }
    let [r, g, b] = rgb(color);
    content.begin_text();
    content.set_fill_rgb(r, g, b).set_font(resource_name(weight), size as f32);
    content.set_text_matrix([1.0, 0.0, 0.0, -1.0, at.x as f32, at.y as f32]);
    content.show(Str(&ids));
    content.end_text();
}

/// A composite font (ISO 32000-1, 9.7) whose codes are glyph numbers.
fn embed(
    pdf: &mut Pdf,
    refs: &mut Refs,
    id: Ref,
    weight: Weight,
    pages: &[Page],
) -> Result<(), RenderError> {
    let (cid, descriptor, file, unicode) = (refs.next(), refs.next(), refs.next(), refs.next());
    let (name, bold) = match weight {
        Weight::Regular => (Name(b"PRECRD+NotoSans-Regular"), false),
        Weight::Bold => (Name(b"PRECRD+NotoSans-Bold"), true),
    };
    let system = SystemInfo { registry: Str(b"Adobe"), ordering: Str(b"Identity"), supplement: 0 };
    let face = font::face(weight);
    let per_em = font::units_per_em(weight) as f32;
    let em = |units: f32| units * 1000.0 / per_em;
    let used = used_glyphs(pages, weight);

    pdf.type0_font(id)
        .base_font(name)
        .encoding_predefined(Name(b"Identity-H"))
        .descendant_font(cid)
        .to_unicode(unicode);

    let mut object = pdf.cid_font(cid);
    object
        .subtype(CidFontType::Type2)
        .base_font(name)
        .system_info(system)
        .font_descriptor(descriptor);
    object.default_width(em(f32::from(face.glyph_hor_advance(GlyphId(0)).unwrap_or(0))));
    let mut widths = object.widths();
    for &id in used.keys() {
        widths.consecutive(id, [em(f32::from(face.glyph_hor_advance(GlyphId(id)).unwrap_or(0)))]);
    }
    widths.finish();
    object.cid_to_gid_map_predefined(Name(b"Identity"));
    object.finish();

    let bounds = face.global_bounding_box();
    let units = |value: i16| em(f32::from(value));
    pdf.font_descriptor(descriptor)
        .name(name)
        .flags(FontFlags::SYMBOLIC)
        .bbox(pdf_writer::Rect::new(
            units(bounds.x_min),
            units(bounds.y_min),
            units(bounds.x_max),
            units(bounds.y_max),
        ))
        .italic_angle(0.0)
        .ascent(units(face.ascender()))
        .descent(units(face.descender()))
        .cap_height(units(face.capital_height().unwrap_or(714)))
        .stem_v(if bold { 140.0 } else { 80.0 })
        .font_file2(file);

    let bytes = font::bytes(weight);
    let compressed = deflate(bytes)?;
    pdf.stream(file, &compressed)
        .filter(Filter::FlateDecode)
        .pair(Name(b"Length1"), bytes.len() as i32);

    let mut cmap = UnicodeCmap::<u16>::new(Name(b"Precordia-Unicode"), system);
    for (id, character) in used.iter().filter(|(id, _)| **id != 0) {
        cmap.pair(*id, *character);
    }
    pdf.cmap(unicode, &cmap.finish());
    Ok(())
}

/// Each glyph drawn and a character it stands for.
fn used_glyphs(pages: &[Page], weight: Weight) -> BTreeMap<u16, char> {
    let texts = pages.iter().flat_map(|page| &page.marks).filter_map(|mark| match mark {
        Mark::Text { weight: w, text, .. } if *w == weight => Some(text.reveal()),
        _ => None,
    });
    let mut used = BTreeMap::new();
    for text in texts {
        for glyph in font::glyphs(text, weight) {
            used.entry(glyph.id.0).or_insert(glyph.character);
        }
    }
    used
}
