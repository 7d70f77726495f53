//! What people do to the queue: who may, what comes of it, and that the ledger says who did it.

use precordia_app::AppError;
use precordia_app::access::OrgScope;
use precordia_app::port::{Schedule, Stream, WorkFilter, WorkRow, WorkState};
use precordia_model::{ItemState, Phi, Role, WorkId};
use precordia_rules::access::Permission;

use crate::house::{House, Working, add_user, file, house, house_with, scope_of, sign_in};

async fn only(house: &House, state: WorkState) -> WorkRow {
    let filter = WorkFilter { state: Some(state), kind: Some("ingest".into()) };
    let mut page = house.app.work_list(&house.all, &filter, None, 10).await.unwrap();
    assert_eq!((page.rows.len(), page.next), (1, None), "{page:?}");
    page.rows.remove(0)
}

/// The kinds and actors of a stream's events.
async fn said(house: &House, stream: &Stream) -> Vec<(String, String)> {
    let events = house.ports.log.stream((&house.all).into(), stream).await.unwrap();
    events.into_iter().map(|event| (event.kind, event.actor)).collect()
}

fn by(house: &House, kind: &str) -> (String, String) {
    (kind.to_owned(), house.all.actor().name())
}

#[tokio::test(flavor = "multi_thread")]
async fn given_up_work_is_tried_again_and_the_ledger_says_by_whom() {
    let settings =
        precordia_app::Settings { work_attempts_max: 1, workers: Some(1), ..Default::default() };
    let house = house_with(settings).await;
    let item = house.send(&file("A-1", "Noether", 1)).await;
    // A first worker of another program breaks off.
    let now = house.app.now();
    let until = now.plus_seconds(60);
    let held = house.ports.work.claim(&house.all, &["ingest"], "w", now, until, 1).await.unwrap();
    let reason = String::from("the reader was not there");
    let dead = precordia_app::port::WorkEnd::Dead { reason: reason.clone() };
    assert!(house.ports.work.end(&house.all, &held[0].lease, dead).await.unwrap());

    let row = only(&house, WorkState::Dead).await;
    assert_eq!((row.attempts, row.reason.as_ref()), (1, Some(&reason)));
    assert_eq!(row.subject, format!("item/{item}"));
    let working = Working::on(&house.app);
    house.app.retry_work(&house.all, row.id).await.unwrap();
    assert_eq!(house.decided(item).await.row.state, ItemState::Filed);
    working.end().await;
    let stream = Stream::new("work", row.id);
    assert_eq!(said(&house, &stream).await, [by(&house, "work.retried")]);
    let again = house.app.retry_work(&house.all, row.id).await.unwrap_err();
    assert!(matches!(again, AppError::Refused { code: "work_state", .. }), "{again:?}");
    let none = house.app.retry_work(&house.all, WorkId(house.app.new_id())).await.unwrap_err();
    assert!(matches!(none, AppError::NotFound(_)), "{none:?}");
    house.check().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn waiting_work_is_given_up_for_a_reason_that_only_the_ledger_keeps() {
    let house = house().await;
    let item = house.send(&file("A-1", "Noether", 1)).await;
    let row = only(&house, WorkState::Ready).await;
    let reason = Phi::new(String::from("sent for Lovelace by mistake"));
    house.app.give_up_work(&house.all, row.id, reason).await.unwrap();
    let row = only(&house, WorkState::Dead).await;
    assert_eq!(row.reason.as_deref(), Some("given up by hand"));
    assert_eq!(house.on_disk("Lovelace"), Vec::<String>::new());
    let working = Working::on(&house.app);
    tokio::time::sleep(std::time::Duration::from_millis(500)).await;
    let state = house.app.item(&house.all, item).await.unwrap().row.state;
    assert_eq!(state, ItemState::InFlight, "it stays in the books as not done");
    house.app.retry_work(&house.all, row.id).await.unwrap();
    house.decided(item).await;
    working.end().await;
    let expected = [by(&house, "work.given-up"), by(&house, "work.retried")];
    assert_eq!(said(&house, &Stream::new("work", row.id)).await, expected);
    house.check().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_paused_kind_waits_until_it_is_resumed() {
    let house = house().await;
    let working = Working::on(&house.app);
    house.app.pause_work(&house.all, "ingest").await.unwrap();
    house.app.pause_work(&house.all, "ingest").await.unwrap();
    let item = house.send(&file("A-1", "Noether", 1)).await;
    tokio::time::sleep(std::time::Duration::from_secs(3)).await;
    assert_eq!(only(&house, WorkState::Ready).await.attempts, 0);
    let kinds = house.app.work_kinds(&house.all).await.unwrap();
    let ingest = &kinds[0];
    assert_eq!((ingest.kind.as_str(), ingest.counts.ready), ("ingest", 1));
    let paused = ingest.paused.as_ref().unwrap();
    assert_eq!(paused.by, house.all.actor().name());
    assert!(kinds[1..].iter().all(|kind| kind.paused.is_none()));
    let clocks: Vec<&Schedule> = kinds.iter().filter_map(|kind| kind.schedule.as_ref()).collect();
    assert!(clocks.len() == 2 && clocks.iter().all(|one| one.every_seconds == 3600), "{clocks:?}");
    house.app.resume_work(&house.all, "ingest").await.unwrap();
    house.decided(item).await;
    let expected = [by(&house, "work.paused"), by(&house, "work.resumed")];
    assert_eq!(said(&house, &Stream::new("work-kind", "ingest")).await, expected);
    let none = house.app.pause_work(&house.all, "telepathy").await.unwrap_err();
    assert!(matches!(none, AppError::NotFound(_)), "{none:?}");
    working.end().await;
    house.check().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_auditor_looks_and_an_administrator_acts() {
    let house = house().await;
    house.send(&file("A-1", "Noether", 1)).await;
    let row = only(&house, WorkState::Ready).await;
    let as_role = async |role: Role| -> OrgScope {
        add_user(&house.app, &house.admin, role.name(), vec![role]).await;
        let signed_in = sign_in(&house.app, &house.slug, role.name()).await;
        scope_of(&house.app, &signed_in.cookie).await
    };
    let refused = |result: Result<(), AppError>, permission: Permission| {
        assert!(matches!(&result, Err(AppError::Forbidden(p)) if *p == permission), "{result:?}");
    };
    let filter = WorkFilter::default();
    let auditor = as_role(Role::Auditor).await;
    assert_eq!(house.app.work_list(&auditor, &filter, None, 9).await.unwrap().rows.len(), 1);
    house.app.work_kinds(&auditor).await.unwrap();
    let nurse = as_role(Role::Nurse).await;
    let read = Permission::ReadOperations;
    refused(house.app.work_list(&nurse, &filter, None, 9).await.map(drop), read);
    refused(house.app.work_kinds(&nurse).await.map(drop), read);
    for scope in [&auditor, &nurse] {
        let manage = Permission::ManageOperations;
        let reason = Phi::new(String::from("-"));
        refused(house.app.retry_work(scope, row.id).await, manage);
        refused(house.app.give_up_work(scope, row.id, reason).await, manage);
        refused(house.app.pause_work(scope, "ingest").await, manage);
        refused(house.app.resume_work(scope, "ingest").await, manage);
    }
    assert_eq!(only(&house, WorkState::Ready).await, row);
    house.app.pause_work(&house.admin, "ingest").await.unwrap();
}
