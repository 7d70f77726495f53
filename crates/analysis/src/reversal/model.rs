//! The fitted numbers, and how they are read and applied.

use std::fmt::Write as _;
use std::sync::LazyLock;

use super::features::{FEATURE_COUNT, Prediction, features};
use super::{FeatureSet, LEADS, Segments, Swap};

const SHIPPED: &str = include_str!("model.txt");

/// How leads follow from each other, and for every exchange the weights of the differences and the
/// limit in log odds from which it is named.
#[derive(Clone, Debug, PartialEq)]
pub struct Model {
    pub(super) qrs: Prediction,
    pub(super) st_t: Prediction,
    pub(super) swaps: Vec<SwapModel>,
}

#[derive(Clone, Debug, PartialEq)]
pub(super) struct SwapModel {
    pub swap: Swap,
    pub limit: f64,
    pub weights: FeatureSet,
}

impl Model {
    pub fn shipped() -> &'static Model {
        static MODEL: LazyLock<Model> = LazyLock::new(|| {
            Model::parse(SHIPPED).expect("the shipped model is whole: see the test")
        });
        &MODEL
    }

    /// Log odds above the limit of each exchange.
    pub fn margins(&self, segments: &Segments) -> Vec<(Swap, f64)> {
        let own = self.features(segments);
        let margin = |model: &SwapModel| {
            let other = self.features(&segments.exchanged(model.swap));
            (model.swap, model.score(&difference(&own, &other)) - model.limit)
        };
        self.swaps.iter().map(margin).collect()
    }

    /// The log odds from which an exchange is named.
    pub fn limit(&self, swap: Swap) -> Option<f64> {
        self.swaps.iter().find(|model| model.swap == swap).map(|model| model.limit)
    }

    pub(super) fn features(&self, segments: &Segments) -> FeatureSet {
        features(segments, &self.qrs, &self.st_t)
    }

    /// A line a table row: a name and its numbers. Lines that begin with `#` are for people.
    pub fn parse(text: &str) -> Option<Self> {
        let mut lines = text.lines().filter(|line| !line.starts_with('#'));
        let mut row = || -> Option<(&str, Vec<f64>)> {
            let mut words = lines.next()?.split_whitespace();
            let name = words.next()?;
            Some((name, words.map(|word| word.parse().ok()).collect::<Option<_>>()?))
        };
        let mut prediction = |name: &str| -> Option<Prediction> {
            let mut table = Prediction::default();
            for weights in &mut table {
                let (found, numbers) = row()?;
                *weights = (found == name).then(|| numbers.try_into().ok())??;
            }
            Some(table)
        };
        let (qrs, st_t) = (prediction("qrs")?, prediction("st_t")?);
        let mut swaps = Vec::with_capacity(Swap::MODELED.len());
        for swap in Swap::MODELED {
            let (name, numbers) = row()?;
            let (&limit, weights) = numbers.split_first()?;
            let weights = weights.try_into().ok()?;
            swaps.push((name == swap.name()).then_some(SwapModel { swap, limit, weights })?);
        }
        Some(Self { qrs, st_t, swaps })
    }

    pub fn to_text(&self) -> String {
        let mut text = String::from(
            "# Exchanged electrodes: fitted by `cargo run --release -p precordia-analysis --example reversal`.\n\
             # qrs, st_t: weights by which a lead follows from the seven others (I II V1 to V6 in order).\n\
             # An exchange: limit in log odds, then the weights of the differences of the features.\n",
        );
        let mut line = |name: &str, numbers: &[f64]| {
            text.push_str(name);
            for number in numbers {
                // Infallible: writing to a string.
                let _ = write!(text, " {number:.4}");
            }
            text.push('\n');
        };
        for (name, table) in [("qrs", &self.qrs), ("st_t", &self.st_t)] {
            for weights in table {
                line(name, weights);
            }
        }
        for model in &self.swaps {
            line(model.swap.name(), &[&[model.limit], &model.weights[..]].concat());
        }
        text
    }
}

impl SwapModel {
    pub fn score(&self, difference: &FeatureSet) -> f64 {
        self.weights.iter().zip(difference).map(|(w, d)| w * d).sum()
    }
}

/// Positive where the recording as it is fits worse.
pub(super) fn difference(own: &FeatureSet, other: &FeatureSet) -> FeatureSet {
    std::array::from_fn(|k| own[k] - other[k])
}

const _: () = assert!(FEATURE_COUNT > LEADS.len());

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_shipped_model_is_whole_and_is_written_as_it_is_read() {
        let model = Model::parse(SHIPPED).unwrap();
        assert_eq!(model.to_text(), SHIPPED);
        assert!(Model::parse(&SHIPPED.replace("V5-V6", "V6-V5")).is_none());
        assert!(Model::parse(&SHIPPED[..SHIPPED.len() / 2]).is_none());
    }
}
