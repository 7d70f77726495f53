//! The display list: everything on a sheet, in whole micrometers from its upper left corner.

use precordia_model::{Lead, Phi};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Point {
    pub x: i32,
    pub y: i32,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rect {
    pub left: i32,
    pub top: i32,
    pub right: i32,
    pub bottom: i32,
}

/// sRGB.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Color(pub u8, pub u8, pub u8);

/// What a stroke is, so that a test or a style sheet can tell paper from heart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    GridMinor,
    GridMajor,
    Calibration,
    Separator,
    Trace(Lead),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Weight {
    Regular,
    Bold,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Mark {
    /// Open lines with round ends and joins.
    Stroke { role: Role, lines: Vec<Vec<Point>>, width: i32, color: Color, clip: Option<Rect> },
    /// One line of words from its left end on the baseline. `size` is the em.
    Text { at: Point, size: i32, weight: Weight, color: Color, text: Phi<String> },
}

/// One side of paper.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Page {
    pub width: i32,
    pub height: i32,
    pub marks: Vec<Mark>,
}
