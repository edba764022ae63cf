//! The words of a command line, one after the other: options, their values, and the rest.

use std::ffi::OsString;
use std::ops::RangeInclusive;

/// What was asked for, if it makes sense.
#[derive(Debug, PartialEq, Eq)]
pub enum Request<Options> {
    Help,
    Run(Options),
}

/// Takes a command line apart. The errors are sentences for whoever typed it.
pub struct Words<I> {
    words: I,
    /// The option that was read last, and its value in `--option=value`.
    option: String,
    attached: Option<String>,
}

impl<I: Iterator<Item = OsString>> Words<I> {
    pub fn new(words: impl IntoIterator<IntoIter = I>) -> Self {
        Self { words: words.into_iter(), option: String::new(), attached: None }
    }

    /// The next option, or the next word that is none.
    pub fn next(&mut self) -> Result<Option<String>, String> {
        if let Some(value) = self.attached.take() {
            return Err(format!("{} takes no value, such as {value:?}", self.option));
        }
        let Some(word) = self.text()? else { return Ok(None) };
        match word.split_once('=') {
            Some((option, value)) if option.starts_with("--") => {
                self.option = option.to_string();
                self.attached = Some(value.to_string());
            }
            _ => self.option = word,
        }
        Ok(Some(self.option.clone()))
    }

    /// The value of the option that `next` has returned.
    pub fn value(&mut self) -> Result<String, String> {
        let value = match self.attached.take() {
            Some(value) => Some(value),
            None => self.text()?,
        };
        // An option in place of a value is a value forgotten, for no value begins like one.
        let value = value.filter(|value| !value.starts_with("--"));
        value.ok_or_else(|| format!("{} lacks a value", self.option))
    }

    /// The value, as a number.
    pub fn number(&mut self, range: RangeInclusive<u32>) -> Result<u32, String> {
        let text = self.value()?;
        let number = text.parse().ok().filter(|number| range.contains(number));
        let (option, start, end) = (&self.option, range.start(), range.end());
        number.ok_or_else(|| format!("{option} takes a number from {start} to {end}, not {text:?}"))
    }

    fn text(&mut self) -> Result<Option<String>, String> {
        let text = self.words.next().map(OsString::into_string).transpose();
        text.map_err(|odd| format!("the argument {odd:?} is not Unicode"))
    }
}

/// Puts down what was given, which may be given once.
pub fn once<T>(place: &mut Option<T>, value: T, name: &str) -> Result<(), String> {
    match place.replace(value) {
        None => Ok(()),
        Some(_) => Err(format!("{name} is given twice")),
    }
}

/// `HOST:PORT`, of which the host is looked up later.
pub fn address(name: &str, text: String, lowest_port: u16) -> Result<String, String> {
    let (host, port) = text.rsplit_once(':').unwrap_or_default();
    let port = port.parse::<u16>().ok().filter(|port| *port >= lowest_port);
    let sensible = |c: char| c.is_ascii_graphic() && !"/@".contains(c);
    if host.is_empty() || port.is_none() || !host.chars().all(sensible) {
        return Err(format!("{name} is HOST:PORT, such as 127.0.0.1:7007, not {text:?}"));
    }
    Ok(text)
}
