//! ELI documents, as far as their form is public.

use super::philips::base64;

pub struct Document {
    pub form: &'static str,
    pub duration: String,
    pub leads: Vec<(&'static str, Vec<i16>)>,
    pub field_id: &'static str,
}

pub fn document(count: usize) -> Document {
    Document {
        form: "OFFSET=\"0\" BITS=\"16\" FORMAT=\"SIGNED\" UNITS_PER_MV=\"400\" SAMPLE_FREQ=\"500\" \
               ENCODING=\"BASE64\"",
        duration: count.to_string(),
        leads: vec![("I", super::beats(count, 400)), ("V1", super::beats(count, -600))],
        field_id: "PAT001",
    }
}

pub fn text(document: &Document) -> String {
    let Document { form, duration, leads, field_id } = document;
    let data =
        |raw: &[i16]| base64(&raw.iter().flat_map(|raw| raw.to_le_bytes()).collect::<Vec<u8>>());
    let channels: String = leads
        .iter()
        .map(|(name, raw)| {
            format!(
                "<CHANNEL {form} DURATION=\"{duration}\" NAME=\"{name}\" DATA=\"{}\"/>",
                data(raw)
            )
        })
        .collect();
    let beat = data(&super::beats(250, 200));
    format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<ECG ACQUISITION_TIME=\"20231201120005\" \
         AGE=\"99\" AGE_UNITS=\"Y\" VENT_RATE=\"75\" ROOM=\"R12\"><DEMOGRAPHIC_FIELDS>\
         <DEMOGRAPHIC_FIELD LABEL=\"ID:\" VALUE=\"{field_id}\"/></DEMOGRAPHIC_FIELDS>\
         <SUBJECT LAST_NAME=\"Noether\" FIRST_NAME=\"Amalie\" GENDER=\"Female\" ID=\"PAT001\" \
         DOB=\"18820323\"/><SOURCE TYPE=\"RESTING\" MANUFACTURER=\"Mortara Instrument, Inc.\" \
         MODEL=\"ELI250c\" LOW_PASS_FILTER=\"150\" FILTER_BITMAP=\"2\"/><AUTOMATIC_INTERPRETATION>\
         <STATEMENT TEXT=\"SINUS RHYTHM\" REASON=\"\"/><STATEMENT TEXT=\"\" REASON=\"\"/>\
         <STATEMENT TEXT=\"LEFT AXIS DEVIATION \" REASON=\"QRS AXIS &lt; -30\"/>\
         </AUTOMATIC_INTERPRETATION><TYPICAL_CYCLE PR_DURATION=\"163\" QRS_AXIS=\"-35\" T_AXIS=\"\" \
         BITS=\"16\" FORMAT=\"SIGNED\" UNITS_PER_MV=\"200\" DURATION=\"250\" SAMPLE_FREQ=\"250\" \
         ENCODING=\"BASE64\"><TYPICAL_CYCLE_CHANNEL NAME=\"I\" DATA=\"{beat}\"/></TYPICAL_CYCLE>\
         {channels}</ECG>"
    )
}
