//! Devices and their clocks: the recorder as a contained Device, its reading as an extension.

use precordia_model::{DeviceDescription, DeviceTime, Phi, ZoneKnowledge};
use serde_json::{Value, json};

use super::super::codes::EXT_DEVICE_TIME;
use super::super::json::{Node, extension, list, nested, object, text};
use super::super::operation_outcome::Invalid;

pub(super) const RECORDER: &str = "recorder";
pub(super) const ANALYSIS: &str = "analysis";

/// The device as the file describes it; `None` when the file says nothing of it.
pub(super) fn recorder(device: &DeviceDescription) -> Option<Value> {
    let manufacturer = device.manufacturer.as_deref().and_then(text);
    let model = device.model.as_deref().and_then(text);
    let software = device.software.as_deref().and_then(text);
    let serial = device.serial.as_ref().and_then(|s| text(s.reveal()));
    if [&manufacturer, &model, &software, &serial].iter().all(|part| part.is_none()) {
        return None;
    }
    Some(object([
        ("resourceType", Some("Device".into())),
        ("id", Some(RECORDER.into())),
        ("manufacturer", manufacturer),
        ("modelNumber", model),
        ("serialNumber", serial),
        ("version", list(software.map(|v| json!({ "value": v })).into_iter().collect())),
    ]))
}

/// The program that measured.
pub(super) fn analysis(version: &str) -> Value {
    object([
        ("resourceType", Some("Device".into())),
        ("id", Some(ANALYSIS.into())),
        ("deviceName", Some(json!([{ "name": "Precordia ECG analysis", "type": "model-name" }]))),
        ("version", text(version).map(|v| json!([{ "value": v }]))),
    ])
}

pub(super) fn local_reference(id: &str) -> Value {
    json!({ "reference": format!("#{id}") })
}

pub(super) fn contained<'a>(node: &Node<'a>, id: &str) -> Result<Option<Node<'a>>, Invalid> {
    Ok(node.items("contained")?.into_iter().find(|c| c.value["id"] == id))
}

pub(super) fn read_recorder(node: &Node) -> Result<DeviceDescription, Invalid> {
    let Some(device) = contained(node, RECORDER)? else { return Ok(DeviceDescription::default()) };
    Ok(DeviceDescription {
        manufacturer: device.opt_string("manufacturer")?,
        model: device.opt_string("modelNumber")?,
        software: version(&device)?,
        serial: device.opt_string("serialNumber")?.map(Phi::new),
    })
}

pub(super) fn version(device: &Node) -> Result<Option<String>, Invalid> {
    device.items("version")?.first().map(|v| v.require("value")?.string()).transpose()
}

/// The device's reading, whole: FHIR's own `dateTime` cannot hold a time without a zone.
pub(super) fn device_time(time: &DeviceTime) -> Value {
    let minutes = match time.zone {
        ZoneKnowledge::Offset { minutes } => Some(minutes),
        ZoneKnowledge::Unknown => None,
    };
    let parts = vec![
        text(&time.as_written).map(|v| extension("as-written", "valueString", v)),
        time.local.as_deref().and_then(text).map(|v| extension("local", "valueString", v)),
        minutes.map(|m| extension("offset-minutes", "valueInteger", m)),
        // Says in so many words what an absent offset means, and keeps the extension from being
        // empty.
        minutes.is_none().then(|| extension("zone-unknown", "valueBoolean", true)),
    ];
    nested(EXT_DEVICE_TIME, parts).unwrap_or_default()
}

pub(super) fn read_device_time(node: &Node) -> Result<Option<DeviceTime>, Invalid> {
    let Some(time) = node.extension(EXT_DEVICE_TIME)? else { return Ok(None) };
    let string = |url| -> Result<Option<String>, Invalid> {
        time.extension(url)?.map(|e| e.require("valueString")?.string()).transpose()
    };
    let zone = match time.extension("offset-minutes")? {
        Some(e) => ZoneKnowledge::Offset { minutes: e.require("valueInteger")?.integer()? },
        None => ZoneKnowledge::Unknown,
    };
    let as_written = string("as-written")?.unwrap_or_default();
    Ok(Some(DeviceTime { as_written, local: string("local")?, zone }))
}
