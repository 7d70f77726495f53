//! Who is let in, for how long, to what; and what is written down about it.

use precordia_app::access::SignInRefusal;
use precordia_app::{AppError, UserChange, WorklistQuery};
use precordia_model::Role;
use precordia_rules::access::Permission;
use zeroize::Zeroizing;

use crate::house::{
    House, Working, add_user, file, house, organization, password, scope_of, session, sign_in,
};

#[tokio::test(flavor = "multi_thread")]
async fn a_session_ends_idle_and_at_its_end_however_busy() {
    let house = house().await;
    let settings = house.app.settings().clone();
    let idle = sign_in(&house.app, &house.slug, "all").await;
    house.clock.advance(settings.idle_seconds - 60);
    assert!(session(&house.app, &idle.cookie).await.is_some());
    house.clock.advance(settings.idle_seconds - 60);
    assert!(session(&house.app, &idle.cookie).await.is_some(), "the last request counts");
    house.clock.advance(settings.idle_seconds);
    assert!(session(&house.app, &idle.cookie).await.is_none());

    let busy = sign_in(&house.app, &house.slug, "all").await;
    let scope = scope_of(&house.app, &busy.cookie).await;
    let mut seconds = 0;
    while seconds + 600 < settings.session_seconds {
        house.clock.advance(600);
        seconds += 600;
        assert!(session(&house.app, &busy.cookie).await.is_some(), "after {seconds} s");
        assert!(house.app.still_let_in(&scope).await.unwrap());
    }
    house.clock.advance(600);
    assert!(session(&house.app, &busy.cookie).await.is_none());
    assert!(!house.app.still_let_in(&scope).await.unwrap());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cookie_or_token_opens_its_own_organization_only() {
    let house = house().await;
    let (other, other_cookie) = organization(&house.app, "northgate").await;
    let mine = house.all.organization().0.simple().to_string();
    let theirs = other.organization().0.simple().to_string();
    let (_, token) =
        house.app.issue_token(&house.admin, "cart", vec![Role::Service], None).await.unwrap();
    assert!(house.app.api_token(&token, house.app.new_request()).await.unwrap().is_some());
    for forged in [
        house.all_cookie.replace(&mine, &theirs),
        other_cookie.cookie.replace(&theirs, &mine),
        house.all_cookie.to_lowercase(),
        format!("{}x", house.all_cookie),
        String::new(),
        String::from(".."),
    ] {
        assert!(session(&house.app, &forged).await.is_none());
    }
    for forged in [token.replace(&mine, &theirs), format!("{}x", *token), String::from("pct...")] {
        assert!(house.app.api_token(&forged, house.app.new_request()).await.unwrap().is_none());
    }
    let _working = Working::on(&house.app);
    let (recording, patient) = house.filed(&file("A-1", "Noether", 1)).await;
    let roles = vec![Role::Cardiologist, Role::OrganizationAdministrator, Role::Auditor];
    add_user(&house.app, &other, "all", roles).await;
    let signed_in = sign_in(&house.app, "northgate", "all").await;
    let stranger = scope_of(&house.app, &signed_in.cookie).await;
    let seen = house.app.recording(&stranger, recording).await;
    assert!(matches!(seen, Err(AppError::NotFound(_))));
    assert!(matches!(house.app.patient_page(&stranger, patient).await, Err(AppError::NotFound(_))));
    let log = house.app.access_log(&stranger, None, None, None, 10).await.unwrap();
    let unknown = log.iter().filter(|entry| entry.row.outcome == "unknown");
    assert_eq!(unknown.count(), 2);
    let query = WorklistQuery { limit: 10, ..WorklistQuery::default() };
    assert!(house.app.worklist(&stranger, query).await.unwrap().rows.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_changed_or_disabled_user_is_out_at_once_and_so_are_their_tokens() {
    let house = house().await;
    let id = add_user(&house.app, &house.admin, "nurse", vec![Role::Nurse]).await;
    let before = sign_in(&house.app, &house.slug, "nurse").await;
    let change = UserChange { roles: Some(vec![Role::Auditor]), ..UserChange::default() };
    house.app.change_user(&house.admin, id, change).await.unwrap();
    assert!(session(&house.app, &before.cookie).await.is_none());
    let after = sign_in(&house.app, &house.slug, "nurse").await;
    let scope = scope_of(&house.app, &after.cookie).await;
    assert!(scope.may(Permission::ReadAccessLog) && !scope.may(Permission::ReadClinical));
    let change = UserChange { active: Some(false), ..UserChange::default() };
    house.app.change_user(&house.admin, id, change).await.unwrap();
    assert!(session(&house.app, &after.cookie).await.is_none());
    assert!(!house.app.still_let_in(&scope).await.unwrap());
    let refused = house.app.sign_in(&house.slug, "nurse", password(), "test").await;
    assert!(matches!(refused, Err(SignInRefusal::Wrong)));

    let keeper =
        add_user(&house.app, &house.admin, "keeper", vec![Role::OrganizationAdministrator]).await;
    let signed_in = sign_in(&house.app, &house.slug, "keeper").await;
    let keeper_scope = scope_of(&house.app, &signed_in.cookie).await;
    let soon = house.app.now().plus_seconds(3600);
    let (short, short_token) =
        house.app.issue_token(&keeper_scope, "a", vec![Role::Service], Some(soon)).await.unwrap();
    let (long, long_token) =
        house.app.issue_token(&keeper_scope, "b", vec![Role::Service], None).await.unwrap();
    let valid = |token: &Zeroizing<String>| {
        let (app, token) = (house.app.clone(), token.clone());
        async move { app.api_token(&token, app.new_request()).await.unwrap() }
    };
    assert!(valid(&short_token).await.is_some());
    house.clock.advance(3601);
    assert!(valid(&short_token).await.is_none(), "expired");
    let scope = valid(&long_token).await.unwrap();
    // A program cannot take over the person who made its token.
    let taken = house.app.set_password(&scope, keeper, Zeroizing::new("another one".into())).await;
    assert!(matches!(taken, Err(AppError::Forbidden(_))), "{taken:?}");
    let admin = sign_in(&house.app, &house.slug, "admin").await;
    let admin = scope_of(&house.app, &admin.cookie).await;
    house.app.revoke_token(&admin, short).await.unwrap();
    house.app.revoke_token(&admin, short).await.unwrap();
    let change = UserChange { active: Some(false), ..UserChange::default() };
    house.app.change_user(&admin, keeper, change).await.unwrap();
    assert!(valid(&long_token).await.is_none(), "their maker is out");
    let change = UserChange { active: Some(true), ..UserChange::default() };
    house.app.change_user(&admin, keeper, change).await.unwrap();
    assert!(valid(&long_token).await.is_some());
    house.app.revoke_token(&admin, long).await.unwrap();
    assert!(valid(&long_token).await.is_none(), "revoked");
    assert!(!house.app.still_let_in(&scope).await.unwrap());
}

#[tokio::test(flavor = "multi_thread")]
async fn breaking_the_glass_adds_reading_for_a_while_and_is_seen() {
    let house = house().await;
    let _working = Working::on(&house.app);
    let (recording, _) = house.filed(&file("A-1", "Noether", 1)).await;
    let signed_in = sign_in(&house.app, &house.slug, "admin").await;
    let here = session(&house.app, &signed_in.cookie).await.unwrap();
    assert!(matches!(
        house.app.recording(&here.scope, recording).await,
        Err(AppError::Forbidden(Permission::ReadClinical))
    ));
    let short = house.app.break_glass(&here, "  why   ").await;
    assert!(matches!(short, Err(AppError::Invalid { field: "reason", .. })));
    let reason = "cardiac arrest in the car park";
    let view = house.app.break_glass(&here, reason).await.unwrap();
    assert_eq!(view.break_glass.unwrap().0.reveal(), reason);
    let now = session(&house.app, &signed_in.cookie).await.unwrap();
    let added: Vec<_> = now.scope.permissions().difference(here.scope.permissions()).collect();
    assert_eq!(added, [&Permission::ReadClinical, &Permission::ExportOriginal]);
    house.app.recording(&now.scope, recording).await.unwrap();
    let seen = house.app.accesses(&house.all, recording).await.unwrap();
    let mine = seen.iter().find(|entry| entry.row.purpose == "emergency").unwrap();
    assert_eq!(mine.row.action, "recording.read");
    assert_eq!(mine.actor_name.as_ref().unwrap().reveal(), "O. Keeper");
    let log = house.app.access_log(&house.all, None, None, None, 50).await.unwrap();
    let opened = log.iter().find(|entry| entry.row.action == "break-glass.open").unwrap();
    assert_eq!(opened.detail.as_ref().unwrap().reveal(), reason);
    house.clock.advance(14 * 60);
    assert!(
        session(&house.app, &signed_in.cookie).await.unwrap().scope.may(Permission::ReadClinical)
    );
    house.clock.advance(61);
    assert!(
        !session(&house.app, &signed_in.cookie).await.unwrap().scope.may(Permission::ReadClinical)
    );

    let now = session(&house.app, &signed_in.cookie).await.unwrap();
    house.app.break_glass(&now, reason).await.unwrap();
    let now = session(&house.app, &signed_in.cookie).await.unwrap();
    house.app.end_break_glass(&now).await.unwrap();
    assert!(
        !session(&house.app, &signed_in.cookie).await.unwrap().scope.may(Permission::ReadClinical)
    );
    assert_eq!(house.on_disk(reason), Vec::<String>::new());

    add_user(&house.app, &house.all, "technician", vec![Role::Technician]).await;
    let technician = sign_in(&house.app, &house.slug, "technician").await;
    let technician = session(&house.app, &technician.cookie).await.unwrap();
    let refused = house.app.break_glass(&technician, reason).await;
    assert!(matches!(refused, Err(AppError::Forbidden(Permission::BreakGlass))));
}

#[tokio::test(flavor = "multi_thread")]
async fn guesses_wait_also_when_they_come_at_once_and_do_not_shut_out_the_house() {
    let house = house().await;
    let guess = |name: &'static str| {
        let wrong = Zeroizing::new(String::from("not the password"));
        house.app.sign_in(&house.slug, name, wrong, "gateway")
    };
    let guesses = futures_util::future::join_all((0..12).map(|_| guess("admin"))).await;
    let tried = guesses.iter().filter(|g| matches!(g, Err(SignInRefusal::Wrong))).count();
    let told = guesses.iter().filter(|g| matches!(g, Err(SignInRefusal::Wait { .. }))).count();
    assert_eq!((tried, told), (5, 7), "of twelve guesses at once five are tried");
    // Colleagues behind the same address get in.
    house.app.sign_in(&house.slug, "all", password(), "gateway").await.map(drop).unwrap();
    house.clock.advance(16 * 60);
    house.app.sign_in(&house.slug, "admin", password(), "gateway").await.map(drop).unwrap();
}

/// Every use case that opens something, what it writes into the access log.
#[tokio::test(flavor = "multi_thread")]
async fn every_reading_is_one_row_also_when_it_was_refused_or_led_nowhere() {
    let house = house().await;
    let _working = Working::on(&house.app);
    let (recording, patient) = house.filed(&file("A-1", "Noether", 1)).await;
    let item = house.row(recording).await.row.item;
    let blob = house.row(recording).await.row.blob;
    add_user(&house.app, &house.all, "researcher", vec![Role::Researcher]).await;
    let signed_in = sign_in(&house.app, &house.slug, "researcher").await;
    let researcher = scope_of(&house.app, &signed_in.cookie).await;
    let nowhere = "0199aaaa-bbbb-7ccc-8ddd-eeeeeeeeeeee";
    let (no_recording, no_patient) = (nowhere.parse().unwrap(), nowhere.parse().unwrap());
    let (no_item, no_blob) = (nowhere.parse().unwrap(), nowhere.parse().unwrap());
    let app = &house.app;
    let r = format!("recording/{recording}");
    macro_rules! row {
        ($scope:expr, $call:ident($($argument:expr),*), $target:expr, $outcome:expr) => {
            let before = last(&house).await;
            let _ = app.$call(&$scope $(, $argument)*).await;
            assert_eq!(
                since(&house, before).await,
                [(String::from($target), String::from($outcome))],
                stringify!($call)
            );
        };
    }
    use precordia_interop::fhir::ResourceType::{AuditEvent, Observation, Patient};
    let all = &house.all;
    row!(all, recording(recording), r.clone(), "ok");
    row!(all, recording(no_recording), format!("recording/{nowhere}"), "unknown");
    row!(researcher, recording(recording), r.clone(), "denied");
    row!(all, waveform(recording), r.clone(), "ok");
    row!(researcher, waveform(recording), r.clone(), "denied");
    row!(all, original(recording), r.clone(), "ok");
    row!(all, original(no_recording), format!("recording/{nowhere}"), "unknown");
    row!(all, sheet(recording), r.clone(), "ok");
    row!(all, accesses(recording), r.clone(), "ok");
    row!(researcher, accesses(recording), r.clone(), "denied");
    row!(all, item_original(item), r.clone(), "ok");
    row!(all, item_original(no_item), format!("item/{nowhere}"), "unknown");
    row!(researcher, item_original(item), format!("item/{item}"), "denied");
    row!(all, fhir_binary(blob), r.clone(), "ok");
    row!(all, fhir_binary(no_blob), format!("blob/{nowhere}"), "unknown");
    row!(researcher, fhir_binary(blob), format!("blob/{blob}"), "denied");
    row!(all, item(item), format!("item/{item}"), "ok");
    row!(all, item(no_item), format!("item/{nowhere}"), "unknown");
    row!(researcher, item(item), format!("item/{item}"), "denied");
    row!(all, wait_for_item(item, std::time::Duration::ZERO), format!("item/{item}"), "ok");
    row!(
        all,
        wait_for_item(no_item, std::time::Duration::ZERO),
        format!("item/{nowhere}"),
        "unknown"
    );
    row!(
        researcher,
        wait_for_item(item, std::time::Duration::ZERO),
        format!("item/{item}"),
        "denied"
    );
    row!(all, items(None, None, 10), "-", "ok");
    row!(researcher, items(None, None, 10), "-", "denied");
    row!(researcher, item_counts(), "-", "denied");
    row!(all, patient_page(patient), format!("patient/{patient}"), "ok");
    row!(all, patient_page(no_patient), format!("patient/{nowhere}"), "unknown");
    row!(researcher, patient_page(patient), format!("patient/{patient}"), "denied");
    row!(all, search_patients("noe", 5), "-", "ok");
    row!(researcher, search_patients("noe", 5), "-", "denied");
    row!(all, worklist(WorklistQuery::default()), "-", "ok");
    row!(researcher, worklist(WorklistQuery::default()), "-", "denied");
    row!(all, users(), "-", "ok");
    row!(researcher, users(), "-", "denied");
    row!(researcher, tokens(), "-", "denied");
    row!(all, access_log(None, None, None, 1), "-", "ok");
    row!(researcher, access_log(None, None, None, 1), "-", "denied");
    row!(all, fhir_read(Observation, &recording.to_string()), r.clone(), "ok");
    row!(all, fhir_read(Observation, "Noether"), "recording/-", "unknown");
    row!(
        researcher,
        fhir_read(Patient, &patient.to_string()),
        format!("patient/{patient}"),
        "denied"
    );
    row!(all, fhir_read(AuditEvent, "access-1"), "audit-event/access-1", "ok");
    row!(all, fhir_read(AuditEvent, "access-999999"), "audit-event/access-999999", "unknown");
    let query = || precordia_interop::fhir::search::parse("Patient", &[]).unwrap();
    row!(all, fhir_search(query()), "Patient", "ok");
    row!(researcher, fhir_search(query()), "Patient", "denied");
    row!(all, unknown_address(), "-", "unknown");
    row!(researcher, merge(patient, patient, "x"), format!("patient/{patient}"), "denied");
    row!(researcher, erase(patient, "x", "x", &[]), format!("patient/{patient}"), "denied");
    // Asking whether a name is theirs is reading it.
    row!(all, erase(patient, "Germain", "x", &[]), format!("patient/{patient}"), "failed");
    row!(researcher, assign(recording, patient), r.clone(), "denied");
    row!(researcher, unassign(recording, "x"), r.clone(), "denied");
    house.check().await;
}

async fn last(house: &House) -> i64 {
    use precordia_app::port::{LogName, Realm};
    house.ports.log.head(Realm::from(&house.all), LogName::Access).await.unwrap().position
}

async fn since(house: &House, after: i64) -> Vec<(String, String)> {
    let rows = house.ports.log.accesses((&house.all).into(), after, 100).await.unwrap();
    rows.into_iter().map(|row| (row.target, row.outcome)).collect()
}
