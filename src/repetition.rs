//! The command line that repeats a run.

use crate::cli::{LoadArgs, ProfileChoice};
use crate::scenario_file::ScenarioFile;

/// What to type, from the same folder, to get the same run: everything that decides its course, in a shell's words.
pub(crate) fn command_line(file: &ScenarioFile, args: &LoadArgs) -> String {
    let blueprint = &file.scenario.blueprint;
    let mut words = vec![
        "shardlab".to_owned(),
        "run".to_owned(),
        file.path.clone(),
        "--seed".to_owned(),
        blueprint.seed.to_string(),
    ];
    if blueprint.replication != 0 {
        words.extend(["--replication".to_owned(), blueprint.replication.to_string()]);
    }
    if let Some(profile) = args.profile {
        let name = match profile {
            ProfileChoice::Exam => "exam",
            ProfileChoice::Current => "current",
        };
        words.extend(["--profile".to_owned(), name.to_owned()]);
    }
    for (path, value) in &args.set {
        words.extend(["--set".to_owned(), format!("{path}={value}")]);
    }
    words.iter().map(|word| quoted(word)).collect::<Vec<_>>().join(" ")
}

/// A word that a shell takes as it is.
fn quoted(word: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "-_./=:@%+,".contains(c);
    if !word.is_empty() && word.chars().all(is_plain) {
        word.to_owned()
    } else {
        format!("'{}'", word.replace('\'', "'\\''"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_survive_a_shell() {
        assert_eq!(quoted("scenarios/a.toml"), "scenarios/a.toml");
        assert_eq!(
            quoted("producer.web.arrivals={ poisson = \"4/s\" }"),
            "'producer.web.arrivals={ poisson = \"4/s\" }'"
        );
        assert_eq!(quoted("it's"), "'it'\\''s'");
        assert_eq!(quoted(""), "''");
    }
}
