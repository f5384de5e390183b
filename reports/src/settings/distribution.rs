//! Distributions and shares in words.

use sim::engine::distribution::Distribution;
use sim::engine::time::SimDuration;

pub(super) fn spelled_time(distribution: &Distribution) -> String {
    spelled(distribution, &|nanos| SimDuration::from_nanos(nanos as u64).to_string())
}

/// A distribution in words; `unit` spells a value.
pub(super) fn spelled(distribution: &Distribution, unit: &dyn Fn(f64) -> String) -> String {
    match distribution {
        Distribution::Constant(value) => unit(*value),
        Distribution::Uniform { low, high } => format!("{} to {}", unit(*low), unit(*high)),
        Distribution::Exponential { mean } => format!("exponential with mean {}", unit(*mean)),
        Distribution::LogNormal { median, sigma } => {
            format!(
                "lognormal with median {} and sigma {}",
                unit(*median),
                (sigma * 1_000.0).round() / 1_000.0
            )
        }
        Distribution::Gamma { shape, mean } => format!("gamma with mean {} and shape {shape}", unit(*mean)),
        Distribution::Pareto { scale, shape } => format!("Pareto from {} with shape {shape}", unit(*scale)),
        Distribution::Percentiles(points) => {
            let middle = points.iter().find(|(fraction, _)| *fraction >= 0.5).or(points.last());
            middle.map_or_else(
                || "given percentiles".to_owned(),
                |(_, value)| format!("given percentiles around {}", unit(*value)),
            )
        }
        Distribution::Mixture(parts) => {
            let parts: Vec<String> = parts.iter().map(|(_, part)| spelled(part, unit)).collect();
            format!("one of {}", parts.join(" | "))
        }
    }
}

pub(super) fn percent(share: f64) -> f64 {
    (share * 10_000.0).round() / 100.0
}
