//! The platform's directory.

use precordia_app::port::*;
use precordia_model::*;

use crate::engines::{Opened, platform};
use crate::samples::*;

fn organization(slug: &str) -> OrganizationRow {
    OrganizationRow {
        id: OrganizationId(uuid()),
        slug: slug.into(),
        name: format!("Clinic {slug}"),
        setup_code_hash: Some("hash".into()),
        version: 1,
    }
}

pub async fn organizations_and_sites_are_listed(opened: &Opened) {
    let scope = platform();
    let store = &*opened.store;
    assert_eq!(store.organizations(&scope).await.unwrap(), []);
    let (north, east) = (organization("north"), organization("east"));
    let site = |of: &OrganizationRow, name: &str| SiteRow {
        id: SiteId(uuid()),
        organization: of.id,
        name: name.into(),
        time_zone: "Europe/Berlin".into(),
    };
    let (ward, arrivals) = (site(&north, "Ward"), site(&north, "Arrivals"));
    let views = vec![
        ViewChange::Organization(north.clone()),
        ViewChange::Organization(east.clone()),
        ViewChange::Site(ward.clone()),
        ViewChange::Site(arrivals.clone()),
        ViewChange::Site(site(&east, "Desk")),
    ];
    done(store.append((&scope).into(), carrying(Batch { views, ..Batch::default() })).await);
    let all = store.organizations(&scope).await.unwrap();
    assert_eq!(all, [east.clone(), north.clone()]);
    assert_eq!(store.sites(&scope, north.id).await.unwrap(), [arrivals, ward.clone()]);
    assert_eq!(store.organization(&scope, east.id).await.unwrap(), Some(east.clone()));
    let by_slug = store.organization_by_slug(&scope, "north").await.unwrap();
    assert_eq!(by_slug, Some(north.clone()));
    assert_eq!(store.organization_by_slug(&scope, "North").await.unwrap(), None);

    let used = OrganizationRow { setup_code_hash: None, version: 2, ..north.clone() };
    let moved = SiteRow { time_zone: "UTC".into(), ..ward };
    let views = vec![ViewChange::Organization(used.clone()), ViewChange::Site(moved.clone())];
    done(store.append((&scope).into(), carrying(Batch { views, ..Batch::default() })).await);
    assert_eq!(store.organization(&scope, north.id).await.unwrap(), Some(used));
    assert!(store.sites(&scope, north.id).await.unwrap().contains(&moved));

    let taken = vec![ViewChange::Organization(organization("east"))];
    let answer =
        store.append((&scope).into(), carrying(Batch { views: taken, ..Batch::default() })).await;
    assert!(matches!(answer, Err(StoreError::Failed { .. })), "{answer:?}");
    assert_eq!(verify(store, (&scope).into()).await, (2, 0));
}

pub async fn provisioning_twice_changes_nothing(opened: &Opened) {
    let scope = opened.organization().await;
    done(opened.store.append((&scope).into(), one(&new_stream())).await);
    let other = opened.again().await;
    let scopes = (platform(), platform());
    let (first, second) = tokio::join!(
        opened.store.provision(&scopes.0, scope.organization()),
        other.provision(&scopes.1, scope.organization())
    );
    first.unwrap();
    second.unwrap();
    assert_eq!(verify(&other, (&scope).into()).await, (1, 0));
    // Two at once on a new one.
    let organization = OrganizationId(uuid());
    let (first, second) = tokio::join!(
        opened.store.provision(&scopes.0, organization),
        other.provision(&scopes.1, organization)
    );
    first.unwrap();
    second.unwrap();
    let scope = crate::engines::scope(organization);
    assert_eq!(done(other.append((&scope).into(), one(&new_stream())).await), [1]);
}
