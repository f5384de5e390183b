//! The account as a page: one file that needs no network, no script and no font, for any width, light and dark.
//!
//! Everything that comes from a scenario is escaped, and control characters are taken out.

mod evidence;
mod figure;
mod opening;
mod prose;
mod style;
mod tables;

use crate::account::Account;
use crate::chart::Figure;
use crate::text::printable;
use maud::{DOCTYPE, PreEscaped, html};

/// The whole page, with these charts.
pub fn render(account: &Account, figures: &[Figure]) -> String {
    let page = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                title { (printable(&account.subject.title)) " · shardlab" }
                // Without an icon of its own a browser would ask for one.
                link rel="icon" href="data:,";
                style { (PreEscaped(style::stylesheet_of_page())) }
            }
            body {
                main {
                    (opening::opening(account))
                    @if !figures.is_empty() {
                        h2 id="charts" { "What happened" }
                        (tables::changes(account))
                        (figure::figures(figures))
                    }
                    (tables::judgements(account))
                    (tables::headroom(account))
                    (evidence::checks(account))
                    (tables::latency(account))
                    (tables::usage(account))
                    (tables::story(account))
                    (tables::ledgers(account))
                    (tables::setup(account))
                    (tables::trust(account))
                    (tables::repeat(account))
                    footer {
                        "Simulated, not measured: AWS’s documented behaviour as the fact sheets state it, in simulated time. \
                         Fact IDs such as KDS-W-01 name the rows."
                    }
                }
            }
        }
    };
    page.into_string() + "\n"
}
