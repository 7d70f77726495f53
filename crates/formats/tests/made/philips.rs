//! Philips documents, with an encoder of XLI that is none of the crate's.

use std::collections::BTreeMap;

/// The frontal leads of I and II, in the rounding of the carts, and six chest leads.
pub fn twelve(count: usize) -> Vec<Vec<i16>> {
    let (one, two) = (super::beats(count, 90), super::beats(count, 161));
    let half = |sum: i16| sum / 2;
    let three: Vec<i16> = one.iter().zip(&two).map(|(i, ii)| ii - i).collect();
    let avr = one.iter().zip(&two).map(|(i, ii)| -half(i + ii)).collect();
    let avl = one.iter().zip(&three).map(|(i, iii)| half(i - iii)).collect();
    let avf = two.iter().zip(&three).map(|(ii, iii)| half(ii + iii)).collect();
    let mut leads = vec![one, two, three, avr, avl, avf];
    leads.extend((1..=6).map(|number| super::beats(count, -60 * number)));
    leads
}

/// What is coded in place of the four frontal leads.
fn residuals(leads: &[Vec<i16>]) -> Vec<Vec<i16>> {
    let mut coded = leads.to_vec();
    for at in 0..leads[0].len() {
        let [i, ii, iii, avr, avl, avf] = [0, 1, 2, 3, 4, 5].map(|lead| leads[lead][at]);
        coded[2][at] = ii - i - iii;
        coded[3][at] = -((i + ii) / 2) - avr;
        coded[4][at] = (i - iii) / 2 - avl;
        coded[5][at] = (ii + iii) / 2 - avf;
    }
    coded
}

/// A channel: header, and the codes of all high bytes and all low bytes of its differences.
pub fn channel(samples: &[i16]) -> Vec<u8> {
    let start = 5_i16;
    let mut coded: Vec<i16> = samples.iter().copied().take(2).collect();
    let mut difference = start;
    for window in samples.windows(3) {
        let [two_ago, one_ago, now] = [window[0], window[1], window[2]];
        // The decoder's step, solved for the next difference.
        let expected = one_ago.wrapping_mul(2).wrapping_sub(two_ago).wrapping_sub(now);
        if coded.len() == 2 {
            assert_eq!(expected, difference, "the start is the first second difference");
        }
        difference = expected;
        coded.push(expected);
    }
    // Each difference is coded one sample before the one that it makes.
    let shifted: Vec<i16> = coded[..2.min(coded.len())]
        .iter()
        .copied()
        .chain((3..=samples.len()).map(|at| match coded.get(at) {
            Some(difference) => difference.wrapping_add(64),
            None => 64,
        }))
        .take(samples.len())
        .collect();
    let high = shifted.iter().map(|value| value.to_be_bytes()[0]);
    let low = shifted.iter().map(|value| value.to_be_bytes()[1]);
    let codes = lzw(&high.chain(low).collect::<Vec<u8>>());
    let mut bytes = (codes.len() as u32).to_le_bytes().to_vec();
    bytes.extend(1_u16.to_le_bytes());
    bytes.extend(start.to_le_bytes());
    bytes.extend(codes);
    bytes
}

fn lzw(bytes: &[u8]) -> Vec<u8> {
    const END: u16 = 1023;
    let mut dictionary: BTreeMap<Vec<u8>, u16> =
        (0..=255_u8).map(|byte| (vec![byte], u16::from(byte))).collect();
    let mut codes = Vec::new();
    let mut word: Vec<u8> = Vec::new();
    for &byte in bytes {
        let mut longer = word.clone();
        longer.push(byte);
        if dictionary.contains_key(&longer) {
            word = longer;
            continue;
        }
        codes.push(dictionary[&word]);
        let next = dictionary.len() as u16;
        if next < END {
            dictionary.insert(longer, next);
        }
        word = vec![byte];
    }
    codes.extend(dictionary.get(&word));
    codes.push(END);
    let bits: Vec<u8> = codes
        .iter()
        .flat_map(|code| (0..10).rev().map(move |bit| (code >> bit & 1) as u8))
        .collect();
    bits.chunks(8)
        .map(|bits| bits.iter().fold(0, |byte, bit| byte << 1 | bit) << (8 - bits.len()))
        .collect()
}

pub fn base64(bytes: &[u8]) -> String {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::new();
    for (index, three) in bytes.chunks(3).enumerate() {
        if index > 0 && index % 19 == 0 {
            text.push('\n');
        }
        let word = three.iter().fold(0_u32, |word, byte| word << 8 | u32::from(*byte));
        let word = word << (8 * (3 - three.len()));
        for at in 0..4 {
            match at <= three.len() {
                true => text.push(char::from(ALPHABET[(word >> (18 - 6 * at) & 63) as usize])),
                false => text.push('='),
            }
        }
    }
    text
}

/// Samples whose first second difference is what the header of a channel says.
pub fn with_start(mut samples: Vec<i16>) -> Vec<i16> {
    if let [first, second, third, ..] = &mut samples[..] {
        (*first, *second, *third) = (0, 0, -5);
    }
    samples
}

pub fn compressed(leads: &[Vec<i16>]) -> String {
    let coded = residuals(leads);
    base64(&coded.into_iter().map(with_start).flat_map(|lead| channel(&lead)).collect::<Vec<u8>>())
}

pub fn plain(leads: &[Vec<i16>]) -> String {
    base64(&leads.iter().flatten().flat_map(|raw| raw.to_le_bytes()).collect::<Vec<u8>>())
}

pub struct Document {
    pub kind: &'static str,
    pub version: &'static str,
    /// Attributes of the samples.
    pub samples: String,
    pub data: String,
    /// Of the acquisition.
    pub characteristics: String,
    pub beats: String,
    pub given: &'static str,
}

pub const LABELS: &str = "I II III aVR aVL aVF V1 V2 V3 V4 V5 V6";

/// Version 1.04, compressed, with a beat of another rate and resolution.
pub fn document(leads: &[Vec<i16>]) -> Document {
    let duration_ms = leads[0].len() * 2;
    let beat = base64(
        &super::beats(300, 400).iter().flat_map(|raw| raw.to_le_bytes()).collect::<Vec<u8>>(),
    );
    let beats = format!(
        "<repbeats dataencoding=\"Base64\" samplespersec=\"1000\" resolution=\"2.5\" \
         repbeatmethod=\"mean\"><repbeat leadname=\"II\"><pdur>90</pdur>\
         <waveform duration=\"300\">{beat}</waveform></repbeat></repbeats>"
    );
    Document {
        kind: "PhilipsECG",
        version: "1.04",
        samples: format!(
            "dataencoding=\"Base64\" compression=\"XLI\" leadlabels=\"{LABELS}\" \
             durationperchannel=\"{duration_ms}\" samplespersecond=\"500\" resolution=\"5\" \
             signaloffset=\"0\" signalsigned=\"True\" bitspersample=\"16\" hipass=\"0.05\" \
             lowpass=\"150\" notchfiltered=\"True\" notchfilterfreqs=\"60\""
        ),
        data: compressed(leads),
        characteristics: "<samplingrate>500</samplingrate><resolution>5</resolution>".into(),
        beats,
        given: "Amalie",
    }
}

pub fn text(document: &Document) -> String {
    let Document { kind, version, samples, data, characteristics, beats, given } = document;
    format!(
        "<?xml version=\"1.0\"?>\n<restingecgdata xmlns=\"http://www3.medical.philips.com\">\
         <documentinfo><documentname>7eac.xml</documentname><documenttype>{kind}</documenttype>\
         <documentversion>{version}</documentversion></documentinfo>\
         <orderinfo><ordernumber>A-17</ordernumber></orderinfo>\
         <reportinfo><reportformat><waveformformat leadsequence=\"Standard\">\
         <mainwaveformformat>{LABELS}</mainwaveformformat></waveformformat></reportformat>\
         <reportbandwidth><highpassfiltersetting>0.5</highpassfiltersetting>\
         <lowpassfiltersetting>40</lowpassfiltersetting>\
         <notchfiltersetting>50</notchfiltersetting></reportbandwidth></reportinfo>\
         <dataacquisition date=\"2010-01-19\" time=\"15:19:22\">\
         <machine machineid=\"EKG1\" detaildescription=\"Philips Medical Products:860315:A.01\">\
         PageWriter Touch</machine>\
         <signalcharacteristics>{characteristics}</signalcharacteristics></dataacquisition>\
         <patient><generalpatientdata><patientid>9999</patientid><name>\
         <lastname>Noether</lastname><firstname>{given}</firstname></name>\
         <age defaultage=\"50\"><dateofbirth>1882-03-23</dateofbirth></age><sex>Female</sex>\
         </generalpatientdata></patient>\
         <internalmeasurements date=\"2010-01-19\"><leadmeasurements>\
         <leadmeasurement leadname=\"I\"><ramp>265</ramp><pdur>Failed</pdur><sdur>0</sdur>\
         <qrsdur>72</qrsdur></leadmeasurement></leadmeasurements></internalmeasurements>\
         <interpretations><interpretation><globalmeasurements><heartrate>84</heartrate>\
         <print>144</print><qtcb>417</qtcb><qtcf>394</qtcf><qrsfrontaxis>-78</qrsfrontaxis>\
         <tfrontaxis>Indeterminate</tfrontaxis></globalmeasurements>\
         <severity code=\"AB\">- ABNORMAL ECG -</severity><statement>\
         <statementcode>SR </statementcode><leftstatement>SINUS RHYTHM</leftstatement>\
         <rightstatement>rate &gt; 60</rightstatement></statement></interpretation>\
         </interpretations><waveforms><parsedwaveforms {samples}>{data}</parsedwaveforms>{beats}\
         </waveforms></restingecgdata>"
    )
}

pub fn utf16(text: &str, big: bool) -> Vec<u8> {
    let unit = |unit: u16| if big { unit.to_be_bytes() } else { unit.to_le_bytes() };
    format!("\u{feff}{text}").encode_utf16().flat_map(unit).collect()
}
