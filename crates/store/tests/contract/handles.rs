//! How much a program with many organizations holds open.

use precordia_app::port::*;

use crate::engines::Opened;
use crate::samples::*;

/// Open files of this process below a directory.
fn open_files(opened: &Opened) -> usize {
    let descriptors = std::fs::read_dir("/proc/self/fd").unwrap();
    let targets = descriptors.filter_map(|entry| std::fs::read_link(entry.unwrap().path()).ok());
    targets.filter(|target| target.starts_with(opened.dir())).count()
}

pub async fn two_hundred_organizations_need_few_handles(opened: &Opened) {
    let mut scopes = Vec::new();
    let mut most = 0;
    // On PostgreSQL no file is an organization's own; a few show that.
    for _ in 0..if opened.is_sqlite() { 200 } else { 20 } {
        let scope = opened.organization().await;
        done(opened.store.append((&scope).into(), one(&new_stream())).await);
        scopes.push(scope);
        most = most.max(open_files(opened));
    }
    for round in 1..=2 {
        for scope in &scopes {
            let realm: Realm<'_> = scope.into();
            let events = opened.store.events(realm, 0, 10).await.unwrap();
            assert_eq!(events.len(), round);
            done(opened.store.append(realm, one(&new_stream())).await);
            most = most.max(open_files(opened));
        }
    }
    assert!(most < 400, "{most} files were open at once");
    assert!(!opened.is_sqlite() || most > 64, "the count saw {most} files only");
}
