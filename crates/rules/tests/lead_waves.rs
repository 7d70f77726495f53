//! The table of waves and the statements are stored as they are: what is written is read again, and
//! a result without a table, as it was stored before there was one, has an empty one.

#![allow(clippy::unwrap_used)]

use std::collections::BTreeMap;

use precordia_model::{
    Dispersion, Evidence, Lead, LeadWaves, Measured, MissingReason, NotStated, QtFormula, Severity,
    Statement, StatementCode, StatementReport, VoltageSums, Wave, WaveMeasure, WaveName, WaveTable,
};

#[test]
fn a_table_is_read_as_it_was_written() {
    let mut lead = LeadWaves::missing(MissingReason::Gap);
    let wave = WaveMeasure {
        amplitude_uv: -120.5,
        spread_uv: None,
        duration_ms: Some(18.2),
        onset_ms: 0.0,
        peak_ms: 9.1,
    };
    lead.waves.insert(WaveName::Q, Wave::Found(wave));
    lead.waves.insert(WaveName::R2, Wave::TooSmall);
    let value = Measured::Value(2400.0);
    let table = WaveTable {
        leads: BTreeMap::from([(Lead::AVL, lead)]),
        voltages: Some(VoltageSums {
            sokolow_lyon_uv: value,
            cornell_uv: value,
            cornell_product_uv_ms: Measured::Missing(MissingReason::LeadAbsent),
            limb_sum_uv: value,
            limb_greatest_uv: value,
            chest_greatest_uv: value,
        }),
        qt_dispersion: Some(Dispersion { ms: value, leads: 11 }),
        slur_ms: Some(value),
        jt_ms: Some(Measured::Missing(MissingReason::NoTWave)),
        jtc_ms: BTreeMap::from([(QtFormula::Bazett, value)]),
    };
    let text = serde_json::to_string(&table).unwrap();
    assert!(text.contains("\"R'\":\"too_small\""), "{text}");
    assert_eq!(serde_json::from_str::<WaveTable>(&text).unwrap(), table);
    assert!(WaveTable::default().is_empty() && !table.is_empty());
}

#[test]
fn a_report_of_statements_is_read_as_it_was_written() {
    let report = StatementReport {
        version: "1".into(),
        statements: vec![Statement {
            code: StatementCode::BrugadaType1Pattern,
            severity: Severity::Info,
            experimental: true,
            criterion: "coved_st".into(),
            value: 260.0,
            limit: 200.0,
            unit: "uV".into(),
            evidence: Evidence { leads: vec![Lead::V1], ..Evidence::default() },
            notes: Vec::new(),
        }],
        not_evaluated: vec![(StatementCode::LongJt, NotStated::NarrowQrs)],
    };
    let text = serde_json::to_string(&report).unwrap();
    assert!(text.contains("\"brugada_type_1_pattern\""), "{text}");
    assert_eq!(serde_json::from_str::<StatementReport>(&text).unwrap(), report);
}
