//! Contec's native files: read with a declared scale, refused without one.

#![allow(clippy::disallowed_methods, clippy::disallowed_types, clippy::unwrap_used)]

mod made;

use made::{codes, contec, leads, load, refusal, samples, shared, unmapped};
use precordia_formats::{Part, read};
use precordia_model::{Lead, Recording, Refusal, Sex};

fn with_layout(bytes: &[u8], layout: &str) -> Result<Recording, Refusal> {
    let layout = Part { name: "layout.txt", bytes: layout.as_bytes() };
    let file = Part { name: "0000042.ECG", bytes };
    let read_one_way = read(&[file, layout]);
    let bits = |read: &Result<Recording, Refusal>| {
        let of = |read: &Recording| -> Vec<u32> {
            read.rhythm.traces.iter().flat_map(|t| &t.samples_uv).map(|uv| uv.to_bits()).collect()
        };
        read.as_ref().map(of).map_err(|refusal| refusal.code.clone())
    };
    let other_way = read(&[layout, file]);
    assert!(bits(&other_way) == bits(&read_one_way), "the order of parts means nothing");
    read_one_way
}

const FIVE: &str = "# ecg-layout: 1\n# unit: 5 uV\n# patient_id: 77\n";

#[test]
fn a_file_is_read_with_the_scale_that_is_declared_beside_it() {
    let read = with_layout(&contec::whole(2000), FIVE).unwrap();
    assert_eq!(read.format, "contec");
    assert_eq!((read.rhythm.rate.hz(), read.rhythm.len()), (800.0, 2000));
    assert_eq!(leads(&read.rhythm)[..8], ["I", "II", "V1", "V2", "V3", "V4", "V5", "V6"]);
    assert_eq!(samples(&read.rhythm, Lead::V1)[50], 1000.0);
    assert!(samples(&read.rhythm, Lead::V6).iter().all(|uv| uv.is_nan()));
    assert_eq!(codes(&read), ["zero_level_assumed", "lead_empty"]);
    assert_eq!(read.patient.name_as_written.as_ref().unwrap().reveal(), "Amalie");
    assert_eq!(read.patient.id.as_ref().unwrap().reveal(), "77");
    assert_eq!((read.patient.sex, read.patient.age_years), (Some(Sex::Female), Some(53)));
    assert_eq!(unmapped(&read, "header, weight"), ["70"]);
    let time = read.acquired_at.as_ref().unwrap();
    assert_eq!(time.local.as_deref(), Some("2020-11-24T07:19:13"));
}

#[test]
fn without_a_scale_or_with_a_contradiction_it_is_refused() {
    let whole = contec::whole(2000);
    let refused = refusal(&whole);
    assert_eq!(refused.code, "scale_absent");
    assert!(refused.hint.unwrap().contains("# unit: 5 uV"));
    let code = |layout: &str| with_layout(&whole, layout).unwrap_err().code;
    assert_eq!(code("# ecg-layout: 1\n"), "scale_absent");
    assert_eq!(code("# ecg-layout: 1\n# unit: 5 uV\n# rate_hz: 500\n"), "layout_conflict");
    assert_eq!(code("# ecg-layout: 1\n# unit: 5 uV\n# leads: I\n"), "layout_conflict");
    assert_eq!(code("# ecg-layout: 1\n# unit: 5 count\n"), "unit_unknown");
    assert_eq!(with_layout(&whole[..whole.len() - 1], FIVE).unwrap_err().code, "file_truncated");
    assert_eq!(with_layout(&whole[..60], FIVE).unwrap_err().code, "file_truncated");
    let short = contec::whole(10);
    assert_eq!(with_layout(&short, FIVE).unwrap_err().code, "rhythm_too_short");
    let parts = [Part { name: "a", bytes: &whole }; 3];
    assert_eq!(read(&parts).unwrap_err().code, "parts_several");
}

#[test]
fn a_footer_that_says_something_is_kept() {
    let read = with_layout(&contec::file(&contec::rows(2000), 7), FIVE).unwrap();
    assert!(codes(&read).contains(&"footer_unknown"));
    assert_eq!(unmapped(&read, "footer"), ["07".repeat(37)]);
}

#[test]
fn damaged_files_are_answered() {
    let whole = contec::whole(170);
    let layout = Part { name: "l", bytes: FIVE.as_bytes() };
    let mut damaged = whole.clone();
    for at in 0..whole.len() {
        for bytes in [&whole[..at], &whole[at..]] {
            let _ = read(&[Part { name: "f", bytes }, layout]);
        }
        damaged[at] ^= 0x81;
        let _ = read(&[Part { name: "f", bytes: &damaged }, layout]);
        damaged[at] ^= 0x81;
    }
}

#[test]
fn real_files_are_read_sample_by_sample() {
    let Some(corpus) = shared() else { return };
    // Counts that an independent look at the bytes found: least and most of lead II, samples.
    let cases =
        [("rigacci__0000037.ECG", 1770, 2125, 8375), ("rigacci__0000053.ECG", 1921, 2083, 29748)];
    for (file, least, most, count) in cases {
        let bytes = load(&corpus.join("ecg/contec").join(file));
        assert_eq!(refusal(&bytes).code, "scale_absent", "{file}");
        let read = with_layout(&bytes, FIVE).unwrap();
        assert_eq!(read.rhythm.len(), count, "{file}");
        let lead = samples(&read.rhythm, Lead::II);
        let extreme = |of: fn(f32, f32) -> f32| lead.iter().copied().reduce(of).unwrap();
        assert_eq!(extreme(f32::min), (least - 2048) as f32 * 5.0, "{file}");
        assert_eq!(extreme(f32::max), (most - 2048) as f32 * 5.0, "{file}");
    }
}
