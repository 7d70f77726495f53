//! `precordia ecg`: ECG files on the command line, no server.
//!
//! Data goes to stdout, words to stderr. Exit 0: done; 2: a file was refused, with the reason on
//! stderr.

mod compare;
mod convert;
mod delineation;
mod holter;
mod load;
mod measure;
mod plot;
mod read;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Subcommand;

#[derive(Subcommand)]
pub enum EcgVerb {
    /// What the file holds. Exit 0: read; 2: refused, with the reason on stderr.
    Read {
        /// A recording; further files when it is spread over several. Files that a header names are
        /// taken from beside it.
        #[arg(required = true)]
        files: Vec<PathBuf>,
        #[arg(long)]
        json: bool,
        /// Write the samples in microvolts as CSV, a column a lead.
        #[arg(long)]
        samples: Option<PathBuf>,
    },
    /// Intervals, axes, ST levels, exchanged electrodes and rule flags.
    Measure {
        #[arg(required = true)]
        files: Vec<PathBuf>,
        #[arg(long)]
        json: bool,
        /// Write every wave of every beat, in each lead and globally, as JSON lines.
        #[arg(long)]
        delineation: Option<PathBuf>,
    },
    /// Draw the ECG on paper; the format follows the ending: svg, png or pdf.
    Plot {
        #[arg(required = true)]
        files: Vec<PathBuf>,
        #[arg(long, short)]
        out: PathBuf,
        #[arg(long, value_enum, default_value = "3x4")]
        layout: plot::LayoutName,
    },
    /// Write the recording in another format.
    Convert {
        #[arg(required = true)]
        files: Vec<PathBuf>,
        #[arg(long, value_enum)]
        to: convert::Target,
        #[arg(long, short)]
        out: PathBuf,
    },
    /// Is it the same recording, how alike are the complexes, and what changed.
    Compare {
        earlier: PathBuf,
        later: PathBuf,
        #[arg(long)]
        json: bool,
    },
    /// A recording of hours: beats, ectopy, pauses, fibrillation; read block by block.
    Holter {
        #[arg(required = true)]
        files: Vec<PathBuf>,
        #[arg(long)]
        json: bool,
    },
    /// The formats that are read.
    Formats,
}

pub fn run(verb: EcgVerb) -> anyhow::Result<ExitCode> {
    match verb {
        EcgVerb::Read { files, json, samples } => read::read(&files, json, samples),
        EcgVerb::Measure { files, json, delineation } => {
            measure::measure(&files, json, delineation.as_deref())
        }
        EcgVerb::Plot { files, out, layout } => plot::plot(&files, &out, layout.into()),
        EcgVerb::Convert { files, to, out } => convert::convert(&files, to, &out),
        EcgVerb::Compare { earlier, later, json } => compare::compare(&earlier, &later, json),
        EcgVerb::Holter { files, json } => holter::holter(&files, json),
        EcgVerb::Formats => {
            precordia_interop::ecg::format_names().for_each(crate::output::data);
            Ok(ExitCode::SUCCESS)
        }
    }
}
