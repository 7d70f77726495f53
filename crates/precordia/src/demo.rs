//! `precordia demo`: a fresh directory, two organizations, sample recordings, everything that exists
//! working. The recordings are made by the synthesizer and come in by the same door as anybody's.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use precordia_app::access::OrgScope;
use precordia_app::{App, Arrival, NewUser, OrganizationSpec, ReceiveError, SiteSpec, Stop};
use precordia_formats::dicom::{self, ObjectIds};
use precordia_model::{Door, ItemId, Phi, Role};
use precordia_server::DemoSignIn;
use precordia_synth::{Pattern, Person, Spec, synthesize};
use zeroize::Zeroizing;

use crate::config::Config;
use crate::output::{data, words};

/// The demo's only password. `serve` does not know it.
const PASSWORD: &str = "show-me-the-trace";

struct House {
    slug: &'static str,
    name: &'static str,
    sites: [(&'static str, &'static str); 2],
    /// First of the demo people who are patients here.
    first_person: usize,
}

const HOUSES: [House; 2] = [
    House {
        slug: "riverside",
        name: "Riverside Hospital",
        sites: [("Emergency department", "Europe/London"), ("Cardiology clinic", "Europe/London")],
        first_person: 0,
    },
    House {
        slug: "northgate",
        name: "Northgate Clinic",
        sites: [("Main building", "America/Chicago"), ("Sports medicine", "America/Chicago")],
        first_person: 12,
    },
];

const STAFF: [(&str, &str, Role); 5] = [
    ("cardiologist", "Dr. C. Reader", Role::Cardiologist),
    ("nurse", "N. Ward", Role::Nurse),
    ("technician", "T. Cart", Role::Technician),
    ("auditor", "A. Ledger", Role::Auditor),
    ("administrator", "O. Keeper", Role::OrganizationAdministrator),
];

pub struct Options {
    pub address: SocketAddr,
    /// `None`: a new directory under the system's temporary directory.
    pub dir: Option<PathBuf>,
}

pub async fn run(options: Options) -> Result<ExitCode> {
    let dir = fresh_dir(options.dir)?;
    let mut config = Config { data_dir: dir.join("data"), ..Config::default() };
    config.listen.address = options.address;
    config.limits.checkpoint_seconds = 5;
    config.check()?;
    let app = crate::wiring::open(&config, true).await?;
    let stop = Stop::default();
    let running = crate::serve::start(&app, &config, &stop, Some(sign_ins())).await?;
    for house in &HOUSES {
        furnish(&app, house).await.with_context(|| format!("could not furnish {}", house.slug))?;
    }
    tell(&running.address, &dir);
    running.until_signal(stop).await
}

fn fresh_dir(dir: Option<PathBuf>) -> Result<PathBuf> {
    let dir = dir.unwrap_or_else(|| {
        std::env::temp_dir().join(format!("precordia-demo-{}", std::process::id()))
    });
    if dir.join("data").exists() {
        bail!("`{}` holds data already; name an empty directory", dir.display());
    }
    std::fs::create_dir_all(&dir).with_context(|| format!("could not make `{}`", dir.display()))?;
    Ok(dir)
}

fn sign_ins() -> Vec<DemoSignIn> {
    HOUSES
        .iter()
        .flat_map(|house| {
            STAFF.iter().map(|(user_name, _, role)| DemoSignIn {
                organization: house.slug.to_owned(),
                organization_name: house.name.to_owned(),
                user_name: (*user_name).to_owned(),
                password: PASSWORD.to_owned(),
                roles: vec![*role],
            })
        })
        .collect()
}

/// An organization with its staff and recordings.
async fn furnish(app: &App, house: &House) -> Result<()> {
    let spec = OrganizationSpec {
        slug: house.slug.to_owned(),
        name: house.name.to_owned(),
        sites: house
            .sites
            .iter()
            .map(|(name, zone)| SiteSpec {
                name: (*name).to_owned(),
                time_zone: (*zone).to_owned(),
            })
            .collect(),
    };
    let applied = app.apply_organization(&app.local_operator(), &spec).await?;
    let code = applied.setup_code.context("a fresh organization has a set-up code")?;
    let password = || Zeroizing::new(PASSWORD.to_owned());
    let (admin_name, admin_display, _) = STAFF[4];
    let admin = app.set_up(house.slug, &code, admin_name, admin_display, password()).await?;
    let session = session_scope(app, &admin.cookie).await?;
    for (user_name, display_name, role) in &STAFF[..4] {
        let new = NewUser {
            user_name: (*user_name).to_owned(),
            display_name: (*display_name).to_owned(),
            roles: vec![*role],
            password: password(),
        };
        app.add_user(&session, new).await?;
    }
    let technician = app
        .sign_in(house.slug, STAFF[2].0, password(), "demo")
        .await
        .map_err(|cause| anyhow::anyhow!("the technician could not sign in: {cause}"))?;
    let scope = session_scope(app, &technician.cookie).await?;
    let mut items = Vec::new();
    for (number, bytes) in recordings(house)?.into_iter().enumerate() {
        let site = applied.sites.get(number % applied.sites.len().max(1)).map(|site| site.id);
        items.push(send(app, &scope, site, &bytes).await?);
    }
    for item in items {
        app.wait_for_item(&scope, item, Duration::from_secs(30)).await?;
    }
    Ok(())
}

async fn session_scope(app: &App, cookie: &str) -> Result<OrgScope> {
    let session = app.session(cookie, app.new_request()).await?;
    Ok(session.context("a session that was just opened is valid")?.scope)
}

async fn send(
    app: &App,
    scope: &OrgScope,
    site: Option<precordia_model::SiteId>,
    bytes: &[u8],
) -> Result<ItemId> {
    let arrival = Arrival {
        door: Door::Upload,
        site,
        file_name: Some(Phi::new(String::from("cart.dcm"))),
        declared_bytes: Some(bytes.len() as u64),
    };
    let refused = |cause: ReceiveError| anyhow::anyhow!("the door refused a sample: {cause:?}");
    let mut receiving = app.receive(scope, arrival).await.map_err(refused)?;
    receiving.write(bytes).await.map_err(refused)?;
    receiving.finish().await.map_err(refused)
}

/// One recording of each pattern, an earlier normal one for the first patients, one that names nobody and
/// one file that is not an ECG.
fn recordings(house: &House) -> Result<Vec<Vec<u8>>> {
    let mut files = Vec::new();
    for (number, pattern) in Pattern::ALL.iter().enumerate() {
        let person = Person::demo(house.first_person + number);
        if number < 3 {
            let earlier = at(Spec::pattern(Pattern::ALL[0]), &person, 2024, number);
            files.push(encode(&earlier, house, 100 + number)?);
        }
        files.push(encode(&at(Spec::pattern(*pattern), &person, 2025, number), house, number)?);
    }
    let mut nobody =
        at(Spec::pattern(Pattern::ALL[0]), &Person::demo(house.first_person + 40), 2025, 27);
    nobody.person.id = String::new();
    files.push(encode(&nobody, house, 200)?);
    files.push(b"This is a discharge letter that somebody dropped into the ECG folder.\n".to_vec());
    Ok(files)
}

fn at(spec: Spec, person: &Person, year: i16, number: usize) -> Spec {
    let day = 1 + (number % 28) as i8;
    let hour = 8 + (number % 10) as i8;
    Spec {
        person: person.clone(),
        seed: spec.seed + number as u64 * 7919,
        acquired_at: Some(precordia_synth::device_time(year, 11, day, hour, 15, 0, Some(0))),
        ..spec
    }
}

fn encode(spec: &Spec, house: &House, number: usize) -> Result<Vec<u8>> {
    let synthetic = synthesize(spec);
    // 2.25 with a decimal UUID is the root that needs no registration (DICOM PS3.5 B.2).
    let base = format!(
        "2.25.{}{:04}",
        if house.first_person == 0 { 7_311_001 } else { 7_311_002 },
        number
    );
    let ids = ObjectIds::new(format!("{base}.3"), format!("{base}.1"), format!("{base}.2"));
    dicom::write(&synthetic.recording, &ids)
        .map_err(|cause| anyhow::anyhow!("a sample could not be written: {cause}"))
}

fn tell(address: &SocketAddr, dir: &Path) {
    data(&format!("ready http://{address}"));
    words("");
    words(&format!("Precordia demo at http://{address}   (data in {})", dir.display()));
    words("");
    words("Sign in with organization, user and password:");
    for house in &HOUSES {
        words(&format!(
            "  {:<12} cardiologist, nurse, technician, auditor or administrator",
            house.slug
        ));
    }
    words(&format!("  password     {PASSWORD}"));
    words("");
    words("What to look at:");
    words(
        "  - the worklist as cardiologist: one recording of each rhythm, newest first; ? shows the keys",
    );
    words("  - a recording: 12 leads on paper, measurements, flags (click one), who looked at it");
    words("  - Items: one recording that names nobody waits for you, one file is in quarantine");
    words("  - drop a DICOM ECG on the page, and see it filed");
    words("  - the other organization: nothing of the first is there");
    words("");
    words("Stop with Ctrl-C.");
}
