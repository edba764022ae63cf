//! The same events as a picture: time goes down, and a bar stands in the column of whoever has the
//! memory. A page leaves it 318 pixels on a telephone of 360, and its letters can be read there.

use std::fmt::Write;

use super::events::{Event, Part, Whose};

const WIDTH: u32 = 318;
/// As a page of its own it may be wider.
const SHOWN: u32 = 360;

/// From one event to the next: a line for the thread, and one for what happens.
const STEP: u32 = 32;
/// The name of a scene.
const SCENE: u32 = 44;
/// The name of a part, and the names of the columns.
const HEAD: u32 = 52;
const MARGIN: u32 = 8;

/// Where the words stand, right of the three columns.
const WORDS: u32 = 50;

const COLUMNS: [Whose; 3] = [Whose::Program, Whose::Kernel, Whose::Table];

const STYLE: &str = "\
<style>
.page { fill: #ffffff }
text { fill: #1f2328; font-size:11px; font-family: system-ui, 'DejaVu Sans', sans-serif }
.scene { font-size:14px; font-weight: bold }
.title { font-size:12px }
.by { font-weight: bold }
.who { fill: #57606a }
.what { font-family: ui-monospace, Consolas, 'DejaVu Sans Mono', monospace }
.rail { stroke: #d0d7de }
.step { stroke: #57606a; stroke-width: 2 }
.program { fill: #1a7f37 }
.kernel { fill: #bc4c00 }
.table { fill: #0969da }
@media (prefers-color-scheme: dark) {
.page { fill: #0d1117 }
text { fill: #e6edf3 }
.who { fill: #9da7b1 }
.rail { stroke: #30363d }
.step { stroke: #9da7b1 }
.program { fill: #3fb950 }
.kernel { fill: #f0883e }
.table { fill: #58a6ff }
}
</style>
";

/// The picture of what has happened.
pub fn timeline(parts: &[Part]) -> String {
    let mut drawing = Drawing { body: String::new(), y: MARGIN };
    let mut scene = None;
    for part in parts {
        if scene != Some(&part.scene) {
            drawing.scene(&part.scene);
            scene = Some(&part.scene);
        }
        drawing.part(part);
    }
    let height = drawing.y + MARGIN;
    format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {height}\" \
         width=\"{SHOWN}\" style=\"max-width:100%;height:auto\" role=\"img\">\n\
         <title>The life of an operation</title>\n\
         <desc>{}</desc>\n\
         {STYLE}<rect class=\"page\" width=\"{WIDTH}\" height=\"{height}\"/>\n{}</svg>\n",
        described(parts),
        drawing.body
    )
}

/// The picture in words, for those who do not see it.
fn described(parts: &[Part]) -> String {
    let mut words =
        "Time goes down. Beside each event a bar shows whose the memory is.".to_string();
    for part in parts {
        let _ = write!(words, "\n{}; {}:", escaped(&part.scene), escaped(part.by));
        for Event { thread, whose, text } in &part.events {
            let (thread, whose, text) = (escaped(thread), whose.name(), escaped(text));
            let _ = write!(words, "\n{thread}, {whose}: {text}.");
        }
    }
    words
}

struct Drawing {
    body: String,
    /// How far down it has come.
    y: u32,
}

impl Drawing {
    fn scene(&mut self, name: &str) {
        let (name, title) = name.split_once(": ").unwrap_or((name, ""));
        self.y += SCENE;
        self.text(MARGIN, self.y - 26, "scene", name);
        self.text(MARGIN, self.y - 9, "title", title);
    }

    fn part(&mut self, part: &Part) {
        self.text(MARGIN, self.y + 14, "by", part.by);
        let mut x = MARGIN;
        for whose in COLUMNS {
            self.bar(x, self.y + 25, 10, whose);
            self.text(x + 15, self.y + 34, "who", whose.name());
            x += 72;
        }
        self.y += HEAD;
        self.rails(part.events.len() as u32);
        let mut before = None;
        for event in &part.events {
            self.event(event, before);
            before = Some(event.whose);
        }
        self.y += MARGIN;
    }

    /// The three columns, as far down as the part goes.
    fn rails(&mut self, steps: u32) {
        let end = self.y + steps * STEP;
        for whose in COLUMNS {
            let x = column(whose).unwrap_or(0) + 5;
            self.line("rail", (x, self.y), (x, end));
        }
    }

    fn event(&mut self, event: &Event, before: Option<Whose>) {
        let (y, own) = (self.y, column(event.whose));
        if let Some(x) = own {
            self.bar(x, y, STEP, event.whose);
        }
        if let (Some(from), Some(to)) = (before.and_then(column), own) {
            if from != to {
                self.line("step", (from + 5, y), (to + 5, y));
            }
        }
        let who = format!("{}, {}", event.thread, event.whose.name());
        self.text(WORDS, y + 12, "who", &who);
        self.text(WORDS, y + 26, "what", &event.text);
        self.y += STEP;
    }

    fn bar(&mut self, x: u32, y: u32, height: u32, whose: Whose) {
        let class = whose.name();
        self.put(&format!(
            "<rect class=\"{class}\" x=\"{x}\" y=\"{y}\" width=\"10\" height=\"{height}\"/>"
        ));
    }

    fn line(&mut self, class: &str, from: (u32, u32), to: (u32, u32)) {
        let ((x1, y1), (x2, y2)) = (from, to);
        self.put(&format!(
            "<line class=\"{class}\" x1=\"{x1}\" y1=\"{y1}\" x2=\"{x2}\" y2=\"{y2}\"/>"
        ));
    }

    fn text(&mut self, x: u32, y: u32, class: &str, text: &str) {
        let text = escaped(text);
        self.put(&format!("<text class=\"{class}\" x=\"{x}\" y=\"{y}\">{text}</text>"));
    }

    fn put(&mut self, element: &str) {
        self.body += element;
        self.body.push('\n');
    }
}

/// Where the bar of an owner stands. What is freed has none.
fn column(whose: Whose) -> Option<u32> {
    let number = COLUMNS.iter().position(|column| *column == whose)?;
    Some(MARGIN + 14 * number as u32)
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}
