//! Proof while people work: no false alarm, no false calm.

use aws_lc_rs::signature::{ED25519, Ed25519KeyPair, KeyPair, UnparsedPublicKey};
use precordia_app::Stop;
use precordia_app::audit::Finding;

use crate::house::{Working, file, house, organization, send};

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
