//! Stand-in.
#![expect(clippy::as_conversions, missing_docs, clippy::missing_const_for_fn, unreachable_pub)]
#[derive(Clone, Debug)]
pub struct UnitExponential;
impl UnitExponential {
    pub fn new() -> Self {
        Self
    }
    #[inline]
    pub fn value(&self, word: u32) -> u64 {
        (neg_ln((word as f64 + 0.5) / 4_294_967_296.0) * 4_294_967_296.0) as u64
    }
}
fn neg_ln(u: f64) -> f64 {
    let bits = u.to_bits();
    let exponent = ((bits >> 32) as u32).wrapping_sub(0x3FE6_A09E) as i32 >> 20;
    let m = f64::from_bits(bits.wrapping_sub(u64::from(exponent as u32) << 52));
    let z = (m - 1.0) / (m + 1.0);
    let w = z * z;
    let tail = w * (1.0 / 9.0 + w * (1.0 / 11.0 + w * (1.0 / 13.0 + w * (1.0 / 15.0))));
    let series = 1.0 + w * (1.0 / 3.0 + w * (1.0 / 5.0 + w * (1.0 / 7.0 + tail)));
    -(exponent as f64 * core::f64::consts::LN_2 + 2.0 * z * series)
}
#[derive(Clone, Debug)]
pub struct AliasTable {
    entries: std::sync::Arc<[(u32, u32)]>,
}
impl AliasTable {
    pub fn new(weights: &[f64]) -> Self {
        let n = weights.len();
        let sum: f64 = weights.iter().sum();
        let mut q: Vec<f64> = weights.iter().map(|w| w / sum * n as f64).collect();
        let (mut small, mut large): (Vec<usize>, Vec<usize>) = (0..n).partition(|&i| q[i] < 1.0);
        let mut entries: Vec<(u32, u32)> = (0..n).map(|i| (u32::MAX, i as u32)).collect();
        while let (Some(a), Some(&b)) = (small.pop(), large.last()) {
            entries[a] = (((q[a] * 4_294_967_296.0) as u64).min(u64::from(u32::MAX)) as u32, b as u32);
            q[b] -= 1.0 - q[a];
            if q[b] < 1.0 {
                small.extend(large.pop());
            }
        }
        Self { entries: entries.into() }
    }
    #[inline]
    pub fn index(&self, word: u32) -> u32 {
        let product = u64::from(word) * self.entries.len() as u64;
        let at = (product >> 32) as usize;
        let (threshold, other) = self.entries[at];
        if (product as u32) < threshold { at as u32 } else { other }
    }
}
