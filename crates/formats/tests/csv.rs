//! Tables with a declared layout: the ways to declare one, and what is refused without.

#![allow(clippy::disallowed_methods, clippy::disallowed_types, clippy::unwrap_used)]

mod made;

use made::csv::{LAYOUT, table, whole};
use made::{codes, leads, load, recording, refusal, samples, shared, unmapped};
use precordia_formats::{Part, read};
use precordia_model::{Lead, Recording, Refusal};

fn beside(table: &str, layout: &str) -> Result<Recording, Refusal> {
    let table = Part { name: "ecg.csv", bytes: table.as_bytes() };
    let layout = Part { name: "ecg.layout", bytes: layout.as_bytes() };
    read(&[table, layout])
}

/// The same rows with a time column before them.
fn timed(name: &str, step: f64, unit: &str) -> String {
    let rows = table("", ",", 1.0, 1200);
    let mut text = format!("{name},I{unit},II{unit},III{unit}\n");
    for (at, row) in rows.lines().enumerate() {
        text.push_str(&format!("{:.4},{row}\n", at as f64 * step));
    }
    text
}

#[test]
fn every_way_to_declare_a_layout_reads_the_same_signal() {
    let expected = recording(whole(1200).as_bytes());
    assert_eq!(expected.format, "csv");
    assert_eq!((expected.rhythm.rate.hz(), expected.rhythm.len()), (500.0, 1200));
    assert_eq!(leads(&expected.rhythm), ["I", "II", "III", "aVR", "aVL", "aVF"]);
    assert_eq!(samples(&expected.rhythm, Lead::I)[50], 900.0);
    assert_eq!(codes(&expected), ["acquisition_time_absent"]);

    let bare = table("", ",", 1.0, 1200);
    let with_leads = format!("{LAYOUT}# leads: I, II, III\n");
    let same = [
        beside(&table("I,II,III\n", ",", 1.0, 1200), LAYOUT),
        beside(&bare, &with_leads),
        Ok(recording(format!("{with_leads}{bare}").as_bytes())),
        Ok(recording(table(&format!("{LAYOUT}I\tII\tIII\n"), "\t", 1.0, 1200).as_bytes())),
        Ok(recording(
            table(&format!("{LAYOUT}I;II;III\n"), ";", 1.0, 1200).replace('.', ",").as_bytes(),
        )),
        Ok(recording(timed("time_s", 0.002, "_uV").as_bytes())),
        Ok(recording(timed("Time (ms)", 2.0, " (µV)").as_bytes())),
    ];
    for (index, read) in same.into_iter().enumerate() {
        assert_eq!(read.unwrap().rhythm, expected.rhythm, "way {index}");
    }
    let milli = table("# ecg-layout: 1\n# rate_hz: 500\nI_mV;II_mV;III_mV\n", ";", 0.001, 1200);
    let read = recording(milli.as_bytes());
    let close = |a: &f32, b: &f32| (a - b).abs() < 1e-3;
    let pairs = samples(&read.rhythm, Lead::II).iter().zip(samples(&expected.rhythm, Lead::II));
    assert!(pairs.into_iter().all(|(a, b)| close(a, b)));
    let counts =
        beside(&bare, "# ecg-layout: 1\n# rate_hz: 500\n# unit: 2 uV\n# leads: I, -, V1\n");
    let counts = counts.unwrap();
    assert_eq!(leads(&counts.rhythm), ["I", "V1"]);
    assert_eq!(samples(&counts.rhythm, Lead::V1)[50], 900.0);
    assert!(codes(&counts).contains(&"column_not_read"));
}

#[test]
fn person_and_time_come_from_the_layout_and_gaps_from_empty_cells() {
    let head = format!(
        "{LAYOUT}# acquired_at: 2024-02-29T10:11:12+01:00\n# patient_id: 77\n# room: 3\nI,II,III\n,1.5,NaN\n"
    );
    let read = recording(table(&head, ",", 1.0, 1200).as_bytes());
    assert_eq!(read.patient.id.as_ref().unwrap().reveal(), "77");
    assert_eq!(read.acquired_at.as_ref().unwrap().local.as_deref(), Some("2024-02-29T10:11:12"));
    assert_eq!(unmapped(&read, "layout"), ["room: 3"]);
    assert!(samples(&read.rhythm, Lead::I)[0].is_nan());
    assert_eq!(samples(&read.rhythm, Lead::II)[0], 1.5);
    assert_eq!(codes(&read), ["padding"]);
}

#[test]
fn what_is_not_declared_is_refused_with_what_to_add() {
    let rows = table("", ",", 1.0, 1200);
    let no_unit = refusal(format!("# ecg-layout: 1\n# rate_hz: 500\nI,II,III\n{rows}").as_bytes());
    assert_eq!(no_unit.code, "unit_absent");
    assert!(no_unit.hint.unwrap().contains("# unit: uV"));
    let no_rate = refusal(format!("# ecg-layout: 1\n# unit: uV\nI,II,III\n{rows}").as_bytes());
    assert_eq!(no_rate.code, "sampling_rate_absent");
    assert!(no_rate.hint.unwrap().contains("# rate_hz: 500"));
    let no_leads = refusal(format!("{LAYOUT}{rows}").as_bytes());
    assert_eq!(no_leads.code, "leads_unknown");
    assert!(no_leads.hint.unwrap().contains("# leads: I, II, V1"));
    assert_eq!(refusal(rows.as_bytes()).code, "format_unknown");
    assert_eq!(refusal(format!("I,II,III\n{rows}").as_bytes()).code, "unit_absent");
}

#[test]
fn contradictions_and_broken_tables_are_refused() {
    let rows = table("", ",", 1.0, 1200);
    let cases = [
        (format!("{LAYOUT}# leads: I, II\nI,II,III\n{rows}"), "column_count_contradicted"),
        (format!("{LAYOUT}# leads: I, V1, III\nI,II,III\n{rows}"), "lead_conflict"),
        (format!("{LAYOUT}I_mV,II,III\n{rows}"), "unit_conflict"),
        (format!("{LAYOUT}I,I,III\n{rows}"), "lead_repeated"),
        (format!("{LAYOUT}I,II,III\n{rows}1,2\n"), "row_length"),
        (format!("{LAYOUT}I,II,III\n1,2,x\n{rows}"), "value_invalid"),
        (format!("{LAYOUT}I,II,III\n1,2,1e300\n{rows}"), "value_invalid"),
        (format!("{LAYOUT}I,II,III\n"), "rhythm_too_short"),
        (LAYOUT.to_owned(), "rhythm_absent"),
        (timed("time_s", 0.00277, "_uV"), "time_uneven"),
        (
            format!("# ecg-layout: 1\n# rate_hz: 400\n{}", timed("time_s", 0.002, "_uV")),
            "time_uneven",
        ),
        (timed("time", 0.002, "_uV"), "sampling_rate_absent"),
        (LAYOUT.replace("500", "3") + "I,II,III\n" + &rows, "sampling_rate_invalid"),
    ];
    for (text, code) in cases {
        assert_eq!(refusal(text.as_bytes()).code, code, "{}", &text[..60.min(text.len())]);
    }
    assert_eq!(beside(&whole(1200), LAYOUT).unwrap_err().code, "layout_conflict");
    assert_eq!(beside(&rows, &rows).unwrap_err().code, "format_unknown");
}

#[test]
fn damaged_tables_are_answered() {
    made::damage(whole(110).as_bytes(), 1);
    made::damage(timed("time_s", 0.002, "_uV").as_bytes(), 31);
}

#[test]
fn a_real_table_is_read_with_a_layout_beside_it() {
    let Some(corpus) = shared() else { return };
    let folder = corpus.join("ecg/csv");
    let bytes = load(&folder.join("ecgutils__data12_allleads.csv"));
    let refused = refusal(&bytes);
    assert_eq!(refused.code, "unit_absent");
    // Counts of 4.88 uV at 500 Hz, as the same cart's annotated ECG of the recording says.
    let layout = "# ecg-layout: 1\n# rate_hz: 500\n# unit: 4.88 uV\n";
    let read = beside(std::str::from_utf8(&bytes).unwrap(), layout).unwrap();
    assert_eq!((read.rhythm.rate.hz(), read.rhythm.len()), (500.0, 5000));
    let expected: Vec<&str> = Lead::TWELVE.iter().map(|lead| lead.name()).collect();
    assert_eq!(leads(&read.rhythm), expected);
    assert_eq!(samples(&read.rhythm, Lead::V4)[0], (-24.0 * 4.88) as f32);
    let labels = load(&folder.join("ecgutils__data12_labels.csv"));
    assert_eq!(refusal(&labels).code, "format_unknown");
}
