//! The command line: from what was typed to what is meant, or to a sentence about it.

use std::ffi::OsString;

use super::workload::{Who, Workload};

#[derive(Debug)]
pub enum Request {
    Help,
    /// Every workload, on both sides.
    Check,
    /// So many rounds, with so many other operations in flight.
    Run(Workload, Who, u64, u64),
}

/// Beyond this a round number in a message would still fit, but nobody would wait for it.
const MOST: u64 = 1_000_000_000;

pub fn help() -> String {
    let lines = Workload::ALL.map(|it| format!("    {:<18}{}\n", it.name(), it.description()));
    format!(
        "\
Does rounds of a workload, by hand or through the layer, for something outside to count what one
takes. Without arguments it does a few rounds of each on both sides, and says if all were right.

    layer [WORKLOAD WHO COUNT [OTHERS]]

{}
    WHO               `hand`, on the bindings alone, or `layer`, with this crate
    COUNT             how many rounds, from 1 on
    OTHERS            how many other operations are in flight meanwhile; for `ping-pong layer` alone
    --bench           is what cargo passes, and says nothing
    -h, --help        prints this

Exit status: 0 if every round was right; 1 if something went wrong; 2 if the arguments make no sense.
",
        lines.concat()
    )
}

/// Reads the arguments, without the name of the program. The error is a sentence for whoever typed
/// them.
pub fn parse(arguments: impl IntoIterator<Item = OsString>) -> Result<Request, String> {
    let mut words = Vec::new();
    for word in arguments {
        match word.into_string() {
            Ok(word) if word == "--bench" => {}
            Ok(word) if word == "-h" || word == "--help" => return Ok(Request::Help),
            Ok(word) if word.starts_with('-') => {
                return Err(format!("there is no option {word:?}"));
            }
            Ok(word) => words.push(word),
            Err(odd) => return Err(format!("the argument {odd:?} is not Unicode")),
        }
    }
    match &words[..] {
        [] => Ok(Request::Check),
        [workload, who, count, others @ ..] if others.len() < 2 => {
            let find = |it: &Workload| it.name() == workload;
            let workload = Workload::ALL.into_iter().find(find);
            let workload =
                workload.ok_or_else(|| format!("there is no workload {:?}", words[0]))?;
            let (who, count) = (side(who)?, rounds(count)?);
            let others = others.first().map_or(Ok(0), |others| rounds(others))?;
            if others > 0 && !matches!((workload, who), (Workload::PingPong, Who::Layer)) {
                return Err("OTHERS is for `ping-pong layer`".to_string());
            }
            Ok(Request::Run(workload, who, count, others))
        }
        _ => Err(format!("WORKLOAD WHO COUNT are three arguments, or none, not {}", words.len())),
    }
}

fn side(word: &str) -> Result<Who, String> {
    let find = |who: &Who| who.name() == word;
    let who = Who::BOTH.into_iter().find(find);
    who.ok_or_else(|| format!("WHO is `hand` or `layer`, not {word:?}"))
}

/// A number of rounds, or of operations.
fn rounds(word: &str) -> Result<u64, String> {
    let count = word.parse().ok().filter(|count| (1..=MOST).contains(count));
    count.ok_or_else(|| format!("COUNT or OTHERS is a number from 1 to {MOST}, not {word:?}"))
}
