//! Which channel is which lead, and the four frontal leads of which only the residuals are coded.

use precordia_model::{Lead, Refusal, RefusalReason};

use crate::lead_code;
use crate::xml::Element;

const FRONTAL: [Lead; 6] = [Lead::I, Lead::II, Lead::III, Lead::AVR, Lead::AVL, Lead::AVF];

/// The leads of the channels, in their order.
///
/// Version 1.04 labels the samples. In 1.03 the order is that of the leads' measurements, or, where
/// it is the standard order, of the printed sheet. A sheet in the Cabrera order says nothing.
pub(super) fn of_channels(root: Element<'_>, samples: Element<'_>) -> Result<Vec<Lead>, Refusal> {
    if let Some(labels) = samples.some_attribute("leadlabels") {
        return named(labels.split_whitespace());
    }
    let measured: Vec<&str> = root
        .descendants("leadmeasurement")
        .filter_map(|lead| lead.some_attribute("leadname"))
        .collect();
    let format = root.path("reportinfo/reportformat/waveformformat");
    let is_standard =
        |format: &Element<'_>| format.attribute("leadsequence").is_none_or(|it| it == "Standard");
    let printed: Vec<&str> = format
        .filter(is_standard)
        .and_then(|format| format.text_of("mainwaveformformat"))
        .map(|text| text.split_whitespace().collect())
        .unwrap_or_default();
    match (measured.is_empty(), printed.is_empty()) {
        (true, true) => Err(ambiguous("leads_unknown", "nothing says which channel is which lead")),
        (false, true) => named(measured.into_iter()),
        (true, false) => named(printed.into_iter()),
        (false, false) => {
            let (measured, printed) = (named(measured.into_iter())?, named(printed.into_iter())?);
            // Either may have fewer leads than were recorded.
            if printed.iter().zip(&measured).any(|(one, other)| one != other) {
                let text =
                    "the measurements and the printed sheet have their leads in another order";
                return Err(ambiguous("lead_conflict", text));
            }
            Ok(if measured.len() < printed.len() { printed } else { measured })
        }
    }
}

fn named<'n>(names: impl Iterator<Item = &'n str>) -> Result<Vec<Lead>, Refusal> {
    let leads: Option<Vec<Lead>> = names.map(lead_code::from_name).collect();
    leads.ok_or_else(|| ambiguous("leads_unknown", "a channel has a name that is no lead's"))
}

/// Makes III, aVR, aVL and aVF of I, II and what is coded in their place: the part of each that does
/// not follow from I and II. Halves are cut toward zero; in all public files only so is every
/// residual of a noiseless recording zero or away from zero.
pub(super) fn restore(leads: &[Lead], channels: &mut [Vec<i16>]) -> Result<(), Refusal> {
    if leads.get(..6) != Some(&FRONTAL[..]) {
        let text = "compressed channels do not begin with I, II, III, aVR, aVL and aVF";
        let code = "lead_order_unsupported";
        return Err(Refusal::new(RefusalReason::Unsupported, code, "parsedwaveforms", text));
    }
    let [one, two, three, avr, avl, avf, ..] = channels else { return Ok(()) };
    let frontal = one.iter().zip(two).zip(three).zip(avr).zip(avl).zip(avf);
    for (((((one, two), three), avr), avl), avf) in frontal {
        *three = two.wrapping_sub(*one).wrapping_sub(*three);
        let half = |sum: i32| (sum / 2) as i16;
        let (i, ii, iii) = (i32::from(*one), i32::from(*two), i32::from(*three));
        *avr = half(i + ii).wrapping_neg().wrapping_sub(*avr);
        *avl = half(i - iii).wrapping_sub(*avl);
        *avf = half(ii + iii).wrapping_sub(*avf);
    }
    Ok(())
}

fn ambiguous(code: &str, text: &str) -> Refusal {
    Refusal::new(RefusalReason::Ambiguous, code, "parsedwaveforms", text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frontal_leads_follow_from_two_with_halves_toward_zero() {
        let mut channels: Vec<Vec<i16>> = vec![
            vec![3, -3, 30_000],
            vec![4, -4, 30_000],
            vec![0, 1, 0],
            vec![0; 3],
            vec![0; 3],
            vec![0; 3],
        ];
        restore(&FRONTAL, &mut channels).unwrap();
        assert_eq!(channels[2], [1, -2, 0]);
        assert_eq!(channels[3], [-3, 3, -30_000]);
        assert_eq!(channels[4], [1, 0, 15_000]);
        assert_eq!(channels[5], [2, -3, 15_000]);
        let order = [Lead::I, Lead::II, Lead::V1];
        assert_eq!(restore(&order, &mut channels).unwrap_err().code, "lead_order_unsupported");
    }
}
