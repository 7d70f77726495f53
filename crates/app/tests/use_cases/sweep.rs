//! The sweep of sealed bytes that no fact names.

use precordia_app::port::{Batch, Realm, Stream};
use precordia_app::{App, Settings};
use precordia_model::BlobId;

use crate::failing::dying;
use crate::house::{Working, arrival, file, house, send, try_send};

const OLD: i64 = 61 * 60;

#[tokio::test(flavor = "multi_thread")]
async fn bytes_that_nothing_names_go_after_an_hour_and_all_others_stay() {
    let house = house().await;
    let _working = Working::on(&house.app);
    let killed_at =
        |at: &'static str| App::new(dying(&house.ports, move |now| now == at), Settings::default());
    let (kept, _) = house.filed(&file("A-1", "Noether", 1)).await;
    let (_, erased) = house.filed(&file("B-1", "Germain", 2)).await;
    // Killed between the bytes and the fact.
    try_send(&killed_at("log.append"), &house.all, &file("C-1", "Abel", 3)).await.unwrap_err();
    // Killed between the fact of an erasure and the removal of the bytes.
    let killed = killed_at("blobs.remove");
    killed.erase(&house.all, erased, "Germain", "asked for", &[]).await.unwrap_err();
    assert_eq!(house.blob_files(), 3);

    assert_eq!(house.app.sweep_all_blobs().await.unwrap(), 0, "nothing is old enough");
    assert_eq!(house.blob_files(), 3);
    // An upload that began before and goes on meanwhile.
    let late = file("A-1", "Noether", 4);
    let mut receiving = house.app.receive(&house.all, arrival(&late)).await.unwrap();
    receiving.write(&late[..100]).await.unwrap();
    house.clock.advance(OLD);
    assert_eq!(house.app.sweep_all_blobs().await.unwrap(), 2);
    assert_eq!(house.app.sweep_all_blobs().await.unwrap(), 0);
    receiving.write(&late[100..]).await.unwrap();
    let item = receiving.finish().await.unwrap();
    let scope = house.signed_in_again().await;
    let recording = house.app.wait_for_item(&scope, item, std::time::Duration::from_secs(60)).await;
    let recording = recording.unwrap().row.recording.unwrap();
    for recording in [kept, recording] {
        house.app.original(&scope, recording).await.unwrap();
    }
    assert_eq!(house.blob_files(), 2);
    house.check().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn bytes_whose_item_row_was_lost_are_kept_as_long_as_their_key_is() {
    let house = house().await;
    let _working = Working::on(&house.app);
    let (recording, _) = house.filed(&file("A-1", "Noether", 1)).await;
    let item = house.row(recording).await.row.item;
    let lost = precordia_app::port::ViewChange::Remove(Stream::new("item", item));
    let batch = Batch { views: vec![lost], ..Batch::default() };
    house.ports.log.append(Realm::from(&house.all), batch).await.unwrap();
    house.clock.advance(OLD);
    assert_eq!(house.app.sweep_all_blobs().await.unwrap(), 0);
    house.app.original(&house.all, recording).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sweep_goes_over_more_objects_than_one_page() {
    let house = house().await;
    for n in 0..1001u128 {
        let id = BlobId(uuid::Uuid::from_u128(n << 64));
        house.ports.blobs.create(&house.all, id).await.unwrap().finish().await.unwrap();
    }
    send(&house.app, &house.all, &file("A-1", "Noether", 1)).await;
    house.clock.advance(OLD);
    assert_eq!(house.app.sweep_all_blobs().await.unwrap(), 1001);
    assert_eq!(house.blob_files(), 1);
}
