//! Pages that are written from the program's own tables.

use std::fs;
use std::path::Path;

#[test]
fn the_page_of_properties_is_current() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/reference/properties.md");
    let page = scenarios::reference::properties_page();
    if std::env::var_os("INSTA_UPDATE").is_some_and(|update| update == "always") {
        fs::write(&path, &page).expect("the page can be written");
    }
    let found = fs::read_to_string(&path).expect("the page is there");
    assert!(
        found == page,
        "docs/reference/properties.md is out of date; run the tests with INSTA_UPDATE=always"
    );
}
