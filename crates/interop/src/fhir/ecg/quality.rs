//! Where the waves lie and how good the signal is: extensions of the panel Observation.

use std::collections::BTreeMap;

use precordia_model::{Fiducials, Lead, LeadQuality, Quality};
use serde_json::Value;

use super::super::codes::{EXT_FIDUCIALS, EXT_SIGNAL_QUALITY};
use super::super::json::{Node, decimal, extension, nested};
use super::super::operation_outcome::{Invalid, IssueCode};

/// Root mean square noise is in microvolts, like every amplitude here.
pub(super) fn quality(quality: &Quality) -> Option<Value> {
    let mut parts = vec![Some(extension("usable", "valueBoolean", quality.usable))];
    parts.extend(quality.leads.iter().map(|(&lead, q)| lead_quality(lead, q)));
    nested(EXT_SIGNAL_QUALITY, parts)
}

fn lead_quality(lead: Lead, quality: &LeadQuality) -> Option<Value> {
    let mut parts = vec![
        Some(extension("name", "valueCode", lead.name())),
        Some(extension("usable", "valueBoolean", quality.usable)),
        decimal(quality.noise_uv).map(|uv| extension("noise-uv", "valueDecimal", uv)),
    ];
    let name = |issue| serde_json::to_value(issue).unwrap_or_default();
    parts.extend(quality.issues.iter().map(|i| Some(extension("issue", "valueCode", name(i)))));
    nested("lead", parts)
}

pub(super) fn read_quality(node: &Node) -> Result<Quality, Invalid> {
    let Some(found) = node.extension(EXT_SIGNAL_QUALITY)? else {
        return Err(node.invalid(IssueCode::Required, "the signal-quality extension is required"));
    };
    let mut leads = BTreeMap::new();
    for lead in found.extensions("lead")? {
        let name: Lead = value(&lead, "name", "valueCode")?.code()?;
        if leads.insert(name, read_lead_quality(&lead)?).is_some() {
            return Err(lead.invalid(IssueCode::Structure, "a lead may stand once only"));
        }
    }
    Ok(Quality { usable: value(&found, "usable", "valueBoolean")?.bool()?, leads })
}

fn read_lead_quality(lead: &Node) -> Result<LeadQuality, Invalid> {
    let issues = lead.extensions("issue")?;
    Ok(LeadQuality {
        usable: value(lead, "usable", "valueBoolean")?.bool()?,
        issues: issues.iter().map(|i| i.require("valueCode")?.code()).collect::<Result<_, _>>()?,
        noise_uv: value(lead, "noise-uv", "valueDecimal")?.f64()?,
    })
}

fn value<'a>(node: &Node<'a>, url: &str, kind: &str) -> Result<Node<'a>, Invalid> {
    match node.extension(url)? {
        Some(found) => found.require(kind),
        None => Err(node.invalid(IssueCode::Required, format!("the part `{url}` is required"))),
    }
}

/// Sample numbers relative to the R peak of the representative beat.
pub(super) fn fiducials(f: &Fiducials) -> Option<Value> {
    let points = [
        ("p-onset", f.p_onset),
        ("p-offset", f.p_offset),
        ("qrs-onset", f.qrs_onset),
        ("qrs-offset", f.qrs_offset),
        ("t-peak", f.t_peak),
        ("t-offset", f.t_offset),
    ];
    let part = |(url, at): (&str, Option<i32>)| at.map(|at| extension(url, "valueInteger", at));
    nested(EXT_FIDUCIALS, points.into_iter().map(part).collect())
}

pub(super) fn read_fiducials(node: &Node) -> Result<Fiducials, Invalid> {
    let Some(found) = node.extension(EXT_FIDUCIALS)? else { return Ok(Fiducials::default()) };
    let point = |url| -> Result<Option<i32>, Invalid> {
        found.extension(url)?.map(|e| e.require("valueInteger")?.integer()).transpose()
    };
    Ok(Fiducials {
        p_onset: point("p-onset")?,
        p_offset: point("p-offset")?,
        qrs_onset: point("qrs-onset")?,
        qrs_offset: point("qrs-offset")?,
        t_peak: point("t-peak")?,
        t_offset: point("t-offset")?,
    })
}
