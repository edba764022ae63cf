//! The pictures of the guide: each stands as it is drawn in the documentation, and a reader who
//! cannot see it is told what it shows.

use std::collections::BTreeSet;
use std::fs;

fn text_of(path: &str) -> String {
    fs::read_to_string(path).unwrap_or_else(|error| panic!("{path}: {error}")).replace('\r', "")
}

fn pictures() -> BTreeSet<String> {
    let files = fs::read_dir("src/guide/pictures").expect("the pictures");
    let names = files.map(|file| file.unwrap().file_name().into_string().unwrap());
    names.filter_map(|name| Some(name.strip_suffix(".svg")?.to_string())).collect()
}

/// The address that `.ci/pictures` makes of a picture.
fn address_of(picture: &str) -> String {
    let mut address = "data:image/svg+xml,".to_string();
    for letter in picture.chars() {
        match letter {
            ' ' | '"' | '#' | '%' | '<' | '>' | '(' | ')' | '[' | ']' | '{' | '}' | '\'' | '\n' => {
                address += &format!("%{:02X}", u32::from(letter));
            }
            other => address.push(other),
        }
    }
    address
}

#[test]
fn each_address_is_that_of_its_picture() {
    for name in pictures() {
        let drawn = text_of(&format!("src/guide/pictures/{name}.svg"));
        let address = text_of(&format!("src/guide/pictures/{name}.url"));
        assert!(address == address_of(&drawn), "{name}.svg has changed: run .ci/pictures");
    }
}

#[test]
fn each_picture_is_for_light_and_dark_and_for_those_who_do_not_see_it() {
    for name in pictures() {
        let drawn = text_of(&format!("src/guide/pictures/{name}.svg"));
        for part in ["<title>", "<desc>", "role=\"img\"", "viewBox=", "prefers-color-scheme: dark"]
        {
            assert!(drawn.contains(part), "{name}.svg has no {part}");
        }
        // Nothing is fetched from elsewhere, and nothing runs.
        assert!(!drawn.contains("href") && !drawn.contains("<script"), "{name}.svg");
    }
}

/// A page of the documentation leaves a picture 318 pixels on a telephone of 360, so one that is at
/// most that wide is shown as large as it was drawn.
#[test]
fn each_picture_can_be_read_on_a_telephone() {
    for name in pictures() {
        let drawn = text_of(&format!("src/guide/pictures/{name}.svg"));
        let (_, size) = drawn.split_once("viewBox=\"0 0 ").expect("a viewBox from 0 on");
        let (width, _) = size.split_once(' ').unwrap();
        assert!(width.parse::<u32>().unwrap() <= 318, "{name}.svg is {width} wide");
        let sizes = drawn.split("font-size").skip(1).map(|rest| {
            let digits = rest.trim_start_matches([':', '=', '"']);
            let end = digits.find(|letter: char| !letter.is_ascii_digit()).unwrap();
            digits[..end].parse::<u32>().expect("a whole number")
        });
        assert!(sizes.clone().count() > 0, "{name}.svg says no size of letters");
        assert!(sizes.min() >= Some(11), "{name}.svg has letters that are too small");
    }
}

/// The rows of the table of instructions, in thousands as the bars are.
#[test]
fn the_bars_are_those_of_the_table() {
    let chapter = text_of("src/guide/cost.md");
    let drawn = text_of("src/guide/pictures/cost.svg");
    let (_, words) = chapter.split_once("\n![").expect("the picture, in words");
    let (words, _) = words.split_once("][cost.svg]").expect("the end of the words");
    for row in ["| round trip |", "| the same inline |"] {
        let (_, cells) = chapter.split_once(&format!("\n{row}")).expect(row);
        let (cells, _) = cells.split_once('\n').expect("the end of the row");
        let numbers = cells.split(['|', ' ']).filter_map(|cell| {
            let (thousands, rest) = cell.split_once(',')?;
            Some((thousands.parse::<u32>().ok()?, rest.get(..3)?.parse::<u32>().ok()?))
        });
        let numbers: Vec<_> = numbers.map(|(large, small)| large * 1000 + small).collect();
        assert_eq!(numbers.len(), 2, "by hand and this crate in {row}");
        for number in numbers {
            let number = format!("{:.1}", f64::from(number) / 1000.0);
            assert!(drawn.contains(&format!(">{number}<")), "no bar of {number} for {row}");
            assert!(words.contains(&number), "{number} is not in the words for {row}");
        }
    }
}

#[test]
fn each_picture_stands_in_a_chapter_with_words_for_it() {
    let guide = text_of("src/guide.rs");
    let (_, chapters) = guide.split_once("chapters! {\n").expect("the list of chapters");
    let mut shown = BTreeSet::new();
    for line in chapters.lines().filter(|line| line.ends_with(';')) {
        let (chapter, declared) = line
            .trim_matches([' ', ';'])
            .split_once(' ')
            .unwrap_or((line.trim_matches([' ', ';']), ""));
        let declared: BTreeSet<_> =
            declared.split('"').skip(1).step_by(2).map(str::to_string).collect();
        let text = text_of(&format!("src/guide/{chapter}.md"));
        // At the beginning of a line, for `vec![` in a program is no picture.
        let images = text.split("\n![").skip(1).filter_map(|rest| rest.split_once("]["));
        let used: BTreeSet<_> = images
            .map(|(words, rest)| {
                assert!(words.len() > 20, "{chapter}.md shows a picture without words: {words}");
                rest.split_once(".svg]").expect("the name of a picture").0.to_string()
            })
            .collect();
        assert_eq!(used, declared, "the pictures of {chapter}.md, and those in src/guide.rs");
        shown.extend(used);
    }
    assert_eq!(shown, pictures(), "pictures that are shown, and those that are there");
}
