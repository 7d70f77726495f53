//! Proof while people work: no false alarm, no false calm.

use aws_lc_rs::signature::{ED25519, Ed25519KeyPair, KeyPair, UnparsedPublicKey};
use std::collections::BTreeMap;

use precordia_app::audit::{Export, ExportFile, Finding, unhex};
use precordia_app::chain::{Hash, consistency_holds, inclusion_holds};
use precordia_app::port::LogName;
use precordia_app::{AppError, Stop};

use crate::house::{Working, file, house, organization, send, session};

#[tokio::test(flavor = "multi_thread")]
async fn logs_that_are_written_meanwhile_verify_and_the_books_close() {
    let house = house().await;
    let working = Working::on(&house.app);
    let sends = async {
        for number in 0..60u32 {
            house.send(&file(&format!("P-{}", number % 5), "Noether", number)).await;
            house.app.unknown_address(&house.all).await.unwrap();
        }
    };
    let proofs = async {
        for _ in 0..12 {
            house.app.checkpoint_all().await.unwrap();
            for report in house.app.verify_all().await.unwrap() {
                assert!(report.is_clean(), "{report:?}");
                assert!(report.witness);
            }
            for report in house.app.balance_all().await.unwrap() {
                assert!(report.closes(), "{:?}", report.disagreements);
            }
        }
    };
    tokio::join!(sends, proofs);
    house.settled().await;
    working.end().await;
    house.check().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn at_the_end_every_organization_is_witnessed_to_its_last_row() {
    let house = house().await;
    let (other, _) = organization(&house.app, "northgate").await;
    send(&house.app, &house.all, &file("A-1", "Noether", 1)).await;
    house.app.unknown_address(&other).await.unwrap();
    let stop = Stop::default();
    stop.now();
    house.app.keep_checkpoints(&stop).await;
    let reports = house.app.verify_all().await.unwrap();
    assert_eq!(reports.len(), 3);
    for log in reports.iter().flat_map(|report| &report.logs) {
        assert_eq!(log.proven_to, log.rows);
    }
    assert!(reports[1..].iter().all(|r| r.logs.iter().all(|log| log.rows > 0)));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_witness_line_signed_by_another_key_proves_nothing() {
    let house = house().await;
    house.app.checkpoint_all().await.unwrap();
    let realm = precordia_app::port::Realm::from(&house.all).id();
    let known = house.ports.witness.witnessed(realm).await.unwrap().unwrap().checkpoints;
    // Exactly what was witnessed, signed by somebody who does not have our key.
    let pair = Ed25519KeyPair::from_seed_unchecked(&[7; 32]).unwrap();
    let mut forged = known[0].clone();
    forged.public_key = pair.public_key().as_ref().to_vec();
    let mut bytes = b"precordia.checkpoint.1".to_vec();
    bytes.extend_from_slice(&realm.bytes());
    bytes.extend_from_slice(forged.log.name().as_bytes());
    bytes.push(0);
    bytes.extend_from_slice(&forged.position.to_be_bytes());
    bytes.extend_from_slice(&forged.hash);
    bytes.extend_from_slice(&forged.root);
    bytes.extend_from_slice(&forged.at.micros().to_be_bytes());
    assert!(
        UnparsedPublicKey::new(&ED25519, &known[0].public_key)
            .verify(&bytes, &known[0].signature)
            .is_ok()
    );
    forged.signature = pair.sign(&bytes).as_ref().to_vec();
    house.ports.witness.record(&forged).await.unwrap();
    let report =
        house.app.verify((&house.all).into(), &house.app.signer().await.unwrap()).await.unwrap();
    let findings = report.logs.into_iter().flat_map(|log| log.findings).collect::<Vec<_>>();
    assert_eq!(findings, [Finding::WitnessUnsigned { position: forged.position }]);
}

#[tokio::test(flavor = "multi_thread")]
async fn every_row_is_proven_against_every_checkpoint_that_saw_it_and_no_other() {
    let house = house().await;
    for _ in 0..5 {
        house.app.unknown_address(&house.all).await.unwrap();
        house.app.checkpoint_all().await.unwrap();
    }
    let realm = precordia_app::port::Realm::from(&house.all);
    let seen = house.ports.witness.witnessed(realm.id()).await.unwrap().unwrap().checkpoints;
    for log in [LogName::Events, LogName::Access] {
        let seen: Vec<_> = seen.iter().filter(|checkpoint| checkpoint.log == log).collect();
        let newest = seen.last().unwrap();
        for position in 1..=newest.position {
            for checkpoint in &seen {
                let at = checkpoint.position;
                let proof = house.app.prove(realm, log, position, Some(at)).await;
                if at < position {
                    assert!(matches!(proof, Err(AppError::NotFound(_))));
                    continue;
                }
                let proof = proof.unwrap();
                let row = proof.row.hash();
                assert_eq!(proof.row.computed(realm.id()), *row);
                let (index, size) = (position as u64 - 1, at as u64);
                let inclusion = path(&proof.inclusion);
                assert!(inclusion_holds(row, index, size, &inclusion, &checkpoint.root));
                let (large, consistency) = (newest.position as u64, path(&proof.consistency));
                let (old, new) = (&checkpoint.root, &newest.root);
                assert!(consistency_holds(size, old, large, new, &consistency));
            }
            let proof = house.app.prove(realm, log, position, None).await.unwrap();
            let first = seen.iter().find(|checkpoint| checkpoint.position >= position).unwrap();
            assert_eq!(proof.checkpoint.position, first.position, "the earliest is taken");
        }
        let beyond = house.app.prove(realm, log, newest.position + 1, None).await;
        assert!(matches!(beyond, Err(AppError::NotFound(_))));
    }
    assert!(seen.iter().filter(|checkpoint| checkpoint.log == LogName::Access).count() >= 5);
}

fn path(parts: &[String]) -> Vec<Hash> {
    parts.iter().map(|part| Hash::try_from(unhex(part).unwrap()).unwrap()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn an_export_opens_details_only_when_asked_and_is_written_down() {
    let house = house().await;
    let session = session(&house.app, &house.all_cookie).await.unwrap();
    house.app.break_glass(&session, "resuscitation in bay four").await.unwrap();
    for (with_details, opened) in [(false, 0), (true, 1)] {
        let mut files: BTreeMap<ExportFile, Vec<Vec<u8>>> = BTreeMap::new();
        let mut sink = |file: ExportFile, line: &[u8]| {
            files.entry(file).or_default().push(line.to_vec());
            Ok(())
        };
        let exported = house.app.export(&house.slug, with_details, &mut sink).await.unwrap();
        let lines = |file| files[&file].iter().map(|line| String::from_utf8_lossy(line));
        let reasons = |file| lines(file).filter(|line| line.contains("bay four")).count();
        assert_eq!(reasons(ExportFile::AuditEvents), opened);
        assert_eq!(reasons(ExportFile::Access), 0);
        let last = lines(ExportFile::Access).next_back().unwrap();
        let action = if with_details { "access-log.export-opened" } else { "access-log.export" };
        assert!(last.contains(&format!("\"action\":\"{action}\"")), "{last}");
        assert_eq!(files[&ExportFile::Access].len(), files[&ExportFile::AuditEvents].len());
        let open = |file| {
            let lines = files.get(&file).map(Vec::as_slice).unwrap_or_default();
            let text: Vec<u8> = lines.iter().flat_map(|l| [l, b"\n".as_slice()].concat()).collect();
            let text: Box<dyn std::io::BufRead> = Box::new(std::io::Cursor::new(text));
            Ok(text)
        };
        let (manifest, signature) = (&*exported.manifest, &*exported.signature);
        let export = Export { manifest, signature, open: &open };
        let report = export.verify(&house.app.signer().await.unwrap(), None).unwrap();
        assert!(report.is_proven(), "{report:?}");
        assert!(report.logs.iter().all(|log| log.rows > 0 && log.proven_to == log.rows));
    }
}
