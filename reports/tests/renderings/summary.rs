//! The account as text.

use crate::example::hot_shard;
use reports::account::Ending;
use reports::summary::{Layout, render};
use sim::engine::time::SimDuration;

#[test]
fn a_run_is_told_as_a_colleague_would() {
    insta::assert_snapshot!(render(&hot_shard(), Layout::default()));
}

#[test]
fn a_narrow_terminal_gets_narrow_paragraphs() {
    let layout = Layout {
        width: 60,
        colour: false,
    };
    let text = render(&hot_shard(), layout);
    let is_table =
        |line: &&str| line.contains("p99") || line.contains(" %  ") || line.trim_start().starts_with("since");
    let other: Vec<&str> = text
        .lines()
        .filter(|line| line.chars().count() > 60 && !is_table(line))
        .collect();
    assert!(other.is_empty(), "{other:#?}");
}

#[test]
fn colour_is_decoration_only() {
    let painted = render(
        &hot_shard(),
        Layout {
            colour: true,
            ..Layout::default()
        },
    );
    assert!(painted.contains('\u{1b}'));
    let mut bare = String::new();
    let mut rest = painted.as_str();
    while let Some(start) = rest.find('\u{1b}') {
        bare.push_str(&rest[..start]);
        let end = rest[start..]
            .find('m')
            .expect("an escape sequence for colour ends in m");
        rest = &rest[start + end + 1..];
    }
    bare.push_str(rest);
    assert_eq!(bare, render(&hot_shard(), Layout::default()));
}

#[test]
fn an_interrupted_run_says_so_first() {
    let mut account = hot_shard();
    account.run.ending = Ending::Interrupted;
    account.run.simulated = SimDuration::from_secs(61);
    let text = render(&account, Layout::default());
    let opening: Vec<&str> = text.lines().skip(2).take(3).collect();
    assert_eq!(
        opening,
        [
            "",
            "  stopped    It was interrupted after 1 min 01 s of 10 min. All figures cover",
            "             the time until then."
        ]
    );
}

#[test]
fn control_characters_of_a_scenario_do_not_reach_the_terminal() {
    let mut account = hot_shard();
    account.subject.title = "a\u{1b}[2Jb".to_owned();
    assert!(render(&account, Layout::default()).starts_with("a [2Jb\n"));
}
