//! Writes representative resources of every type to a directory, for independent validators:
//!
//! `cargo run -p precordia-interop --example fhir_samples -- DIRECTORY`

#![allow(clippy::print_stdout)]
#![allow(clippy::disallowed_methods, reason = "a program for people, not part of the pure crate")]

use std::collections::BTreeMap;
use std::error::Error;
use std::path::PathBuf;

use precordia_interop::fhir::audit_event::{
    self, AccessActor, AccessFact, AccessKind, AccessOutcome, AccessPurpose,
};
use precordia_interop::fhir::ecg::{
    DocumentFacts, EcgFacts, device_observation, diagnostic_report, document_reference, observation,
};
use precordia_interop::fhir::{
    FhirId, IssueCode, IssueSeverity, Meta, ResourceType, binary, bundle, capability,
    operation_outcome, patient, search, validate,
};
use precordia_model::{
    Axes, DeviceDescription, DeviceMeasurement, DeviceStatement, DeviceTime, Evidence, Fiducials,
    Flag, FlagCode, FlagReport, Identifier, Lead, LeadQuality, Measured, Measurements,
    MissingReason, NotEvaluated, PartialDate, Patient, PatientId, PatientIdentity, Phi, QtFormula,
    Quality, QualityIssue, Rhythm, Role, Severity, Sex, Timestamp, WaveTable, ZoneKnowledge,
};
use serde_json::Value;
use uuid::Uuid;

const RECEIVED: Timestamp = Timestamp(1_715_927_415_250_125);

fn main() -> Result<(), Box<dyn Error>> {
    let directory =
        PathBuf::from(std::env::args_os().nth(1).ok_or("usage: fhir_samples DIRECTORY")?);
    std::fs::create_dir_all(&directory)?;
    let mut samples = Vec::new();
    samples.extend(patients());
    samples.extend(ecgs());
    samples.extend(audit_events());
    samples.extend(answers());
    samples.extend(pages(&samples));
    for (name, resource) in &samples {
        validate::check(resource).map_err(|found| format!("{name}: {}", found[0]))?;
        let text = serde_json::to_string_pretty(resource)?;
        std::fs::write(directory.join(format!("{name}.json")), text)?;
    }
    println!("{} resources in {}", samples.len(), directory.display());
    Ok(())
}

type Sample = (String, Value);

fn id(n: u128) -> Uuid {
    Uuid::from_u128(0x0192_f0aa_0000_7000_8000_0000_0000_0000 | n)
}

fn meta() -> Meta {
    Meta { version: 1, last_updated: RECEIVED }
}

fn person(n: u128, family: &str, given: &[&str], born: &str, sex: Option<Sex>) -> Patient {
    Patient {
        id: PatientId(id(n)),
        identity: PatientIdentity {
            identifiers: vec![Identifier {
                system: "urn:oid:1.2.276.0.76.3.1".into(),
                value: Phi::new(format!("MRN-{n:05}")),
            }],
            family: Some(family.to_owned()).filter(|f| !f.is_empty()).map(Phi::new),
            given: given.iter().map(|&g| Phi::new(g.into())).collect(),
            birth_date: PartialDate::parse(born).map(Phi::new),
            sex,
        },
        merged_into: None,
    }
}

fn patients() -> Vec<Sample> {
    let mut merged = person(7, "Example", &["Twice"], "1970-01-01", Some(Sex::Male));
    merged.merged_into = Some(PatientId(id(8)));
    let mut loose = person(9, "O'Brien-Łukasiewicz", &["Zoë"], "1999-12", Some(Sex::Other));
    loose
        .identity
        .identifiers
        .push(Identifier { system: String::new(), value: Phi::new("17".into()) });
    let unknown =
        Patient { id: PatientId(id(10)), identity: PatientIdentity::default(), merged_into: None };
    let all = [
        ("female", person(1, "Nöther", &["Amalie", "Emmy"], "1882-03-23", Some(Sex::Female))),
        ("kanji", person(2, "山田", &["太郎"], "1950", Some(Sex::Male))),
        ("greek", person(3, "Παπαδόπουλος", &["Γεώργιος"], "1948-11-02", Some(Sex::Unknown))),
        ("arabic", person(4, "الخوارزمي", &["محمد"], "", None)),
        ("combining", person(5, "Nguye\u{302}\u{303}n", &["Thi\u{323}"], "2001-02-28", None)),
        ("one-name", person(6, "", &["Björk"], "1965-11-21", Some(Sex::Female))),
        ("merged", merged),
        ("two-identifiers", loose),
        ("unknown", unknown),
    ];
    all.iter().map(|(name, p)| (format!("patient-{name}"), patient::to_fhir(p, &meta()))).collect()
}

fn measured() -> Measurements {
    use Measured::Value as V;
    let leads = Lead::TWELVE.into_iter();
    Measurements {
        version: "1.0.0".into(),
        heart_rate_bpm: V(72.4),
        rr_ms: V(828.729_281_767_955_8),
        p_ms: V(104.0),
        pr_ms: V(162.0),
        qrs_ms: V(92.0),
        qt_ms: V(398.0),
        qtc_ms: QtFormula::ALL.into_iter().zip([437.2, 423.7, 424.4, 419.7].map(V)).collect(),
        axis_deg: Axes { p: V(52.0), qrs: V(-14.5), t: V(41.0) },
        st_uv: leads.clone().map(|lead| (lead, V(-12.5))).collect(),
        rhythm: Rhythm::Sinus,
        paced: false,
        r_peaks: vec![312, 727, 1141, 1556],
        beats_used: vec![0, 1, 3],
        fiducials: Fiducials {
            p_onset: Some(-101),
            p_offset: Some(-49),
            qrs_onset: Some(-20),
            qrs_offset: Some(26),
            t_peak: Some(128),
            t_offset: Some(179),
        },
        quality: Quality {
            usable: true,
            leads: leads
                .map(|lead| {
                    let issues = if lead == Lead::V6 {
                        vec![QualityIssue::BaselineWander, QualityIssue::Noise]
                    } else {
                        vec![]
                    };
                    (lead, LeadQuality { usable: true, issues, noise_uv: 6.25 })
                })
                .collect(),
        },
        waves: WaveTable::default(),
        rhythm_report: None,
    }
}

fn nothing_measured() -> Measurements {
    use Measured::Missing as M;
    use MissingReason::{
        Gap, LeadAbsent, NoBeats, NoPWave, NoTWave, OutOfScope, Paced, PoorQuality, Rhythm as R,
        TooFewBeats,
    };
    Measurements {
        version: "1.0.0".into(),
        heart_rate_bpm: M(NoBeats),
        rr_ms: M(TooFewBeats),
        p_ms: M(NoPWave),
        pr_ms: M(R),
        qrs_ms: M(PoorQuality),
        qt_ms: M(NoTWave),
        qtc_ms: BTreeMap::from([(QtFormula::Bazett, M(OutOfScope))]),
        axis_deg: Axes { p: M(LeadAbsent), qrs: M(Gap), t: M(Paced) },
        st_uv: BTreeMap::new(),
        rhythm: Rhythm::Undetermined,
        paced: true,
        r_peaks: vec![],
        beats_used: vec![],
        fiducials: Fiducials::default(),
        quality: Quality { usable: false, leads: BTreeMap::new() },
        waves: WaveTable::default(),
        rhythm_report: None,
    }
}

fn every_flag() -> FlagReport {
    let severities = [Severity::Info, Severity::Borderline, Severity::Alert];
    let flag = |code, severity| {
        let unit = match code {
            FlagCode::Bradycardia | FlagCode::Tachycardia => "/min",
            FlagCode::AvBlock1 | FlagCode::LongQt => "ms",
            FlagCode::AxisLeft | FlagCode::AxisRight | FlagCode::AxisExtreme => "deg",
            FlagCode::StElevation | FlagCode::StDepression => "uV",
        };
        Flag {
            code,
            severity,
            value: 101.5,
            limit: 100.0,
            unit: unit.into(),
            rule_version: "1".into(),
            evidence: Evidence {
                leads: vec![Lead::V2, Lead::V3],
                beats: vec![312, 727],
                formula: (code == FlagCode::LongQt).then_some(QtFormula::Fridericia),
            },
            notes: vec!["age unknown: most sensitive limit".into()],
        }
    };
    let flags = FlagCode::ALL.into_iter().flat_map(|c| severities.map(|s| flag(c, s))).collect();
    FlagReport { rule_version: "1".into(), flags, not_evaluated: vec![] }
}

fn no_flags() -> FlagReport {
    FlagReport { rule_version: "1".into(), ..FlagReport::default() }
}

fn nothing_evaluated() -> FlagReport {
    let reasons = [
        NotEvaluated::WideQrs,
        NotEvaluated::Paced,
        NotEvaluated::Paediatric,
        NotEvaluated::AtrialFibrillation,
        NotEvaluated::NotSinus,
        NotEvaluated::PoorQuality,
        NotEvaluated::Missing,
    ];
    let not_evaluated = FlagCode::ALL.into_iter().zip(reasons.into_iter().cycle()).collect();
    FlagReport { rule_version: "1".into(), flags: vec![], not_evaluated }
}

fn cart() -> DeviceDescription {
    DeviceDescription {
        manufacturer: Some("Example Instruments".into()),
        model: Some("Cart 12".into()),
        software: Some("5.3".into()),
        serial: Some(Phi::new("SN-0042".into())),
    }
}

fn cart_measurements() -> Vec<DeviceMeasurement> {
    let said = |name: Option<&str>, code: Option<&str>, label: &str, value, unit: &str, lead| {
        DeviceMeasurement {
            name: name.map(String::from),
            code: code.map(String::from),
            label: label.into(),
            value,
            unit: unit.into(),
            lead,
        }
    };
    vec![
        said(Some("pr_ms"), Some("LN:8625-6"), "PR Interval", 160.0, "ms", None),
        said(None, Some("SCPECG:5.10.3-15"), "T axis", 41.0, "deg", None),
        said(None, None, "", -0.125, "mm/mV", Some(Lead::V5)),
        said(None, Some("MDC:2:16770"), "Rate", 72.0, "", None),
    ]
}

fn cart_statements() -> Vec<DeviceStatement> {
    let said = |text: &str, code: Option<&str>| DeviceStatement {
        text: Phi::new(text.into()),
        code: code.map(String::from),
    };
    vec![said("Ritmo sinusale", Some("SCPECG:NSR")), said("ECG normale\nnon confermato", None)]
}

fn ecgs() -> Vec<Sample> {
    let time = |as_written: &str, local: Option<&str>, zone| DeviceTime {
        as_written: as_written.into(),
        local: local.map(String::from),
        zone,
    };
    let zoned = time(
        "20240517083015.250+0200",
        Some("2024-05-17T08:30:15.250"),
        ZoneKnowledge::Offset { minutes: 120 },
    );
    let local = time("20240517083015", Some("2024-05-17T08:30:15"), ZoneKnowledge::Unknown);
    let month = time("2024-05", Some("2024-05"), ZoneKnowledge::Unknown);
    let odd = time("gestern", None, ZoneKnowledge::Unknown);
    let (says, statements, silent) = (cart_measurements(), cart_statements(), cart());
    let nameless = DeviceDescription::default();
    let rows = [
        ("plain", Some(&zoned), measured(), no_flags(), &silent, true),
        ("flags", Some(&local), measured(), every_flag(), &silent, true),
        ("missing", Some(&month), nothing_measured(), nothing_evaluated(), &nameless, false),
        ("no-rules", Some(&odd), measured(), FlagReport::default(), &nameless, true),
        ("no-time", None, measured(), no_flags(), &silent, false),
    ];
    let mut samples = Vec::new();
    for (n, (name, acquired, measurements, flags, device, spoke)) in rows.iter().enumerate() {
        let n = n as u128;
        let document = DocumentFacts {
            recording_id: precordia_model::RecordingId(id(0x100 + n)),
            // Recordings without a sure patient are served too.
            patient: (*name != "missing").then(|| PatientId(id(1))),
            acquired: *acquired,
            received_at: RECEIVED,
            device,
            device_measurements: if *spoke { &says } else { &[] },
            device_statements: if *spoke { &statements } else { &[] },
            blob: precordia_model::BlobId(id(0x200 + n)),
            content_type: "application/dicom",
            size_bytes: 143_392,
            title: "12-lead ECG",
        };
        let facts = EcgFacts { document, measured_at: RECEIVED, measurements, flags };
        let said = device_observation(&facts.document, &meta());
        samples.extend(said.map(|v| (format!("observation-device-{name}"), v)));
        samples.push((format!("document-{name}"), document_reference(&facts.document, &meta())));
        samples.push((format!("observation-{name}"), observation(&facts, &meta())));
        samples.push((format!("report-{name}"), diagnostic_report(&facts, &meta())));
    }
    let (blob, recording) =
        (precordia_model::BlobId(id(0x200)), precordia_model::RecordingId(id(0x100)));
    for (name, bytes) in [("bytes", &b"DICM"[..]), ("empty", b"")] {
        let resource = binary::to_fhir(blob, "application/dicom", bytes, recording, &meta());
        samples.push((format!("binary-{name}"), resource));
    }
    samples
}

fn audit_events() -> Vec<Sample> {
    use AccessKind::{
        Administration, Export, FhirHistory, FhirRead, FhirSearch, FhirVersionRead, Import,
        PatientRecord, Query, SignIn, SignOut,
    };
    use AccessPurpose::{
        Administration as Admin, BreakGlass, Compliance, Operations, Research, Treatment,
    };
    let row = FhirId::parse("row-17").unwrap_or_else(|| unreachable!("a valid id"));
    let rows = [
        ("read", FhirRead, Treatment, AccessOutcome::Success),
        ("vread", FhirVersionRead, Treatment, AccessOutcome::Success),
        ("history", FhirHistory, Treatment, AccessOutcome::Success),
        ("search", FhirSearch, Treatment, AccessOutcome::Refused),
        ("record", PatientRecord, BreakGlass, AccessOutcome::Success),
        ("query", Query, Operations, AccessOutcome::Success),
        ("export", Export, Research, AccessOutcome::Failed),
        ("import", Import, Operations, AccessOutcome::Success),
        ("sign-in", SignIn, Operations, AccessOutcome::Refused),
        ("sign-out", SignOut, Operations, AccessOutcome::Success),
        ("administration", Administration, Admin, AccessOutcome::Success),
        ("stranger", FhirRead, Compliance, AccessOutcome::Refused),
    ];
    let event = |(name, kind, purpose, outcome): (&str, _, _, _)| {
        let stranger = name == "stranger";
        let actor = match kind {
            FhirRead | FhirSearch => AccessActor::Token(precordia_model::TokenId(id(0x31))),
            _ => AccessActor::User(precordia_model::UserId(id(0x30))),
        };
        let fact = AccessFact {
            id: &row,
            recorded: RECEIVED,
            organization: precordia_model::OrganizationId(id(0x40)),
            kind,
            outcome,
            actor: (!stranger).then_some(actor),
            roles: if stranger { &[] } else { &[Role::Cardiologist, Role::Auditor] },
            purpose,
            reason: (purpose == BreakGlass).then_some("Unconscious, no record at this site"),
            patient: matches!(kind, FhirRead | PatientRecord).then(|| PatientId(id(1))),
            resource: (kind == FhirRead).then_some((ResourceType::Observation, &row)),
            request: Some(precordia_model::RequestId(id(0x50))),
            address: Some("127.0.0.1"),
        };
        (format!("audit-{name}"), audit_event::to_fhir(&fact))
    };
    rows.into_iter().map(event).collect()
}

fn answers() -> Vec<Sample> {
    let of = |code| {
        operation_outcome::of(IssueSeverity::Error, code, "no such resource", Some("Patient"))
    };
    let mut samples = vec![
        ("outcome-not-found".into(), of(IssueCode::NotFound)),
        (
            "outcome-fatal".into(),
            operation_outcome::of(IssueSeverity::Fatal, IssueCode::Exception, "", None),
        ),
        (
            "bundle-empty".into(),
            bundle::searchset(vec![], "https://ecg.example/fhir/Patient", None, Some(0)),
        ),
        (
            "capability".into(),
            capability::statement("https://ecg.example/fhir", "0.1.0", "2026-11-20"),
        ),
    ];
    let asked = [(String::from("family:exact"), String::from("x"))];
    if let Err(refusal) = search::parse("Patient", &asked) {
        samples.push(("outcome-refused".into(), operation_outcome::of_refusal(&refusal)));
    }
    if let Err(found) =
        validate::check(&serde_json::json!({ "resourceType": "Patient", "id": "_" }))
    {
        samples.push(("outcome-invalid".into(), operation_outcome::of_invalid(&found)));
    }
    samples
}

/// A page of each type that is searched, with everything of the above, each once.
fn pages(samples: &[Sample]) -> Vec<Sample> {
    let searched = ResourceType::ALL.into_iter().filter(|&kind| kind != ResourceType::Binary);
    let found =
        searched.clone().map(|kind| (format!("bundle-{}", kind.name()), page(kind, samples)));
    let told = searched.map(|kind| (format!("history-{}", kind.name()), history(kind, samples)));
    found.chain(told).collect()
}

/// A resource's life from its making over a change to its deletion.
fn history(kind: ResourceType, samples: &[Sample]) -> Value {
    let base = "https://ecg.example/fhir";
    let first = samples.iter().find(|(_, r)| r["resourceType"] == kind.name());
    let resource = first.map_or(Value::Null, |(_, r)| r.clone());
    let id = resource["id"].as_str().and_then(FhirId::parse);
    let id = id.unwrap_or_else(|| unreachable!("every sample has an id"));
    let version = |version: i64| {
        let mut resource = resource.clone();
        resource["meta"]["versionId"] = version.to_string().into();
        bundle::HistoryEntry { version, at: RECEIVED, resource: Some(resource) }
    };
    let gone = bundle::HistoryEntry { version: 3, at: RECEIVED, resource: None };
    let link = format!("{base}/{}/{}/_history", kind.name(), id.as_str());
    let versions = vec![gone, version(2), version(1)];
    bundle::history(base, kind, &id, versions, &link, Some(&format!("{link}?_page=b")))
}

fn page(kind: ResourceType, samples: &[Sample]) -> Value {
    let base = format!("https://ecg.example/fhir/{}", kind.name());
    let mut entries: BTreeMap<String, Value> = BTreeMap::new();
    for (_, resource) in samples.iter().filter(|(_, r)| r["resourceType"] == kind.name()) {
        if let Some(id) = resource["id"].as_str() {
            entries.insert(format!("{base}/{id}"), resource.clone());
        }
    }
    let next = format!("{base}?_page=b");
    bundle::searchset(
        entries.into_iter().collect(),
        &format!("{base}?_page=a"),
        Some(&next),
        Some(99),
    )
}
