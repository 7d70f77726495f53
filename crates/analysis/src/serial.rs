//! What changed since an earlier recording of the same person.
//!
//! A change is told when it is larger than what two recordings of an unchanged heart differ by, and a
//! comparison that cannot be made is told as such. Whether a change matters is for a reader.

use precordia_model::{Lead, Measured, Measurements, MissingReason, QtFormula, Rhythm};

/// What is compared, with the change from which it is told.
///
/// QTc: 30 ms is the smaller of the two limits of concern of ICH E14 (2.2.3.2). The others are
/// rounded up from the day-to-day and electrode-placement variability reported for resting ECGs
/// (Schijvenaars et al., J Electrocardiol 2008;41:190): they are ours, and a clinic may well ask for
/// others.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Compared {
    HeartRate,
    Pr,
    Qrs,
    Qtc,
    QrsAxis,
    TAxis,
    St(Lead),
}

impl Compared {
    /// In the unit of the value: /min, ms, degrees, microvolts.
    pub const fn limit(self) -> f64 {
        match self {
            Compared::HeartRate => 20.0,
            Compared::Pr => 25.0,
            Compared::Qrs => 15.0,
            Compared::Qtc => 30.0,
            Compared::QrsAxis => 30.0,
            Compared::TAxis => 45.0,
            Compared::St(_) => 100.0,
        }
    }

    pub const fn unit(self) -> &'static str {
        match self {
            Compared::HeartRate => "/min",
            Compared::Pr | Compared::Qrs | Compared::Qtc => "ms",
            Compared::QrsAxis | Compared::TAxis => "deg",
            Compared::St(_) => "uV",
        }
    }

    pub fn name(self) -> String {
        match self {
            Compared::HeartRate => "heart_rate_bpm".into(),
            Compared::Pr => "pr_ms".into(),
            Compared::Qrs => "qrs_ms".into(),
            Compared::Qtc => "qtc_ms".into(),
            Compared::QrsAxis => "qrs_axis_deg".into(),
            Compared::TAxis => "t_axis_deg".into(),
            Compared::St(lead) => format!("st_uv.{lead}"),
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Change {
    pub of: Compared,
    pub earlier: f64,
    pub later: f64,
    /// Later less earlier; of an axis the shorter way round.
    pub difference: f64,
}

#[derive(Clone, Debug, Default, PartialEq)]
pub struct Comparison {
    /// Changes beyond their limits, in the order of [`Compared`].
    pub changes: Vec<Change>,
    /// The earlier and the later rhythm, where they differ and both are known.
    pub rhythm: Option<(Rhythm, Rhythm)>,
    /// Measured in one recording only, and why not in the other.
    pub not_compared: Vec<(Compared, MissingReason)>,
}

/// Compares the measurements of two recordings of one person.
pub fn compare(earlier: &Measurements, later: &Measurements) -> Comparison {
    let mut comparison = Comparison::default();
    let known = |rhythm: Rhythm| rhythm != Rhythm::Undetermined;
    if known(earlier.rhythm) && known(later.rhythm) && earlier.rhythm != later.rhythm {
        comparison.rhythm = Some((earlier.rhythm, later.rhythm));
    }
    let qtc = |m: &Measurements| m.qtc(QtFormula::Fridericia);
    let mut pairs = vec![
        (Compared::HeartRate, earlier.heart_rate_bpm, later.heart_rate_bpm),
        (Compared::Pr, earlier.pr_ms, later.pr_ms),
        (Compared::Qrs, earlier.qrs_ms, later.qrs_ms),
        (Compared::Qtc, qtc(earlier), qtc(later)),
        (Compared::QrsAxis, earlier.axis_deg.qrs, later.axis_deg.qrs),
        (Compared::TAxis, earlier.axis_deg.t, later.axis_deg.t),
    ];
    pairs.extend(
        earlier
            .st_uv
            .iter()
            .filter_map(|(lead, st)| Some((Compared::St(*lead), *st, *later.st_uv.get(lead)?))),
    );
    for (of, earlier, later) in pairs {
        match (earlier, later) {
            (Measured::Value(earlier), Measured::Value(later)) => {
                let difference = difference(of, earlier, later);
                if difference.abs() >= of.limit() {
                    comparison.changes.push(Change { of, earlier, later, difference });
                }
            }
            (Measured::Value(_), Measured::Missing(why))
            | (Measured::Missing(why), Measured::Value(_)) => {
                comparison.not_compared.push((of, why));
            }
            (Measured::Missing(_), Measured::Missing(_)) => {}
        }
    }
    comparison
}

fn difference(of: Compared, earlier: f64, later: f64) -> f64 {
    let difference = later - earlier;
    match of {
        Compared::QrsAxis | Compared::TAxis => {
            let turned = difference.rem_euclid(360.0);
            if turned > 180.0 { turned - 360.0 } else { turned }
        }
        _ => difference,
    }
}
