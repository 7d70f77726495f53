//! The table of limits, version `1`: one readable place, nothing decided here.
//!
//! An organization may override a limit by name. The flag that rests on an overridden limit says
//! so in its notes, with the product's own limit beside it. The first limit of a row decides
//! whether there is a flag; the bands above it only decide its severity.

use std::fmt;

/// Version of the rule set, carried by every flag.
pub const RULE_VERSION: &str = "1";

/// The limits of one row from the least to the most severe.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Bands {
    /// Passed strictly: `< 60 /min`, `> 200 ms`.
    pub info: f64,
    /// Rows that rise count the limit itself in (`>= 240 ms`), rows that fall do not (`< 50 /min`).
    pub borderline: f64,
    /// As for `borderline`.
    pub alert: f64,
}

/// Every limit that a rule compares with. Units close the names.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Limits {
    /// Ventricular rate below.
    pub bradycardia_bpm: Bands,
    /// Ventricular rate above.
    pub tachycardia_bpm: Bands,
    /// PR interval above.
    pub av_block_1_ms: Bands,
    /// Rate-corrected QT interval above.
    pub long_qt_ms: Bands,
    /// QRS axis from `axis_extreme_below_deg` on and below this.
    pub axis_left_below_deg: f64,
    /// QRS axis above this, up to and with 180.
    pub axis_right_above_deg: f64,
    /// QRS axis above -180 and below this.
    pub axis_extreme_below_deg: f64,
    /// ST level at J, from this on, in leads other than V2 and V3.
    pub st_elevation_uv: f64,
    /// ST level at J in V2 and V3, men under `st_elevation_young_under_years`.
    pub st_elevation_v2_v3_young_men_uv: f64,
    /// The same, men from that age on.
    pub st_elevation_v2_v3_men_uv: f64,
    /// The same, women of any age.
    pub st_elevation_v2_v3_women_uv: f64,
    pub st_elevation_young_under_years: f64,
    /// ST depression at J, a positive number, from this on.
    pub st_depression_uv: f64,
    /// ST depression at J of two contiguous leads that makes an alert.
    pub st_depression_alert_uv: f64,
    /// QRS duration from which QT and ST are not judged.
    pub wide_qrs_from_ms: f64,
    /// Age from which the table holds.
    pub adult_from_years: f64,
}

impl Default for Limits {
    fn default() -> Self {
        PRODUCT
    }
}

/// The product's table. Rate and PR bands follow common practice; QTc, axis and ST follow the
/// AHA/ACCF/HRS 2009 recommendations (parts III, IV and VI) and the universal definition of
/// myocardial infarction for ST elevation at J by lead, sex and age.
const PRODUCT: Limits = Limits {
    bradycardia_bpm: Bands { info: 60.0, borderline: 50.0, alert: 40.0 },
    tachycardia_bpm: Bands { info: 100.0, borderline: 120.0, alert: 150.0 },
    av_block_1_ms: Bands { info: 200.0, borderline: 240.0, alert: 300.0 },
    long_qt_ms: Bands { info: 460.0, borderline: 480.0, alert: 500.0 },
    axis_left_below_deg: -30.0,
    axis_right_above_deg: 90.0,
    axis_extreme_below_deg: -90.0,
    st_elevation_uv: 100.0,
    st_elevation_v2_v3_young_men_uv: 250.0,
    st_elevation_v2_v3_men_uv: 200.0,
    st_elevation_v2_v3_women_uv: 150.0,
    st_elevation_young_under_years: 40.0,
    st_depression_uv: 50.0,
    st_depression_alert_uv: 100.0,
    wide_qrs_from_ms: 120.0,
    adult_from_years: 16.0,
};

macro_rules! limit_names {
    ($($name:literal, $unit:literal => $($field:ident).+;)+) => {
        /// Names of all limits as configuration writes them, with their UCUM units.
        pub const LIMIT_NAMES: &[(&str, &str)] = &[$(($name, $unit)),+];

        impl Limits {
            /// The limit of that name.
            pub fn get(&self, name: &str) -> Option<f64> {
                match name { $($name => Some(self.$($field).+),)+ _ => None }
            }

            fn slot(&mut self, name: &str) -> Option<&mut f64> {
                match name { $($name => Some(&mut self.$($field).+),)+ _ => None }
            }
        }
    };
}

limit_names! {
    "bradycardia.info", "/min" => bradycardia_bpm.info;
    "bradycardia.borderline", "/min" => bradycardia_bpm.borderline;
    "bradycardia.alert", "/min" => bradycardia_bpm.alert;
    "tachycardia.info", "/min" => tachycardia_bpm.info;
    "tachycardia.borderline", "/min" => tachycardia_bpm.borderline;
    "tachycardia.alert", "/min" => tachycardia_bpm.alert;
    "av_block_1.info", "ms" => av_block_1_ms.info;
    "av_block_1.borderline", "ms" => av_block_1_ms.borderline;
    "av_block_1.alert", "ms" => av_block_1_ms.alert;
    "long_qt.info", "ms" => long_qt_ms.info;
    "long_qt.borderline", "ms" => long_qt_ms.borderline;
    "long_qt.alert", "ms" => long_qt_ms.alert;
    "axis_left.below", "deg" => axis_left_below_deg;
    "axis_right.above", "deg" => axis_right_above_deg;
    "axis_extreme.below", "deg" => axis_extreme_below_deg;
    "st_elevation.other_leads", "uV" => st_elevation_uv;
    "st_elevation.v2_v3_young_men", "uV" => st_elevation_v2_v3_young_men_uv;
    "st_elevation.v2_v3_men", "uV" => st_elevation_v2_v3_men_uv;
    "st_elevation.v2_v3_women", "uV" => st_elevation_v2_v3_women_uv;
    "st_elevation.young_under", "a" => st_elevation_young_under_years;
    "st_depression.limit", "uV" => st_depression_uv;
    "st_depression.alert", "uV" => st_depression_alert_uv;
    "wide_qrs.from", "ms" => wide_qrs_from_ms;
    "adult.from", "a" => adult_from_years;
}

/// Why an override was refused.
#[derive(Clone, Debug, PartialEq)]
pub enum LimitError {
    Unknown { name: String },
    NotFinite { name: String },
    Disordered { name: String, value: f64 },
}

impl fmt::Display for LimitError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            LimitError::Unknown { name } => write!(f, "no limit is called `{name}`"),
            LimitError::NotFinite { name } => write!(f, "limit `{name}` is not a finite number"),
            LimitError::Disordered { name, value } => {
                write!(f, "limit `{name}` = {value} would put the bands of its row out of order")
            }
        }
    }
}

impl std::error::Error for LimitError {}

impl Limits {
    /// Overrides limits by name, all or none. The bands of each row must stay in order afterwards.
    pub fn with_overrides<'a>(
        mut self,
        overrides: impl IntoIterator<Item = (&'a str, f64)>,
    ) -> Result<Self, LimitError> {
        let mut last = None;
        for (name, value) in overrides {
            let unknown = || LimitError::Unknown { name: name.to_owned() };
            let slot = self.slot(name).ok_or_else(unknown)?;
            if !value.is_finite() {
                return Err(LimitError::NotFinite { name: name.to_owned() });
            }
            *slot = value;
            last = Some((name, value));
        }
        match last {
            Some((name, value)) if !self.ordered() => {
                Err(LimitError::Disordered { name: name.to_owned(), value })
            }
            _ => Ok(self),
        }
    }

    /// Names of the limits that differ from the product's.
    pub fn overridden(&self) -> impl Iterator<Item = &'static str> + '_ {
        let product = Limits::default();
        LIMIT_NAMES
            .iter()
            .map(|(name, _)| *name)
            .filter(move |name| self.get(name) != product.get(name))
    }

    fn ordered(&self) -> bool {
        let rises = |b: Bands| b.info <= b.borderline && b.borderline <= b.alert;
        let falls = |b: Bands| b.info >= b.borderline && b.borderline >= b.alert;
        falls(self.bradycardia_bpm)
            && rises(self.tachycardia_bpm)
            && rises(self.av_block_1_ms)
            && rises(self.long_qt_ms)
            && self.bradycardia_bpm.info <= self.tachycardia_bpm.info
            && self.axis_extreme_below_deg <= self.axis_left_below_deg
            && self.axis_left_below_deg <= self.axis_right_above_deg
            && 0.0 < self.st_depression_uv
            && self.st_depression_uv <= self.st_depression_alert_uv
            && self.st_elevations().into_iter().all(|limit_uv| limit_uv > 0.0)
    }

    fn st_elevations(&self) -> [f64; 4] {
        [
            self.st_elevation_uv,
            self.st_elevation_v2_v3_young_men_uv,
            self.st_elevation_v2_v3_men_uv,
            self.st_elevation_v2_v3_women_uv,
        ]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_reads_and_writes_its_own_limit() {
        for (name, _) in LIMIT_NAMES {
            let mut limits = Limits::default();
            *limits.slot(name).unwrap() += 0.5;
            assert_eq!(limits.overridden().collect::<Vec<_>>(), vec![*name]);
        }
        assert_eq!(Limits::default().get("bradycardia"), None);
    }

    #[test]
    fn overrides_are_refused_when_unknown_not_finite_or_out_of_order() {
        let refused = |name, value| Limits::default().with_overrides([(name, value)]).unwrap_err();
        assert_eq!(refused("qt.info", 1.0), LimitError::Unknown { name: "qt.info".into() });
        assert_eq!(
            refused("long_qt.info", f64::NAN),
            LimitError::NotFinite { name: "long_qt.info".into() }
        );
        for (name, value) in [
            ("bradycardia.info", 45.0),
            ("bradycardia.info", 120.0),
            ("tachycardia.alert", 110.0),
            ("av_block_1.info", 250.0),
            ("long_qt.borderline", 510.0),
            ("axis_left.below", -95.0),
            ("st_depression.limit", 110.0),
            ("st_elevation.v2_v3_women", 0.0),
        ] {
            assert_eq!(
                refused(name, value),
                LimitError::Disordered { name: name.into(), value },
                "{name} {value}"
            );
        }
    }

    #[test]
    fn overrides_of_several_limits_are_judged_together() {
        let limits = Limits::default()
            .with_overrides([("bradycardia.info", 45.0), ("bradycardia.borderline", 42.0)])
            .unwrap();
        assert_eq!(limits.bradycardia_bpm, Bands { info: 45.0, borderline: 42.0, alert: 40.0 });
        assert_eq!(
            limits.overridden().collect::<Vec<_>>(),
            ["bradycardia.info", "bradycardia.borderline"]
        );
    }
}
