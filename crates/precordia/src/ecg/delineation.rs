//! Every wave of every beat as JSON lines.
//!
//! `{"record","lead","wave","onset","peak","offset"}` in samples of the recording, a line a wave, for
//! each lead and for `global`; `record` is the stem of the first file's name. `fs` is the rate that
//! the samples are counted at.

use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::Path;

use precordia_analysis::{Wave, Waves, delineate};
use precordia_model::Signal;
use serde::Serialize;

#[derive(Serialize)]
struct Line<'a> {
    record: &'a str,
    lead: &'a str,
    wave: &'static str,
    onset: u32,
    peak: u32,
    offset: u32,
    fs: f64,
}

pub fn write(record: &str, signal: &Signal, out: &Path) -> io::Result<()> {
    let mut file = BufWriter::new(File::create(out)?);
    let found = delineate(signal);
    for beat in &found.beats {
        let leads = found.leads.iter().map(|lead| lead.name());
        let all = leads.zip(&beat.leads).chain([("global", &beat.global)]);
        for (lead, waves) in all {
            for (wave, at) in named(waves) {
                let Wave { onset, peak, offset } = at;
                let fs = signal.rate.hz();
                let line = Line { record, lead, wave, onset, peak, offset, fs };
                serde_json::to_writer(&mut file, &line)?;
                file.write_all(b"\n")?;
            }
        }
    }
    file.flush()
}

fn named(waves: &Waves) -> impl Iterator<Item = (&'static str, Wave)> {
    let all = [("P", waves.p), ("QRS", waves.qrs), ("T", waves.t)];
    all.into_iter().filter_map(|(name, wave)| Some((name, wave?)))
}
