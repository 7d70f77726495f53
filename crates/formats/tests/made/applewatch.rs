//! Exports of the Health application, line by line.

pub struct Export {
    pub names: [&'static str; 10],
    pub born: &'static str,
    pub rate: &'static str,
    pub lead: &'static str,
    pub unit: &'static str,
    /// Fractions with a comma, in quotes.
    pub comma: bool,
    pub values: Vec<String>,
}

impl Default for Export {
    fn default() -> Self {
        let values = super::beats(1200, 900).iter().map(|value| format!("{value}.25")).collect();
        Self {
            names: [
                "Name",
                "Date of Birth",
                "Recorded Date",
                "Classification",
                "Symptoms",
                "Software Version",
                "Device",
                "Sample Rate",
                "Lead",
                "Unit",
            ],
            born: "Mar 23, 1982",
            rate: "511.523 hertz",
            lead: "Lead I",
            unit: "µV",
            comma: false,
            values,
        }
    }
}

/// A line without a value is left out.
pub fn export(made: &Export) -> String {
    let born = format!("\"{}\"", made.born);
    let head = [
        "Amalie Noether",
        born.as_str(),
        "2024-02-29 10:11:12 +0100",
        "Sinus Rhythm",
        "\"none, as far as I know\"",
        "1.90",
        "\"Watch6,1\"",
        made.rate,
        made.lead,
        made.unit,
    ];
    let mut text = String::new();
    for (index, (name, value)) in made.names.iter().zip(head).enumerate() {
        if index == 8 {
            text.push('\n');
        }
        if !value.is_empty() {
            let comma = index == 7 && value.contains(',');
            let value = if comma { format!("\"{value}\"") } else { value.to_owned() };
            text.push_str(&format!("{name},{value}\n"));
        }
    }
    text.push('\n');
    for value in &made.values {
        match made.comma {
            true => text.push_str(&format!("\"{}\"\n", value.replace('.', ","))),
            false => text.push_str(&format!("{value}\n")),
        }
    }
    text
}
