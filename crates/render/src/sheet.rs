//! What is asked for: layout, scale and words of a sheet of ECG paper.

use precordia_model::Phi;

/// How the leads are arranged.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Layout {
    /// Three rows of four columns, and one lead in full below.
    #[default]
    ThreeByFourRhythm,
    SixByTwo,
    TwelveByOne,
}

impl Layout {
    pub const ALL: [Layout; 3] = [Layout::ThreeByFourRhythm, Layout::SixByTwo, Layout::TwelveByOne];

    pub const fn name(self) -> &'static str {
        match self {
            Layout::ThreeByFourRhythm => "3x4",
            Layout::SixByTwo => "6x2",
            Layout::TwelveByOne => "12x1",
        }
    }

    pub fn parse(name: &str) -> Option<Layout> {
        Self::ALL.into_iter().find(|layout| layout.name() == name)
    }
}

/// Paper speed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Speed {
    #[default]
    Mm25,
    Mm50,
}

impl Speed {
    pub const fn mm_per_s(self) -> u32 {
        match self {
            Speed::Mm25 => 25,
            Speed::Mm50 => 50,
        }
    }

    pub const fn from_mm_per_s(mm_per_s: u32) -> Option<Speed> {
        match mm_per_s {
            25 => Some(Speed::Mm25),
            50 => Some(Speed::Mm50),
            _ => None,
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Gain {
    Mm5,
    #[default]
    Mm10,
    Mm20,
}

impl Gain {
    pub const fn mm_per_mv(self) -> u32 {
        match self {
            Gain::Mm5 => 5,
            Gain::Mm10 => 10,
            Gain::Mm20 => 20,
        }
    }

    pub const fn from_mm_per_mv(mm_per_mv: u32) -> Option<Gain> {
        match mm_per_mv {
            5 => Some(Gain::Mm5),
            10 => Some(Gain::Mm10),
            20 => Some(Gain::Mm20),
            _ => None,
        }
    }
}

/// A column of words above the traces.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Block {
    pub heading: String,
    /// Whose words these are, and how far to trust them: `Machine output, not confirmed`.
    pub label: String,
    pub lines: Vec<Phi<String>>,
}

/// A sheet, A4 landscape. `Sheet::default()` is 25 mm/s, 10 mm/mV, without words of its own;
/// [`Sheet::of`] fills in what a recording and its measurements say.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Sheet {
    pub layout: Layout,
    pub speed: Speed,
    pub gain: Gain,
    /// Where the first page begins, seconds from the start of the recording.
    pub start_s: f64,
    pub title: String,
    /// Who and when; the first line is set large. Wrapped where too long, never shortened.
    pub header: Vec<Phi<String>>,
    /// At most three are drawn, side by side.
    pub blocks: Vec<Block>,
    pub footer: Vec<Phi<String>>,
}
