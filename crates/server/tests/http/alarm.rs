//! Alarms of operation over HTTP: an organization's own, for those who may look at operations.

use precordia_app::Alarm;
use precordia_model::{AlarmCode, AlarmSubject};

use crate::world::World;

#[tokio::test]
async fn an_organization_is_told_of_what_is_its_own() {
    let world = World::new().await;
    let (alpha, beta) = (world.sign_in("alpha", "ada").await, world.sign_in("beta", "ada").await);
    let app = &world.app;
    let all = app.organizations(&app.local_operator()).await.unwrap();
    let id = all.iter().find(|one| one.slug == "alpha").unwrap().id;
    let work = AlarmSubject::organization(id, "work");
    let given_up = Alarm::new(AlarmCode::WorkGivenUp, work.clone()).figure("pieces", 3);
    app.alarms().raise(given_up).await;
    app.alarms().raise(Alarm::new(AlarmCode::DiskLow, AlarmSubject::platform("disk"))).await;
    let seen = alpha.get("/api/alarms").await.expect(200).json();
    assert_eq!(seen["rows"].as_array().unwrap().len(), 1, "{seen}");
    let row = &seen["rows"][0];
    assert_eq!((&row["code"], &row["state"]), (&"work.given-up".into(), &"open".into()));
    assert_eq!((&row["severity"], &row["figures"]["pieces"]), (&"warning".into(), &3.into()));
    assert!(row["to_do"].as_str().unwrap().contains("operations page"), "{row}");
    let theirs = beta.get("/api/alarms").await.expect(200).json();
    assert_eq!(theirs["rows"].as_array().unwrap().len(), 0, "{theirs}");
    app.alarms().clear(AlarmCode::WorkGivenUp, work).await;
    let seen = alpha.get("/api/alarms").await.expect(200).json();
    assert_eq!(seen["rows"][0]["state"], "cleared");
    let physician = world.member("alpha", "physician").await;
    physician.get("/api/alarms").await.refused(403, "forbidden");
    world.nobody().get("/api/alarms").await.expect(401);
}
