//! One drawing of an ECG for screen, print and the health record.
//!
//! A [`Recording`](precordia_model::Recording) and a [`Sheet`] become [`Page`]s: a display list in
//! whole micrometers, with the words already set. Three back ends only copy that list, so SVG, PNG
//! and PDF cannot differ. Scale is exact: at 10 mm/mV a millivolt is 10,000 units high.
//!
//! What this does not do: filter, smooth or interpolate a signal, measure it, or decide what may be
//! shown to whom.

#![cfg_attr(test, allow(clippy::unwrap_used))]

mod arrange;
mod draw;
mod font;
mod page;
mod pdf;
mod png;
mod sheet;
mod svg;
mod trace;
mod words;

pub use draw::pages;
pub use page::{Color, Mark, Page, Point, Rect, Role, Weight};
pub use pdf::pdf;
pub use png::{DPI_MAX, DPI_MIN, png};
pub use sheet::{Block, Gain, Layout, Sheet, Speed};
pub use svg::svg;

/// Why a drawing could not be made.
#[derive(Debug, thiserror::Error)]
pub enum RenderError {
    #[error("{dpi} dpi is outside {DPI_MIN} to {DPI_MAX} dpi")]
    Resolution { dpi: u32 },
    #[error("could not allocate a picture of {width} x {height} pixels")]
    Canvas { width: u32, height: u32 },
    #[error("could not encode the picture as PNG")]
    Png(#[source] ::png::EncodingError),
    #[error("could not compress a page")]
    Compress(#[source] std::io::Error),
}
