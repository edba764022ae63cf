//! The links of the texts, as they are read beside the sources: each leads to a file that is there.
//! In the documentation the names of a chapter lead elsewhere, by a list in `src/guide.rs`; rustdoc
//! itself says when one of those leads nowhere, but not when a name is missing in the list.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

fn text_of(path: &str) -> String {
    fs::read_to_string(path).unwrap_or_else(|error| panic!("{path}: {error}")).replace('\r', "")
}

/// The chapters, in their order.
fn chapters() -> Vec<String> {
    let guide = text_of("src/guide.rs");
    let (_, list) = guide.split_once("chapters! {\n").expect("the list of chapters");
    let lines = list.lines().filter_map(|line| line.strip_suffix(';'));
    let names = lines.filter_map(|line| line.split_whitespace().next());
    let names: Vec<_> = names.map(str::to_string).collect();
    assert!(names.len() > 20, "the chapters are listed in src/guide.rs");
    names
}

/// The lines that are no program.
fn prose(text: &str) -> String {
    let mut inside = false;
    let lines = text.lines().filter(|line| {
        let fence = line.starts_with("```");
        inside ^= fence;
        !inside && !fence
    });
    lines.map(|line| format!("{line}\n")).collect()
}

/// All that stands between the two marks.
fn between<'a>(text: &'a str, open: &str, close: &str) -> BTreeSet<&'a str> {
    text.split(open).skip(1).filter_map(|rest| Some(rest.split_once(close)?.0)).collect()
}

/// The lines that say where a name leads, `[name]: target`.
fn definitions(text: &str) -> BTreeMap<&str, &str> {
    let lines = text.lines().filter_map(|line| line.strip_prefix('['));
    let named = lines.filter_map(|line| line.split_once("]: "));
    named.filter(|(name, _)| !name.contains(']')).collect()
}

/// The names that a chapter uses: [`name`] and [text][name].
fn used(prose: &str) -> BTreeSet<String> {
    let in_ticks = between(prose, "[`", "`]").into_iter().map(|name| format!("`{name}`"));
    in_ticks.chain(between(prose, "][", "]").into_iter().map(str::to_string)).collect()
}

/// The names by which the headings of a file are linked to.
fn anchors(file: &Path) -> BTreeSet<String> {
    let text = prose(&text_of(&file.to_string_lossy()));
    let headings = text.lines().filter(|line| line.starts_with('#'));
    headings
        .map(|line| line.trim_start_matches('#').trim().to_lowercase().replace(' ', "-"))
        .map(|line| line.replace(|letter: char| letter != '-' && !letter.is_alphanumeric(), ""))
        .collect()
}

#[test]
fn every_link_beside_the_sources_leads_to_a_file() {
    let mut texts =
        ["README.md", "ARCHITECTURE.md", "CONTRIBUTING.md"].map(str::to_string).to_vec();
    texts.extend(chapters().iter().map(|name| format!("src/guide/{name}.md")));
    let mut links = 0;
    for path in &texts {
        let prose = prose(&text_of(path));
        let targets =
            between(&prose, "](", ")").into_iter().chain(definitions(&prose).into_values());
        for target in targets.filter(|target| !target.contains("://")) {
            let (file, heading) = target.split_once('#').unwrap_or((target, ""));
            let file = Path::new(path).with_file_name("").join(file);
            assert!(file.exists(), "{path} has a link to {target}, which is not there");
            assert!(
                heading.is_empty() || anchors(&file).contains(heading),
                "{path} has a link to {target}, and there is no such heading"
            );
            links += 1;
        }
    }
    assert!(links > 40, "only {links} links were found");
}

#[test]
fn the_names_of_a_chapter_lead_somewhere_in_both_of_its_forms() {
    let guide = text_of("src/guide.rs");
    for name in chapters() {
        let prose = prose(&text_of(&format!("src/guide/{name}.md")));
        let (used, defined) = (used(&prose), definitions(&prose));
        let defined: BTreeSet<_> = defined.into_keys().map(str::to_string).collect();
        assert_eq!(used, defined, "names used, and names with a line at the end, of {name}.md");
        // `tests/guide_pictures.rs` looks after those.
        for name in used.into_iter().filter(|name| !name.ends_with(".svg")) {
            let of_layer = format!("\n            {} => \"", name.trim_matches('`'));
            assert!(
                guide.contains(&format!("\n[{name}]: ")) || guide.contains(&of_layer),
                "src/guide.rs does not say where {name} leads"
            );
        }
    }
}

#[test]
fn each_chapter_ends_with_links_to_its_neighbours() {
    let chapters = chapters();
    for (number, name) in chapters.iter().enumerate() {
        let text = text_of(&format!("src/guide/{name}.md"));
        let (_, end) = text.rsplit_once("\n---\n").expect("a line above the links");
        let neighbour = |what: &str| between(end, what, "]").into_iter().next().map(str::to_string);
        let (before, after) = (neighbour("Previous chapter: ["), neighbour("Next chapter: ["));
        let title = |name: &String| {
            let text = text_of(&format!("src/guide/{name}.md"));
            text.lines().next().and_then(|line| line.strip_prefix("# ")).map(str::to_string)
        };
        assert_eq!(before, number.checked_sub(1).and_then(|before| title(&chapters[before])));
        assert_eq!(after, chapters.get(number + 1).and_then(title), "after {name}");
    }
}
