//! How long a new execution environment takes to initialise: published percentiles of `Init Duration` (LAM-U-20).
//!
//! Origin: the daily result files of 2026-01-01 to 2026-08-22 of lambda-perf (github.com/maxday/lambda-perf, commit
//! 6070b794, licence Apache-2.0), in changed form: ten cold starts a day of a hello-world function for each
//! configuration, of which only percentiles are kept; here the rows of 1,024 MB, some 1,800 samples each. The functions
//! import nothing, so this is the floor of a runtime; what a function loads for itself is added as a constant. Placement
//! of the environment is not part of `Init Duration` and is drawn apart. python3.14, nodejs24.x and java25, for which
//! LAM-U-20 offers a log-normal fit to one day, are in the table as measured over the whole span.

use crate::blueprint::{Architecture, ColdStart, Package};
use crate::engine::distribution::{Distribution, DistributionError};

/// The fractions at which the table gives values.
const FRACTIONS: [f64; POINTS] = [
    0.0, 0.01, 0.05, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95, 0.99, 0.995, 0.999, 1.0,
];
const POINTS: usize = 13;
/// Nanoseconds in the table's unit, ten microseconds.
const UNIT: f64 = 10_000.0;

/// Other names of a row: a runtime identifier of CloudFormation, and the row that stands for it.
const ALIASES: [(&str, &str); 1] = [("provided.al2023", "go")];

/// The distribution of `Init Duration`, in nanoseconds (LAM-U-20).
///
/// Fails for a runtime that was not measured (the message lists those that were), and for wrong parameters of the
/// user's own distribution.
#[allow(clippy::float_arithmetic, reason = "compiles a parameter at load")]
pub fn init_duration(cold_start: &ColdStart) -> Result<Distribution, DistributionError> {
    match cold_start {
        ColdStart::Own(distribution) => distribution.compile().map(|_| distribution.clone()),
        ColdStart::Published {
            runtime,
            architecture,
            package,
            extra,
        } => {
            let row = row(runtime, *architecture, *package)?;
            #[expect(clippy::as_conversions, reason = "a parameter on its way into a distribution")]
            let extra = extra.as_nanos() as f64;
            let points = FRACTIONS.into_iter().zip(row);
            Ok(Distribution::Percentiles(
                points
                    .map(|(fraction, &init)| (fraction, f64::from(init) * UNIT + extra))
                    .collect(),
            ))
        }
    }
}

/// The runtimes that have published percentiles, as CloudFormation spells them; `go` and `rust` stand for the two
/// measured uses of `provided.al2023`, which by itself means `go`.
pub fn known_runtimes() -> impl Iterator<Item = &'static str> {
    let aliases = ALIASES.iter().map(|&(name, _)| name);
    INIT_DURATIONS.iter().map(|&(name, _)| name).chain(aliases)
}

fn row(
    runtime: &str,
    architecture: Architecture,
    package: Package,
) -> Result<&'static [u32; POINTS], DistributionError> {
    let name = ALIASES
        .iter()
        .find(|&&(alias, _)| alias == runtime)
        .map_or(runtime, |&(_, name)| name);
    let Some((_, rows)) = INIT_DURATIONS.iter().find(|&&(known, _)| known == name) else {
        let known: Vec<&str> = known_runtimes().collect();
        return Err(DistributionError(format!(
            "no cold starts are published for the runtime `{runtime}`; use one of {}, or a distribution of your own",
            known.join(", ")
        )));
    };
    let [x86_zip, x86_image, arm_zip, arm_image] = rows;
    Ok(match (architecture, package) {
        (Architecture::X86, Package::Zip) => x86_zip,
        (Architecture::X86, Package::Image) => x86_image,
        (Architecture::Arm64, Package::Zip) => arm_zip,
        (Architecture::Arm64, Package::Image) => arm_image,
    })
}

/// For each runtime the values at [`FRACTIONS`] in units of ten microseconds: x86_64 as zip and as image, arm64 as zip
/// and as image. `go` and `rust` were measured on provided.al2023, provided.al2 with a Go function.
#[rustfmt::skip]
static INIT_DURATIONS: [(&str, [[u32; POINTS]; 4]); 22] = [
    ("dotnet8", [
        [18188, 19808, 21784, 22942, 24252, 25581, 27505, 31035, 34863, 61717, 64714, 71455, 73072],
        [22831, 28719, 31470, 32758, 35494, 39698, 46892, 65052, 71572, 83533, 87700, 93084, 104_596],
        [16965, 20612, 22102, 22911, 24735, 28135, 31150, 34275, 38727, 66352, 69477, 76361, 77797],
        [25340, 28360, 30315, 31451, 34488, 40559, 46237, 59789, 68750, 81364, 86020, 88759, 92187],
    ]),
    ("dotnet10", [
        [18577, 20375, 22829, 23542, 25011, 27535, 32850, 48177, 61652, 71979, 75638, 90239, 92284],
        [24447, 29234, 32814, 34007, 37066, 41251, 48432, 70887, 77287, 86996, 94008, 104_698, 111_846],
        [13778, 18139, 19646, 20595, 23870, 25939, 32075, 59195, 61995, 66618, 68330, 73357, 73693],
        [20054, 24177, 26836, 28117, 32107, 36778, 41753, 57732, 70161, 83719, 84988, 87083, 90837],
    ]),
    ("go", [
        [3854, 4045, 4230, 4452, 4960, 5082, 5243, 5579, 6062, 7203, 7576, 9183, 12562],
        [2437, 3094, 3488, 3663, 4022, 4638, 5922, 8030, 9407, 12604, 13662, 20292, 29039],
        [2894, 3521, 3614, 3656, 3746, 4203, 4444, 4560, 4652, 5318, 5460, 8251, 10238],
        [2385, 2585, 2755, 2871, 3164, 3826, 4322, 5365, 6456, 9486, 10470, 16498, 28938],
    ]),
    ("java8.al2", [
        [17209, 19379, 20932, 22140, 23628, 24813, 26393, 28985, 32792, 51282, 53205, 58685, 62028],
        [21037, 24565, 27371, 29011, 31096, 33581, 38844, 60120, 64938, 74527, 77565, 91280, 102_536],
        [15169, 17742, 18504, 18912, 19934, 24522, 27004, 43719, 48259, 50829, 51284, 52945, 60260],
        [18452, 21778, 22787, 23502, 24784, 30606, 32952, 40272, 49497, 60589, 62815, 71461, 73770],
    ]),
    ("java11", [
        [20125, 22103, 23619, 25717, 27126, 28118, 29454, 31818, 35746, 55144, 57608, 61035, 73240],
        [23320, 26728, 29881, 31442, 33992, 37617, 43945, 60191, 69517, 80608, 84152, 90976, 110_669],
        [16613, 20641, 21527, 21862, 22694, 27860, 29448, 33731, 49679, 55676, 56344, 57560, 69532],
        [19184, 23917, 24986, 25657, 27486, 33214, 36781, 52560, 62922, 73842, 75564, 78008, 578_286],
    ]),
    ("java17", [
        [15142, 16722, 17967, 19228, 20181, 21054, 22360, 24289, 26085, 34041, 42185, 60983, 62269],
        [18486, 22874, 24924, 26048, 27901, 30796, 35739, 44289, 54601, 70631, 72083, 86868, 96655],
        [12105, 15442, 16247, 16636, 17428, 20984, 22565, 23579, 24485, 29643, 47696, 54703, 55432],
        [13678, 19425, 20587, 21362, 23425, 28575, 33423, 44484, 54423, 65219, 67580, 74296, 79225],
    ]),
    ("java21", [
        [17296, 19753, 21274, 22544, 23888, 25232, 26871, 29036, 31318, 44307, 60333, 65907, 74632],
        [19836, 24512, 26924, 28411, 30667, 34375, 40476, 52085, 69159, 80731, 84451, 93280, 100_053],
        [13412, 17823, 18712, 19281, 20382, 23768, 25902, 27816, 29191, 35733, 55892, 59986, 60676],
        [18402, 20968, 22176, 22908, 24425, 30249, 33663, 44313, 61815, 74993, 77050, 79121, 81727],
    ]),
    ("java25", [
        [13268, 15454, 17181, 17961, 19017, 21351, 24569, 41849, 45604, 53775, 55915, 61946, 66428],
        [15935, 18024, 20034, 21119, 22656, 24836, 29649, 50105, 56251, 63643, 67289, 71877, 88389],
        [10497, 13434, 14333, 14937, 16517, 19830, 22066, 27312, 41425, 44638, 48392, 52092, 56330],
        [13199, 15308, 16490, 17188, 18718, 23672, 27172, 38982, 45502, 53546, 56301, 58343, 60033],
    ]),
    ("nodejs20.x", [
        [10324, 11025, 11989, 12914, 13719, 14419, 15434, 16883, 17979, 20583, 21801, 24795, 26604],
        [15387, 19217, 21283, 22407, 24473, 27582, 34828, 51575, 64236, 75925, 78381, 86630, 91458],
        [8330, 10136, 10568, 10856, 11339, 12896, 13845, 14464, 14879, 17817, 19086, 22360, 27876],
        [12851, 16269, 17138, 17611, 18831, 22635, 24571, 32346, 53111, 67730, 69110, 71840, 73059],
    ]),
    ("nodejs22.x", [
        [10041, 10839, 11830, 12643, 13466, 14231, 15359, 17058, 18634, 21730, 22897, 26165, 28123],
        [16665, 19577, 21913, 23096, 25502, 29448, 37495, 57199, 69322, 80167, 84490, 91430, 101_762],
        [7407, 9731, 10194, 10434, 10825, 12590, 13463, 13952, 14468, 17231, 18713, 21410, 50955],
        [14805, 16106, 17017, 17655, 19041, 23444, 27864, 45805, 67608, 73605, 75421, 79956, 83992],
    ]),
    ("nodejs24.x", [
        [9967, 10754, 11660, 12433, 13325, 14258, 15352, 17052, 18302, 20761, 21940, 27933, 54603],
        [16273, 19306, 21655, 22731, 24928, 27922, 36342, 57679, 70130, 82367, 85100, 91958, 100_523],
        [7780, 9376, 10064, 10479, 11180, 12455, 13573, 14433, 15081, 18737, 20788, 48407, 50124],
        [11586, 15448, 16794, 17543, 19257, 22821, 26853, 52897, 67734, 74044, 74930, 78705, 86440],
    ]),
    ("provided.al2", [
        [3711, 3876, 4089, 4373, 4854, 4987, 5170, 5553, 6200, 7650, 7951, 9198, 11048],
        [2420, 3132, 3469, 3648, 3951, 4403, 5451, 7297, 8570, 11487, 12745, 17397, 28609],
        [2918, 3306, 3378, 3429, 3524, 3923, 4267, 4406, 4477, 4768, 5105, 6622, 12239],
        [2108, 2597, 2831, 2942, 3194, 3826, 4257, 5364, 6415, 9642, 11052, 26997, 41876],
    ]),
    ("python3.9", [
        [5785, 6159, 6785, 7142, 7563, 8050, 8805, 9984, 10724, 12893, 13948, 16383, 17530],
        [8154, 10138, 11338, 11999, 13113, 14836, 17629, 25040, 28695, 35108, 37180, 41912, 43324],
        [4419, 5548, 5819, 5971, 6305, 7357, 7973, 8887, 10121, 13840, 18388, 20588, 21636],
        [6164, 8234, 8932, 9275, 10214, 12195, 14819, 22742, 26180, 29708, 32319, 35403, 43351],
    ]),
    ("python3.10", [
        [5638, 6154, 6781, 7177, 7606, 8050, 8699, 9762, 10604, 12727, 13418, 15773, 18603],
        [8136, 10425, 11518, 12089, 13044, 14819, 17602, 23313, 27035, 33569, 35919, 43567, 44092],
        [4334, 5577, 5838, 6001, 6300, 7362, 7860, 8508, 9905, 15078, 18243, 20838, 23703],
        [7019, 8425, 9053, 9423, 10616, 12317, 14347, 21217, 24235, 29783, 31741, 37926, 38562],
    ]),
    ("python3.11", [
        [5749, 6314, 6868, 7246, 7749, 8256, 8948, 9927, 10944, 14075, 14582, 18674, 20053],
        [8577, 10410, 11563, 12184, 13190, 14949, 17742, 23704, 28034, 34299, 37551, 38930, 40177],
        [4252, 5507, 5772, 5931, 6256, 7261, 7809, 8259, 8871, 12193, 13795, 19065, 20892],
        [6348, 8426, 9141, 9420, 10206, 12056, 13605, 18883, 24680, 29786, 32590, 38866, 54735],
    ]),
    ("python3.12", [
        [5909, 6663, 7429, 7897, 8394, 8866, 9681, 10764, 11684, 13839, 15853, 20873, 28001],
        [8853, 11050, 11879, 12560, 13528, 15225, 17768, 22110, 27970, 35866, 37347, 45733, 49614],
        [4406, 6225, 6483, 6622, 6948, 8073, 8612, 9134, 9934, 14030, 18448, 21394, 22039],
        [6709, 9076, 9699, 9988, 10834, 12771, 14300, 17811, 25897, 33527, 36259, 38091, 39003],
    ]),
    ("python3.13", [
        [6363, 6939, 7916, 8162, 9038, 10000, 10944, 12404, 13580, 17547, 20537, 25225, 28148],
        [9402, 10970, 12492, 13313, 15031, 17147, 21100, 30469, 34954, 41144, 43647, 50893, 60190],
        [4342, 6181, 6576, 7335, 7776, 8269, 9626, 10142, 10758, 15327, 17302, 22388, 24265],
        [7752, 9093, 10316, 10946, 11903, 13684, 16042, 24344, 30498, 35523, 37272, 40275, 40890],
    ]),
    ("python3.14", [
        [7861, 8708, 9910, 10217, 11092, 12077, 13633, 16067, 18345, 28074, 29051, 31397, 33645],
        [11246, 13389, 14694, 15439, 17048, 19351, 23659, 36134, 40773, 47207, 49008, 51246, 60457],
        [5983, 7729, 8297, 8768, 9329, 10472, 11642, 12497, 13525, 23582, 25250, 27139, 27763],
        [8251, 11012, 12177, 12732, 13745, 16107, 18733, 31224, 35918, 39038, 40446, 43702, 46969],
    ]),
    ("ruby3.2", [
        [14937, 16845, 18819, 19823, 20844, 22613, 25785, 36226, 39667, 47426, 49251, 57674, 69217],
        [17749, 19836, 22350, 23676, 25138, 27317, 30990, 39148, 43011, 49344, 52725, 65049, 67880],
        [13745, 18576, 19622, 20177, 21557, 26500, 30693, 40760, 42052, 47535, 48435, 51294, 54551],
        [15325, 20892, 22097, 22700, 24010, 29448, 31721, 34379, 39690, 46028, 48925, 100_147, 244_491],
    ]),
    ("ruby3.3", [
        [14280, 16994, 19293, 20297, 21700, 23623, 26389, 37090, 40520, 47776, 51864, 63242, 69014],
        [17080, 20340, 22448, 23900, 25673, 27823, 31684, 39663, 43257, 49773, 53668, 71708, 84388],
        [13832, 17729, 18524, 18990, 19943, 24335, 26517, 28708, 32089, 41691, 42659, 48955, 56537],
        [14197, 20077, 21207, 21726, 22812, 28427, 30382, 33378, 38794, 44486, 47802, 119_198, 146_681],
    ]),
    ("ruby3.4", [
        [14439, 16593, 18391, 19385, 20593, 22889, 26213, 38351, 40938, 46352, 50438, 56625, 65654],
        [18175, 19584, 21727, 22926, 24744, 26925, 30518, 37901, 41582, 48724, 52079, 61164, 68049],
        [11686, 16836, 17943, 18368, 19359, 23248, 25438, 35282, 40317, 42194, 43167, 47414, 47694],
        [15905, 19597, 20596, 21177, 22214, 27358, 29288, 33774, 37621, 43782, 47186, 48920, 50210],
    ]),
    ("rust", [
        [1180, 1315, 1418, 1496, 1567, 1640, 1754, 2180, 2673, 4708, 5122, 5950, 7275],
        [1832, 2293, 2546, 2670, 2934, 3402, 4110, 5425, 6444, 9215, 10714, 14505, 19127],
        [939, 1121, 1169, 1194, 1246, 1352, 1449, 1525, 1841, 4157, 4332, 4475, 7930],
        [1802, 1918, 2014, 2099, 2358, 2820, 3162, 3677, 4333, 8414, 10192, 23570, 31725],
    ]),
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::random::RandomStreams;
    use crate::engine::time::SimDuration;

    fn published(runtime: &str, architecture: Architecture, package: Package) -> ColdStart {
        ColdStart::Published {
            runtime: runtime.to_owned(),
            architecture,
            package,
            extra: SimDuration::ZERO,
        }
    }

    #[test]
    fn lam_u_20_the_init_duration_of_a_runtime_has_the_published_percentiles() {
        use Architecture::{Arm64, X86};
        use Package::{Image, Zip};
        for (runtime, architecture, package, milliseconds) in [
            ("python3.13", X86, Zip, [100, 124, 175, 252]),
            ("python3.13", X86, Image, [171, 305, 411, 509]),
            ("nodejs22.x", X86, Zip, [142, 171, 217, 262]),
            ("java21", X86, Image, [344, 521, 807, 933]),
            ("dotnet8", X86, Zip, [256, 310, 617, 715]),
            ("ruby3.4", X86, Zip, [229, 384, 464, 566]),
            ("go", X86, Zip, [51, 56, 72, 92]),
            ("rust", X86, Zip, [16, 22, 47, 60]),
            ("provided.al2023", X86, Zip, [51, 56, 72, 92]),
            ("nodejs22.x", Arm64, Zip, [126, 140, 172, 214]),
        ] {
            let sampler = init_duration(&published(runtime, architecture, package))
                .expect("published")
                .compile()
                .expect("percentiles rise");
            for (fraction, milliseconds) in [0.5, 0.9, 0.99, 0.999].into_iter().zip(milliseconds) {
                let found = sampler.quantile(fraction);
                let off = found.abs_diff(milliseconds * 1_000_000);
                assert!(
                    off <= 500_100,
                    "{runtime} {architecture:?} {package:?} at {fraction}: {found}"
                );
            }
        }
    }

    #[test]
    fn lam_u_20_a_hundred_thousand_cold_starts_of_every_configuration_agree_with_the_table() {
        const DRAWS: u32 = 100_000;
        let mut streams = RandomStreams::new(20, 0);
        for (runtime, rows) in &INIT_DURATIONS {
            for (number, row) in rows.iter().enumerate() {
                let architecture = [Architecture::X86, Architecture::Arm64][number / 2];
                let package = [Package::Zip, Package::Image][number % 2];
                let distribution = init_duration(&published(runtime, architecture, package)).expect("published");
                let sampler = distribution.compile().expect("percentiles rise");
                let mut stream = streams
                    .stream(&format!("function.{runtime}/{number}"))
                    .expect("one each");
                let mut draws: Vec<u64> = (0..DRAWS).map(|_| sampler.draw(&mut stream)).collect();
                draws.sort_unstable();
                // Kolmogorov-Smirnov at the points of the table, between which both sides are straight.
                let mut distance = 0.0_f64;
                for (fraction, &init) in FRACTIONS.into_iter().zip(row) {
                    let value = u64::from(init) * 10_000;
                    let below = draws.partition_point(|&draw| draw <= value);
                    let below = f64::from(u32::try_from(below).expect("at most 100,000")) / f64::from(DRAWS);
                    distance = distance.max((below - fraction).abs());
                }
                let bound = 1.628 / f64::from(DRAWS).sqrt(); // the 1 % level
                assert!(distance < bound, "{runtime} {number}: distance {distance}");
            }
        }
    }

    #[test]
    fn lam_r_18_container_images_of_managed_runtimes_start_slower_than_zip_files() {
        let median = |runtime, package| {
            let found = init_duration(&published(runtime, Architecture::X86, package)).expect("published");
            found.compile().expect("percentiles rise").quantile(0.5)
        };
        for runtime in ["python3.14", "nodejs24.x", "java21", "dotnet10"] {
            let (zip, image) = (median(runtime, Package::Zip), median(runtime, Package::Image));
            assert!(image * 10 > zip * 12, "{runtime}: {zip} and {image} ns");
        }
    }

    #[test]
    fn dependencies_add_a_constant_to_the_init_duration() {
        let bare = published("python3.13", Architecture::X86, Package::Zip);
        let loaded = ColdStart::Published {
            runtime: "python3.13".to_owned(),
            architecture: Architecture::X86,
            package: Package::Zip,
            extra: SimDuration::from_millis(700),
        };
        let mean = |cold_start| init_duration(cold_start).expect("published").mean();
        assert!((mean(&loaded) - mean(&bare) - 700e6).abs() < 1.0);
    }

    #[test]
    fn an_unknown_runtime_is_told_which_are_known() {
        let error =
            init_duration(&published("python2.7", Architecture::X86, Package::Zip)).expect_err("never measured");
        assert!(
            error
                .0
                .starts_with("no cold starts are published for the runtime `python2.7`; use one of dotnet8, "),
            "{error}"
        );
        assert!(
            error.0.contains("python3.14") && error.0.contains("provided.al2023"),
            "{error}"
        );
    }

    #[test]
    fn a_distribution_of_the_user_passes_if_it_is_valid() {
        assert!(init_duration(&ColdStart::Own(Distribution::Constant(3e8))).is_ok());
        assert!(init_duration(&ColdStart::Own(Distribution::Constant(-1.0))).is_err());
    }

    #[test]
    fn every_row_rises() {
        for (runtime, rows) in &INIT_DURATIONS {
            for row in rows {
                assert!(row.is_sorted(), "{runtime}");
            }
        }
    }
}
