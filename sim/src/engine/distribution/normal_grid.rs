//! Normal quantiles at the places where a table reads them, computed once for all log-normal tables of a run.

use super::special::normal_quantile;
use super::table::{CELL_BITS, DEPTH, END, level_at};
use crate::engine::index::to_usize;

/// Places of an octave: where each cell begins, and the middle of each.
const PLACES: u32 = 2 << CELL_BITS;

/// Standard normal values at the places of the lower half. Those of the upper half mirror them.
#[derive(Clone, Debug)]
pub(in super::super) struct NormalGrid {
    /// By octave and place.
    values: Vec<f64>,
}

impl NormalGrid {
    pub(in super::super) fn new() -> Self {
        let places = (0..=DEPTH).flat_map(|octave| (0..PLACES).map(move |place| position(octave, place)));
        Self {
            values: places.map(|position| normal_quantile(level_at(position))).collect(),
        }
    }
    /// The standard normal value at a position, known or not.
    pub(super) fn quantile(&self, position: u128) -> f64 {
        let below = position.min(END - position);
        let Some(index) = place_of(below) else {
            return normal_quantile(level_at(position));
        };
        let value = self.values[index];
        if position > below { -value } else { value }
    }
}

/// Between two neighbouring places of an octave. The last octave is as wide as the one before it and begins at zero.
fn step(octave: u32) -> u128 {
    1 << (61 - octave.min(DEPTH - 1) - CELL_BITS)
}
fn position(octave: u32, place: u32) -> u128 {
    let begin = if octave == DEPTH { 0 } else { u128::from(PLACES) };
    (begin + u128::from(place)) * step(octave)
}
/// The index of a position of the lower half, if it is one of the places.
fn place_of(position: u128) -> Option<usize> {
    // The first octave ends in the middle, at 2^63.
    let octave = (position.leading_zeros().checked_sub(65)?).min(DEPTH);
    let place = u32::try_from(position / step(octave)).ok()? % PLACES;
    let is_place = position.is_multiple_of(step(octave));
    is_place.then(|| to_usize(octave * PLACES + place))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Bit by bit what is computed for each position by itself: places of both halves, their neighbours, and the ends.
    #[test]
    fn every_position_has_its_own_quantile() {
        let grid = NormalGrid::new();
        for octave in 0..=DEPTH {
            for place in [0, 1, 2, 63, 64, PLACES - 1] {
                let place = position(octave, place);
                for position in [place, place + 1, END - place, (END - place).saturating_sub(1)] {
                    let own = normal_quantile(level_at(position));
                    assert_eq!(grid.quantile(position).to_bits(), own.to_bits(), "{octave} {position}");
                }
            }
        }
        let middle = END / 2;
        assert_eq!(
            grid.quantile(middle).to_bits(),
            normal_quantile(level_at(middle)).to_bits()
        );
        assert_eq!(
            place_of(position(7, 9)),
            Some(to_usize(7 * PLACES + 9)),
            "places are known"
        );
    }
}
