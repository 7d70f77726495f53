//! Tables of numbers.

/// A head before rows of three leads, of which the second is the sum of the others.
pub fn table(head: &str, separator: &str, unit: f64, count: usize) -> String {
    let mut text = head.to_owned();
    for value in super::beats(count, 900) {
        let (one, three) = (f64::from(value) * unit, f64::from(value) * unit / 2.0);
        let cells = [one, one + three, three].map(|value| format!("{value}"));
        text.push_str(&cells.join(separator));
        text.push('\n');
    }
    text
}

pub const LAYOUT: &str = "# ecg-layout: 1\n# rate_hz: 500\n# unit: uV\n";

pub fn whole(count: usize) -> String {
    table(&format!("{LAYOUT}I,II,III\n"), ",", 1.0, count)
}
