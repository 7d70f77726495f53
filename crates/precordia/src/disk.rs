//! Room on the file systems that the program writes to.

use std::path::PathBuf;
use std::time::Duration;

use precordia_app::{Alarm, App, Stop};
use precordia_model::{AlarmCode, AlarmSubject};

use crate::config::Config;

const PAUSE: Duration = Duration::from_secs(60);
/// It is over when so much more is free, so that an alarm does not come and go with every file.
const AGAIN_PERCENT: u64 = 2;

/// Looks every minute until told to stop.
pub async fn watch(app: &App, places: Places, stop: Stop) {
    let mut stopping = stop.listen();
    loop {
        for (name, path) in &places.paths {
            look(app, name, path, places.free_percent_min).await;
        }
        tokio::select! {
            () = tokio::time::sleep(PAUSE) => {}
            () = stopping.wait() => return,
        }
    }
}

#[derive(Clone)]
pub struct Places {
    paths: Vec<(&'static str, PathBuf)>,
    free_percent_min: u8,
}

impl Places {
    pub fn of(config: &Config) -> Self {
        Self {
            paths: vec![("data", config.data_dir.clone()), ("witness", config.witness_dir())],
            free_percent_min: config.alarms.disk_free_percent_min,
        }
    }
}

async fn look(app: &App, name: &'static str, path: &std::path::Path, free_percent_min: u8) {
    // What is not there or does not tell has other alarms.
    let Ok(room) = rustix::fs::statvfs(path) else { return };
    let free_bytes = room.f_bavail.saturating_mul(room.f_frsize);
    let total_bytes = room.f_blocks.saturating_mul(room.f_frsize);
    metrics::gauge!("precordia_disk_free_bytes", "place" => name).set(free_bytes as f64);
    let subject = AlarmSubject::platform("disk").named(name);
    match judge(free_bytes, total_bytes, free_percent_min) {
        Room::Low => {
            let free_bytes = i64::try_from(free_bytes).unwrap_or(i64::MAX);
            let alarm = Alarm::new(AlarmCode::DiskLow, subject);
            app.alarms().raise(alarm.figure("free_bytes", free_bytes)).await;
        }
        Room::Between => {}
        Room::Enough => app.alarms().clear(AlarmCode::DiskLow, subject).await,
    }
}

#[derive(Debug, PartialEq, Eq)]
enum Room {
    Low,
    /// As it was before.
    Between,
    Enough,
}

fn judge(free: u64, total: u64, percent_min: u8) -> Room {
    let percent = |limit: u64| u128::from(total) * u128::from(limit) / 100;
    match u128::from(free) {
        _ if percent_min == 0 => Room::Enough,
        free if free < percent(u64::from(percent_min)) => Room::Low,
        free if free < percent((u64::from(percent_min) + AGAIN_PERCENT).min(100)) => Room::Between,
        _ => Room::Enough,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_alarm_does_not_come_and_go_with_every_file() {
        let judged: Vec<Room> = [99, 100, 119, 120].map(|free| judge(free, 1000, 10)).into();
        assert_eq!(judged, [Room::Low, Room::Between, Room::Between, Room::Enough]);
        assert_eq!(judge(u64::MAX, u64::MAX, 99), Room::Enough);
        assert_eq!(judge(0, 0, 10), Room::Enough, "a file system without a size has no limit");
        assert_eq!(judge(0, 1000, 0), Room::Enough, "nobody asked");
    }
}
