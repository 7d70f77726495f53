//! The drawing as its readers see it: scale, marks and words, the same in all three outputs.

#![allow(clippy::unwrap_used)]

use std::collections::BTreeMap;
use std::io::Read;

use precordia_model::{
    Axes, DeviceStatement, Evidence, Fiducials, Flag, FlagCode, FlagReport, GroupKind, Lead,
    Measured, Measurements, MissingReason, NotEvaluated, OtherGroup, Phi, Problem, QtFormula,
    Quality, Recording, Rhythm, SampleRate, Severity, Signal, Trace, TraceOrigin, WaveTable,
};
use precordia_render::{
    Block, Gain, Layout, Mark, Page, Point, Rect, RenderError, Role, Sheet, Speed, pages, pdf, png,
    svg,
};
use precordia_synth::{Pattern, Person, Spec, synthesize};

/// Flat leads of 500 Hz with one sample of 1 mV at one second.
fn marked() -> Recording {
    let mut recording =
        synthesize(&Spec { qrs_uv: 0.0, p_uv: 0.0, t_uv: 0.0, ..Spec::default() }).recording;
    for trace in &mut recording.rhythm.traces {
        trace.samples_uv[500] = 1000.0;
    }
    recording
}

fn lines(page: &Page, role: Role) -> Vec<&Vec<Vec<Point>>> {
    let of_role = |mark| match mark {
        &Mark::Stroke { role: r, ref lines, .. } if r == role => Some(lines),
        _ => None,
    };
    page.marks.iter().filter_map(of_role).collect()
}

fn texts(page: &Page) -> Vec<(Point, String)> {
    let of_text = |mark: &Mark| match mark {
        Mark::Text { at, text, .. } => Some((*at, text.reveal().clone())),
        _ => None,
    };
    page.marks.iter().filter_map(of_text).collect()
}

fn has_text(page: &Page, part: &str) -> bool {
    texts(page).iter().any(|(_, text)| text.contains(part))
}

fn paper(page: &Page) -> Rect {
    let clip = |mark: &Mark| if let Mark::Stroke { clip, .. } = mark { *clip } else { None };
    page.marks.iter().find_map(clip).unwrap()
}

#[test]
fn a_millivolt_and_a_second_are_exact_in_every_scale() {
    let recording = marked();
    for speed in [Speed::Mm25, Speed::Mm50] {
        for gain in [Gain::Mm5, Gain::Mm10, Gain::Mm20] {
            let sheet = Sheet { layout: Layout::TwelveByOne, speed, gain, ..Sheet::default() };
            let page = &pages(&recording, &sheet)[0];
            for lead in Lead::TWELVE {
                let line = &lines(page, Role::Trace(lead))[0][0];
                assert_eq!(line[0].y - line[500].y, 1000 * gain.mm_per_mv() as i32, "{lead}");
                assert_eq!(line[500].x - line[0].x, 1000 * speed.mm_per_s() as i32, "{lead}");
            }
            let pulse = &lines(page, Role::Calibration)[0][0];
            assert!(pulse[2].y > paper(page).top, "the pulse is whole");
            assert_eq!(pulse[0].y - pulse[2].y, 1000 * gain.mm_per_mv() as i32);
            assert_eq!(pulse[3].x - pulse[2].x, 200 * speed.mm_per_s() as i32);
        }
    }
}

#[test]
fn the_paper_has_lines_every_millimeter_and_traces_begin_on_a_strong_one() {
    let page = &pages(&marked(), &Sheet::default())[0];
    assert_eq!((page.width, page.height), (297_000, 210_000));
    let upright = |role| {
        let all = lines(page, role)[0];
        let mut xs: Vec<i32> = all.iter().filter(|l| l[0].x == l[1].x).map(|l| l[0].x).collect();
        xs.sort_unstable();
        xs
    };
    let (minor, major) = (upright(Role::GridMinor), upright(Role::GridMajor));
    assert!(major.windows(2).all(|w| w[1] - w[0] == 5000));
    let mut all = [minor, major.clone()].concat();
    all.sort_unstable();
    assert!(all.windows(2).all(|w| w[1] - w[0] == 1000));
    assert!(major.contains(&lines(page, Role::Trace(Lead::I))[0][0][0].x));
}

#[test]
fn three_by_four_shows_four_times_two_and_a_half_seconds_and_one_lead_in_full() {
    let page = &pages(&marked(), &Sheet::default())[0];
    let start = lines(page, Role::Trace(Lead::I))[0][0][0].x;
    for (lead, column) in [(Lead::I, 0), (Lead::AVR, 1), (Lead::V1, 2), (Lead::V4, 3)] {
        let line = &lines(page, Role::Trace(lead))[0][0];
        assert_eq!(line[0].x - start, 62_500 * column, "{lead}");
        assert!(line[line.len() - 1].x - line[0].x <= 62_500);
    }
    let two = lines(page, Role::Trace(Lead::II));
    assert_eq!(two.len(), 2);
    assert_eq!(two[1][0].len(), 5000);
    assert_eq!(lines(page, Role::Separator).len(), 9);
}

#[test]
fn every_mark_lies_on_the_page_and_every_trace_is_clipped_to_the_paper() {
    for &pattern in Pattern::ALL {
        let recording = synthesize(&Spec::pattern(pattern)).recording;
        for layout in Layout::ALL {
            let sheet = Sheet { layout, ..Sheet::of(&recording, None) };
            let page = &pages(&recording, &sheet)[0];
            let paper = paper(page);
            assert!(
                paper.left > 0
                    && paper.top > 0
                    && paper.right < page.width
                    && paper.bottom < page.height
            );
            for (at, text) in texts(page) {
                assert!(
                    at.x >= 0 && at.y > 0 && at.y < page.height,
                    "{}: {text} at {at:?}",
                    pattern.name()
                );
            }
            for mark in &page.marks {
                if let Mark::Stroke { role: Role::Trace(_), clip, .. } = mark {
                    assert_eq!(*clip, Some(paper));
                }
            }
        }
    }
}

#[test]
fn scale_filters_and_time_are_said_below_the_paper() {
    let recording = synthesize(&Spec::pattern(Pattern::SinusRhythm)).recording;
    let sheet = Sheet { speed: Speed::Mm50, gain: Gain::Mm20, ..Sheet::default() };
    let page = &pages(&recording, &sheet)[0];
    for part in
        ["50 mm/s", "20 mm/mV", "0.05 to 150 Hz", "sampled at 500 Hz", "0.0 to 5.0 s of 10.0 s"]
    {
        assert!(has_text(page, part), "{part}");
    }
    let unstated = synthesize(&Spec::default()).recording;
    assert!(has_text(&pages(&unstated, &Sheet::default())[0], "filters not stated"));
}

#[test]
fn a_derived_lead_is_marked_and_the_mark_is_explained() {
    let mut recording = marked();
    for trace in &mut recording.rhythm.traces[2..6] {
        trace.origin = TraceOrigin::Derived { from: [Lead::I, Lead::II] };
    }
    let page = &pages(&recording, &Sheet::default())[0];
    let names: Vec<String> = texts(page).into_iter().map(|(_, text)| text).collect();
    for name in ["I", "II", "III*", "aVR*", "aVL*", "aVF*", "V1"] {
        assert!(names.iter().any(|n| n == name), "{name}");
    }
    assert!(has_text(page, "* computed from recorded leads"));
    assert!(!has_text(&pages(&marked(), &Sheet::default())[0], "computed"));
}

#[test]
fn leads_recorded_after_the_others_are_drawn_from_their_own_start_and_marked() {
    let mut recording = marked();
    let further = recording.rhythm.traces.split_off(6);
    let short = further
        .into_iter()
        .map(|t| Trace { samples_uv: t.samples_uv[..1250].to_vec(), ..t })
        .collect();
    let signal = Signal { rate: SampleRate::from_hz(500.0).unwrap(), traces: short };
    recording.other_groups.push(OtherGroup {
        kind: GroupKind::FurtherRhythm,
        label: String::from("2"),
        signal,
    });
    let page = &pages(&recording, &Sheet::default())[0];
    assert_eq!(lines(page, Role::Trace(Lead::V6))[0][0].len(), 1250);
    assert!(has_text(page, "V6†") && has_text(page, "† recorded after the other leads"));
}

#[test]
fn gaps_are_gaps_and_a_trace_beyond_the_paper_is_said() {
    let mut recording = marked();
    recording.rhythm.traces[0].samples_uv[100..200].fill(f32::NAN);
    let page = &pages(&recording, &Sheet::default())[0];
    assert_eq!(lines(page, Role::Trace(Lead::I))[0].len(), 2);
    assert!(!has_text(page, "beyond the paper"));
    recording.rhythm.traces[1].samples_uv[300] = 30_000.0;
    assert!(has_text(
        &pages(&recording, &Sheet::default())[0],
        "Part of a trace lies beyond the paper."
    ));
}

#[test]
fn a_long_recording_takes_as_many_pages_as_it_needs() {
    let recording = synthesize(&Spec { duration_s: 27.0, ..Spec::default() }).recording;
    let all = pages(&recording, &Sheet::default());
    let ranges =
        ["0.0 to 10.0 s of 27.0 s", "10.0 to 20.0 s of 27.0 s", "17.0 to 27.0 s of 27.0 s"];
    assert_eq!(all.len(), ranges.len());
    for (i, (page, range)) in all.iter().zip(ranges).enumerate() {
        assert!(has_text(page, range) && has_text(page, &format!("Page {} of 3", i + 1)));
    }
    for (duration_s, cut) in [(600.0, false), (601.0, true)] {
        let leads = vec![Lead::II];
        let recording =
            synthesize(&Spec { duration_s, leads, sampling_hz: 50.0, ..Spec::default() }).recording;
        let all = pages(&recording, &Sheet::default());
        assert_eq!((all.len(), has_text(&all[59], "the recording goes on")), (60, cut));
    }
}

#[test]
fn recordings_without_leads_or_samples_are_still_a_sheet() {
    for spec in
        [Spec { leads: Vec::new(), ..Spec::default() }, Spec { duration_s: 0.0, ..Spec::default() }]
    {
        let recording = synthesize(&spec).recording;
        for layout in Layout::ALL {
            let sheet = Sheet { layout, ..Sheet::of(&recording, None) };
            assert_eq!(pages(&recording, &sheet).len(), 1);
            assert!(!svg(&recording, &sheet).is_empty());
            assert!(!pdf(&recording, &sheet).unwrap().is_empty());
            assert!(!png(&recording, &sheet, 50).unwrap().is_empty());
        }
    }
}

fn measured() -> (Measurements, FlagReport) {
    let value = Measured::Value;
    let measurements = Measurements {
        version: String::from("1"),
        heart_rate_bpm: value(71.6),
        rr_ms: value(838.0),
        p_ms: value(100.0),
        pr_ms: Measured::Missing(MissingReason::NoPWave),
        qrs_ms: value(90.0),
        qt_ms: value(380.0),
        qtc_ms: BTreeMap::from([(QtFormula::Bazett, value(415.2))]),
        axis_deg: Axes {
            p: Measured::Missing(MissingReason::NoPWave),
            qrs: value(-42.0),
            t: value(40.0),
        },
        st_uv: BTreeMap::new(),
        rhythm: Rhythm::Undetermined,
        paced: false,
        r_peaks: Vec::new(),
        beats_used: Vec::new(),
        fiducials: Fiducials::default(),
        quality: Quality { usable: true, leads: BTreeMap::new() },
        waves: WaveTable::default(),
        rhythm_report: None,
    };
    let flag = |code, severity, value, limit, unit: &str, leads: &[Lead]| Flag {
        code,
        severity,
        value,
        limit,
        unit: unit.to_owned(),
        rule_version: String::from("1"),
        evidence: Evidence { leads: leads.to_vec(), ..Evidence::default() },
        notes: Vec::new(),
    };
    let flags = FlagReport {
        rule_version: String::from("1"),
        flags: vec![
            flag(FlagCode::AxisLeft, Severity::Info, -42.0, -30.0, "deg", &[]),
            flag(FlagCode::StElevation, Severity::Alert, 260.0, 200.0, "uV", &[Lead::V2, Lead::V3]),
        ],
        not_evaluated: vec![(FlagCode::AvBlock1, NotEvaluated::NotSinus)],
    };
    (measurements, flags)
}

#[test]
fn machine_words_are_labelled_and_the_gravest_flag_comes_first() {
    let recording = synthesize(&Spec::pattern(Pattern::LeftAxis)).recording;
    let (measurements, flags) = measured();
    let sheet = Sheet::of(&recording, Some((&measurements, &flags)));
    let page = &pages(&recording, &sheet)[0];
    for part in [
        "Machine output, not confirmed",
        "Ventricular rate 72 /min",
        "PR – (no p wave)",
        "QTc 415 ms (Bazett)",
        "QRS -42°",
        "From the file, not confirmed",
        "First degree AV block",
    ] {
        assert!(has_text(page, part), "{part}");
    }
    let height = |part: &str| texts(page).into_iter().find(|(_, t)| t.contains(part)).unwrap().0.y;
    assert!(height("!! ALERT · ST elevation 260 µV") < height("Info · Left axis"));
}

#[test]
fn a_very_long_name_is_wrapped_and_never_shortened() {
    let family = "Wolfeschlegelsteinhausenbergerdorff".repeat(5);
    let person = Person { family: family.clone(), ..Person::demo(0) };
    let recording = synthesize(&Spec { person, ..Spec::default() }).recording;
    let page = &pages(&recording, &Sheet::of(&recording, None))[0];
    let all: String = texts(page).into_iter().map(|(_, text)| text).collect();
    assert!(all.contains(&family));
    assert!(paper(page).bottom < page.height);
}

#[test]
fn more_words_than_fit_are_counted() {
    let mut recording = synthesize(&Spec::default()).recording;
    let statement =
        |i| DeviceStatement { text: Phi::new(format!("Statement number {i}")), code: None };
    recording.device_statements = (0..200).map(statement).collect();
    let page = &pages(&recording, &Sheet::of(&recording, None))[0];
    let shown = texts(page).iter().filter(|(_, t)| t.starts_with("Statement")).count();
    assert!(shown > 10 && has_text(page, &format!("… and {} more", 200 - shown)));
    let paper = paper(page);
    assert!(paper.bottom - paper.top >= 100_000);
    assert!(
        texts(page)
            .iter()
            .filter(|(_, t)| t.starts_with("Statement"))
            .all(|(at, _)| at.y < paper.top)
    );
}

#[test]
fn doubts_of_the_reader_stand_below_the_trace() {
    let mut recording = synthesize(&Spec::default()).recording;
    let problem =
        |i| Problem::warning("sign_extended", "channel 3", format!("doubt {i} about the samples"));
    recording.problems = (1..=5).map(problem).collect();
    recording.problems.insert(0, Problem::info("order", "channel 1", "nothing of note"));
    let page = &pages(&recording, &Sheet::of(&recording, None))[0];
    assert!(has_text(page, "doubt 1 about the samples; doubt 2 about the samples; doubt 3"));
    assert!(has_text(page, "and 2 more") && !has_text(page, "nothing of note"));

    let line = |i| Phi::new(format!("footer line {i}"));
    let page =
        &pages(&recording, &Sheet { footer: (0..50).map(line).collect(), ..Sheet::default() })[0];
    assert!(has_text(page, "footer line 3") && has_text(page, "… and 46 more lines"));
    assert!(texts(page).iter().all(|(at, _)| at.y < page.height));
}

#[test]
fn svg_is_well_formed_whatever_the_names_hold() {
    let person = Person {
        family: String::from("O'Brien & <script>alert(\"1\")</script>"),
        given: String::from("]]> \u{1}\u{fffe}&amp; Ковалевская 王"),
        ..Person::demo(0)
    };
    let recording = synthesize(&Spec { person, ..Spec::default() }).recording;
    let picture = svg(&recording, &Sheet::of(&recording, None));
    assert!(!picture.contains("<script"));
    assert!(picture.contains("O&#39;Brien &amp; &lt;script&gt;"));
    check_xml(&picture);
}

/// Elements close in order, attributes are quoted, and every `&` begins an entity.
#[track_caller]
fn check_xml(text: &str) {
    let mut open = Vec::new();
    let mut rest = text;
    while let Some(at) = rest.find('<') {
        let words = &rest[..at];
        assert!(!words.contains('>'), "stray > in {words}");
        for part in words.split('&').skip(1) {
            let name = part.split(';').next().unwrap();
            assert!(["amp", "lt", "gt", "quot", "#39"].contains(&name), "&{name}");
        }
        let end = at + rest[at..].find('>').expect("a tag ends");
        let tag = &rest[at + 1..end];
        assert_eq!(tag.matches('"').count() % 2, 0, "{tag}");
        if let Some(name) = tag.strip_prefix('/') {
            assert_eq!(open.pop(), Some(name));
        } else if !tag.ends_with('/') {
            open.push(tag.split(' ').next().unwrap());
        }
        rest = &rest[end + 1..];
    }
    assert!(open.is_empty() && rest.trim().is_empty());
    assert!(text.chars().all(|c| c >= ' ' || c == '\n'));
}

#[test]
fn svg_draws_each_trace_of_the_list_in_micrometers() {
    let recording = marked();
    let sheet = Sheet { layout: Layout::TwelveByOne, ..Sheet::default() };
    let picture = svg(&recording, &sheet);
    assert!(picture.contains("width=\"297mm\" height=\"210mm\" viewBox=\"0 0 297000 210000\""));
    for lead in Lead::TWELVE {
        let start = picture.find(&format!("data-lead=\"{lead}\"")).unwrap();
        let path = &picture[start..start + picture[start..].find("/>").unwrap()];
        // 1 mV up and down again: ten millimeters, a sample apart.
        assert!(path.contains(" 50-10000 50 10000 "), "{lead}");
    }
}

#[test]
fn png_has_the_size_and_the_resolution_asked_for() {
    let recording = synthesize(&Spec::default()).recording;
    let bytes = png(&recording, &Sheet::default(), 100).unwrap();
    let mut reader = ::png::Decoder::new(std::io::Cursor::new(&bytes)).read_info().unwrap();
    let info = reader.info();
    assert_eq!((info.width, info.height), (1169, 827));
    assert_eq!(info.pixel_dims.map(|d| (d.xppu, d.yppu)), Some((3937, 3937)));
    let mut pixels = vec![0; reader.output_buffer_size().unwrap()];
    reader.next_frame(&mut pixels).unwrap();
    let dark = pixels.chunks_exact(3).filter(|p| p.iter().all(|c| *c < 0x60)).count();
    assert!((2_000..60_000).contains(&dark), "{dark} dark pixels");
    for dpi in [0, 35, 301, u32::MAX] {
        assert!(matches!(
            png(&recording, &Sheet::default(), dpi),
            Err(RenderError::Resolution { .. })
        ));
    }
}

#[test]
fn pdf_holds_the_same_list_in_true_size() {
    let recording = marked();
    let sheet = Sheet { layout: Layout::TwelveByOne, ..Sheet::of(&recording, None) };
    let bytes = pdf(&recording, &sheet).unwrap();
    assert!(bytes.starts_with(b"%PDF-1.7") && bytes.trim_ascii_end().ends_with(b"%%EOF"));
    let text = String::from_utf8_lossy(&bytes);
    assert!(text.contains("/MediaBox [0 0 841.8898 595.2756]"));
    assert!(text.contains("/Count 1"));

    // Every object is where the cross-reference table says.
    let table = text.rfind("startxref").unwrap();
    let at: usize = text[table + 9..].split_whitespace().next().unwrap().parse().unwrap();
    let rows = String::from_utf8_lossy(&bytes[at..]);
    let in_use =
        rows.lines().filter(|l| l.ends_with(" n") || l.ends_with(" n ") || l.contains(" 00000 n"));
    for (number, row) in in_use.enumerate() {
        let offset: usize = row[..10].parse().unwrap();
        assert!(bytes[offset..].starts_with(format!("{} 0 obj", number + 1).as_bytes()));
    }

    let drawn = first_content(&bytes);
    assert!(drawn.starts_with("0.0028346456 0 0 -0.0028346456 0 595.2756 cm"), "{}", &drawn[..80]);
    let page = &pages(&recording, &sheet)[0];
    for lead in Lead::TWELVE {
        let line = &lines(page, Role::Trace(lead))[0][0];
        let (a, b) = (line[499], line[500]);
        assert!(drawn.contains(&format!("{} {} l\n{} {} l\n", a.x, a.y, b.x, b.y)), "{lead}");
    }
}

fn first_content(bytes: &[u8]) -> String {
    let find = |from: usize, what: &[u8]| {
        from + bytes[from..].windows(what.len()).position(|w| w == what).unwrap()
    };
    let start = find(0, b"stream\n") + 7;
    let end = find(start, b"\nendstream");
    let mut text = String::new();
    flate2::read::ZlibDecoder::new(&bytes[start..end]).read_to_string(&mut text).unwrap();
    text
}

#[test]
fn the_same_recording_gives_the_same_bytes() {
    let recording = synthesize(&Spec::pattern(Pattern::Noisy)).recording;
    let sheet = Sheet::of(&recording, None);
    assert_eq!(svg(&recording, &sheet), svg(&recording, &sheet));
    assert_eq!(pdf(&recording, &sheet).unwrap(), pdf(&recording, &sheet).unwrap());
    assert_eq!(png(&recording, &sheet, 72).unwrap(), png(&recording, &sheet, 72).unwrap());
}

#[test]
fn a_sheet_does_not_print_its_words_in_logs() {
    let recording = synthesize(&Spec::default()).recording;
    let sheet = Sheet { blocks: vec![Block::default()], ..Sheet::of(&recording, None) };
    let said = format!("{sheet:?} {:?}", pages(&recording, &sheet)[0].marks.last());
    assert!(!said.contains("Noether") && !said.contains("DEMO-") && !said.contains("1958"));
}
