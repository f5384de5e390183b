//! The account as a page.

use crate::course::course;
use crate::example::hot_shard;
use reports::account::{Account, Ending, ShardAccount};
use reports::chart::{Figure, figures};
use reports::html::render;
use sim::engine::time::SimDuration;
use std::time::Instant;

fn page(account: &Account) -> String {
    render(account, &figures(account))
}

/// The headings and titles of a page, indented by their level.
fn outline(page: &str) -> String {
    let mut outline = String::new();
    for part in page.split("<h").skip(1) {
        let Some(level) = part.chars().next().and_then(|c| c.to_digit(10)) else {
            continue;
        };
        let text = part.split_once('>').map_or("", |(_, text)| text);
        let text = text.split("</h").next().unwrap_or_default();
        let indent = "  ".repeat(level as usize - 1);
        outline.push_str(indent.as_ref());
        outline.push_str(&without_tags(text));
        outline.push('\n');
    }
    outline
}

fn without_tags(html: &str) -> String {
    let mut text = String::new();
    let mut is_tag = false;
    for c in html.chars() {
        match c {
            '<' => is_tag = true,
            '>' => is_tag = false,
            '\u{a0}' => text.push(' '),
            c if !is_tag => text.push(c),
            _ => {}
        }
    }
    text
}

#[test]
fn a_page_tells_its_story_from_the_verdict_to_the_command() {
    insta::assert_snapshot!(outline(&page(&hot_shard())));
}

#[test]
fn the_first_screen_carries_the_verdict_and_the_figures_that_matter() {
    let page = page(&hot_shard());
    let first = page.split("<h2").next().expect("there is a first section");
    let first = without_tags(first.split("<body>").nth(1).expect("there is a body"));
    for part in [
        "One hot key fills one shard",
        "Why are writes refused?",
        "violated",
        "order per key at sink.orders: it is violated",
        "of 1,440,321 created",
        "99 % within 3.05 s",
        "84,510",
        "412",
        "function.enrich",
    ] {
        assert!(first.contains(part), "{part}: {first}");
    }
}

#[test]
fn a_page_needs_no_network_and_no_script() {
    let page = page(&hot_shard());
    for word in ["http:", "https:", "<script", "@import", "src=", "url("] {
        assert!(!page.contains(word), "{word}");
    }
    // The one link is the icon, which is empty.
    assert_eq!(page.matches("<link").count(), 1);
    assert!(page.contains("href=\"data:,\""));
}

#[test]
fn a_page_and_its_charts_are_the_same_bytes_every_time() {
    let account = hot_shard();
    assert_eq!(page(&account), page(&account.clone()));
    let drawn = |account: &Account| -> Vec<String> { figures(account).iter().map(reports::chart::svg).collect() };
    assert_eq!(drawn(&account), drawn(&account));
}

#[test]
fn names_of_a_scenario_are_text_and_nothing_else() {
    const HOSTILE: &str = "<script>alert('x')</script>\"&\u{1b}[2J`";
    let mut account = hot_shard();
    let hostile = || HOSTILE.to_owned();
    account.subject.title = hostile();
    account.subject.question = Some(hostile());
    account.subject.name = hostile();
    account.run.command = hostile();
    account.changes[0].what = hostile();
    account.producers[0].name = hostile();
    account.course.functions[0].name = hostile();
    account.course.streams[0].name = hostile();
    account.functions[0].name = hostile();
    account.latency[0].function = hostile();
    account.judgements[0].statement = hostile();
    account.notes[0] = hostile();
    account.assumptions[0].value = hostile();
    account.components[0].settings = hostile();
    if let Some(witness) = &mut account.checks[0].witness {
        witness.key = hostile();
    }
    account.checks[0].evidence[0] = hostile();
    let files: Vec<String> = figures(&account).iter().map(reports::chart::svg).collect();
    for text in files.iter().chain([&page(&account)]) {
        assert!(!text.contains("<script"), "{text}");
        assert!(!text.contains('\u{1b}'));
        assert!(!text.contains("\"&\""), "an ampersand is escaped");
    }
    assert!(page(&account).contains("&lt;script&gt;"));
}

#[test]
fn titles_say_what_is_seen_and_axes_carry_units() {
    let drawn = figures(&hot_shard());
    let titles: Vec<String> = drawn
        .iter()
        .map(|figure| format!("{}: {}", figure.name, figure.title))
        .collect();
    insta::assert_snapshot!(titles.join("\n"));
    for Figure { name, panels, .. } in &drawn {
        for panel in panels {
            assert!(
                panel.x.label.contains(", ") || panel.x.label.contains("number"),
                "{name}: {}",
                panel.x.label
            );
            assert!(!panel.y.label.is_empty() || panel.y.has_rows, "{name}");
            assert!(panel.x.ticks.len() > 1 && !panel.y.ticks.is_empty(), "{name}");
        }
    }
}

#[test]
fn colours_follow_the_reader_in_the_page_and_are_fixed_in_files() {
    let account = hot_shard();
    let page = page(&account);
    assert!(page.contains("prefers-color-scheme:dark"));
    assert!(page.contains("stroke=\"var(--done)\""));
    for figure in figures(&account) {
        let file = reports::chart::svg(&figure);
        assert!(!file.contains("var(--"), "{}", figure.name);
        assert!(!file.contains("#0102"), "{}: a sentinel is left", figure.name);
    }
    assert!(!page.contains("#0102"));
}

#[test]
fn an_hour_with_100_shards_stays_below_a_megabyte_and_takes_less_than_a_second() {
    let mut account = hot_shard();
    account.run.planned = SimDuration::from_hours(1);
    account.run.simulated = SimDuration::from_hours(1);
    account.course = course(100, 360, SimDuration::from_secs(10));
    let shard = account.streams[0].shards[0].clone();
    account.streams[0].shards = (0..100)
        .map(|number| ShardAccount {
            id: format!("shardId-{number:012}"),
            ..shard.clone()
        })
        .collect();
    let began = Instant::now();
    let figures = figures(&account);
    let page = render(&account, &figures);
    let files: usize = figures.iter().map(|figure| reports::chart::svg(figure).len()).sum();
    let took = began.elapsed();
    assert!(page.len() < 500_000, "{} bytes", page.len());
    assert!(files < 500_000, "{files} bytes");
    // Unoptimised, on a busy machine; a release build takes a few milliseconds.
    assert!(took.as_millis() < 1_000, "{took:?}");
}

#[test]
fn a_run_that_nobody_followed_has_a_page_without_charts() {
    let mut account = hot_shard();
    account.course = reports::course::Course::default();
    account.latency[0].causes.clear();
    let figures = figures(&account);
    assert!(
        figures.is_empty(),
        "{:?}",
        figures.iter().map(|figure| figure.name).collect::<Vec<_>>()
    );
    assert!(page(&account).contains("Repeat this run"));
}

#[test]
fn a_stopped_run_says_so_before_its_verdict() {
    let mut account = hot_shard();
    account.run.ending = Ending::Interrupted;
    account.run.simulated = SimDuration::from_secs(61);
    let page = page(&account);
    let stopped = page
        .find("It was interrupted after 1 min 01 s of 10 min")
        .expect("it is told");
    assert!(stopped < page.find("class=\"verdict violated\"").expect("there is a verdict"));
}
