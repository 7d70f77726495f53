//! Schiller documents.

pub struct Document {
    pub samplerate: &'static str,
    pub units: &'static str,
    pub annotations: &'static str,
    pub channels: String,
    pub averages: String,
}

pub fn channel(name: &str, raw: &[i16]) -> String {
    let data: Vec<String> = raw.iter().map(i16::to_string).collect();
    format!(
        "<channel><annotation_lead><name>R_AMPL</name><value>0.77</value></annotation_lead>\
         <annotation_lead><name>S_DUR</name><value>0</value></annotation_lead>\
         <name>{name}</name><data>{}</data><datastype>COMMASEPARATE</datastype>\
         <samplecount>{}</samplecount></channel>",
        data.join(","),
        raw.len()
    )
}

pub fn document(count: usize) -> Document {
    Document {
        samplerate: "<exponent>1</exponent><value>500</value>",
        units: "<unitperbit>2.5</unitperbit><units>UV</units>",
        annotations: "<annotation_global><name>QRS</name><value>146</value></annotation_global>\
                      <annotation_global><name>QRS_ON</name><value>261</value></annotation_global>\
                      <annotation_global><name>QRS_OFF</name><value>334</value></annotation_global>\
                      <annotation_global><name>AXIS_QRS</name><value>-67</value></annotation_global>\
                      <annotation_global><name>BP_D</name><value> -</value></annotation_global>",
        channels: channel("I", &super::beats(count, 300))
            + &channel("AVR", &super::beats(count, -200)),
        averages: channel("AVF", &super::beats(200, 250)),
    }
}

pub fn text(document: &Document) -> String {
    let Document { samplerate, units, annotations, channels, averages } = document;
    let resolution = format!(
        "<resolution><samplerate>{samplerate}</samplerate><yres>{units}</yres></resolution>"
    );
    format!(
        "\u{feff}<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n\
         <com.xiriuz.sema.xml.schillerEDI.SchillerEDI><patdata><id>2241428</id>\
         <lastname>Noether</lastname><firstname>Amalie</firstname><birthdate>18820323</birthdate>\
         <gender>FEMALE</gender></patdata><examdescript><startdatetime><date>20060502</date>\
         <time>140610250</time></startdatetime><order_id>A-17</order_id><aquiringdevice>\
         <hardware><vendor>Schiller</vendor><model>AT-110</model></hardware><software>\
         <version>2.64.0</version></software></aquiringdevice></examdescript><eventdata><event>\
         <wavedata><type>ECG_AVERAGES</type>{resolution}{averages}</wavedata>\
         <wavedata><type>ECG_RHYTHMS</type>{resolution}{channels}</wavedata>{annotations}\
         <filters_data><filter><name>MAINS</name><value>-</value></filter>\
         <filter><name>HIGHPASS_CUTOFF_FREQ</name><value>0.05</value></filter></filters_data>\
         <textdata><type>INTERPRETATION</type><textdata>sinus rhythm\nnormal</textdata></textdata>\
         <textdata><type>REMARK_6</type><textdata>3</textdata></textdata></event></eventdata>\
         </com.xiriuz.sema.xml.schillerEDI.SchillerEDI>"
    )
}
