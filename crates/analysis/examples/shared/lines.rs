//! A delineation as JSON lines.

use std::io::{Result, Write};

use precordia_analysis::{Delineation, Waves};
use precordia_model::Signal;

use crate::wfdb::Record;

/// Leads are named as the file names them; signals of a record of two by their numbers.
pub fn write(
    out: &mut impl Write,
    name: &str,
    record: &Record,
    signal: &Signal,
    delineation: &Delineation,
) -> Result<()> {
    let names: Vec<String> = delineation
        .leads
        .iter()
        .map(|lead| {
            let at = signal.traces.iter().position(|t| t.lead == *lead).unwrap_or(0);
            if record.signals.len() == 2 { at.to_string() } else { record.signals[at].0.clone() }
        })
        .collect();
    for beat in &delineation.beats {
        lines(out, name, "global", beat.global)?;
        for (lead, waves) in names.iter().zip(&beat.leads) {
            lines(out, name, lead, *waves)?;
        }
    }
    Ok(())
}

fn lines(out: &mut impl Write, record: &str, lead: &str, waves: Waves) -> Result<()> {
    for (wave, found) in [("P", waves.p), ("QRS", waves.qrs), ("T", waves.t)] {
        let Some(found) = found else { continue };
        let (onset, peak, offset) = (found.onset, found.peak, found.offset);
        writeln!(
            out,
            r#"{{"record":"{record}","lead":"{lead}","wave":"{wave}","onset":{onset},"peak":{peak},"offset":{offset}}}"#
        )?;
    }
    Ok(())
}
