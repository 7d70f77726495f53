//! `precordia ecg plot`: one file drawn on ECG paper, no server.
//!
//! The picture's kind follows from the name of the output. Exit 0: drawn; 2: refused, with the
//! reason on stderr.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context as _, bail};
use precordia_analysis::{Limits, flag, measure};
use precordia_render::{Layout, Sheet, pdf, png, svg};

use super::load::{Loaded, load};

/// The layouts by the names they have on the command line.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum LayoutName {
    /// Three rows of four columns and a rhythm lead below.
    #[value(name = "3x4")]
    ThreeByFour,
    #[value(name = "6x2")]
    SixByTwo,
    #[value(name = "12x1")]
    TwelveByOne,
}

impl From<LayoutName> for Layout {
    fn from(name: LayoutName) -> Self {
        match name {
            LayoutName::ThreeByFour => Layout::ThreeByFourRhythm,
            LayoutName::SixByTwo => Layout::SixByTwo,
            LayoutName::TwelveByOne => Layout::TwelveByOne,
        }
    }
}

/// Print quality that a screen still opens at once.
const DPI: u32 = 200;

/// `precordia ecg plot FILE --out X.(svg|png|pdf) [--layout 3x4|6x2|12x1]`
pub fn plot(files: &[PathBuf], out: &Path, layout: Layout) -> anyhow::Result<ExitCode> {
    let kind = Kind::of(out)?;
    let recording = match load(files)? {
        Loaded::Recording(recording) => recording,
        Loaded::Refused(code) => return Ok(code),
    };
    let measurements = measure(&recording);
    let flags = flag(&measurements, super::measure::subject(&recording), &Limits::default());
    let sheet = Sheet { layout, ..Sheet::of(&recording, Some((&measurements, &flags))) };
    let bytes = match kind {
        Kind::Svg => svg(&recording, &sheet).into_bytes(),
        Kind::Png => png(&recording, &sheet, DPI)?,
        Kind::Pdf => pdf(&recording, &sheet)?,
    };
    std::fs::write(out, bytes).with_context(|| format!("could not write `{}`", out.display()))?;
    Ok(ExitCode::SUCCESS)
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Svg,
    Png,
    Pdf,
}

impl Kind {
    fn of(out: &Path) -> anyhow::Result<Kind> {
        let ending = out.extension().map(|e| e.to_string_lossy().to_ascii_lowercase());
        Ok(match ending.as_deref() {
            Some("svg") => Kind::Svg,
            Some("png") => Kind::Png,
            Some("pdf") => Kind::Pdf,
            _ => bail!("`{}` does not end in .svg, .png or .pdf", out.display()),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_layout_has_one_name_everywhere() {
        use clap::ValueEnum as _;
        for name in LayoutName::value_variants() {
            let shown = name.to_possible_value().map(|value| value.get_name().to_owned());
            assert_eq!(shown.as_deref(), Some(Layout::from(*name).name()));
        }
    }

    #[test]
    fn the_kind_of_picture_follows_from_the_name() {
        for (name, kind) in [("a.svg", Kind::Svg), ("b/C.PNG", Kind::Png), ("a.b.pdf", Kind::Pdf)] {
            assert_eq!(Kind::of(Path::new(name)).ok(), Some(kind), "{name}");
        }
        for name in ["a", "a.jpg", ".svg", "svg", "a.svg.gz"] {
            assert!(Kind::of(Path::new(name)).is_err(), "{name}");
        }
    }
}
