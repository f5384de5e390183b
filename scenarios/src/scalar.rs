//! Checks of single values.

use crate::check::{Checker, Subject};
use crate::codes::Code;
use crate::diagnostic::{Diagnostic, listed, nearest};
use crate::fields::Value;
use crate::node::NodeValue;
use crate::quantity::{self, Decimal, Unreadable};
use crate::schema::{Dimension, Kind, Shape};
use crate::source::{is_control, printable, quoted};
use sim::engine::quantity::{ByteCount, Ratio};
use sim::engine::time::SimDuration;

/// No duration of a scenario is longer: ten years, so that sums never leave the range of simulated time.
const LONGEST: SimDuration = SimDuration::from_hours(87_600);
/// No rate is greater, so that times between records stay above a nanosecond.
const FASTEST_PER_SECOND: u64 = 1_000_000_000;
/// No rate counts more in its span, so that products of counts and spans stay within 128 bits.
const MOST_IN_A_SPAN: u64 = 1_000_000_000_000;
/// The word that a limit of -1 becomes.
const UNLIMITED: &str = "-1";
const TERABYTE: u64 = 1 << 40;

impl Checker<'_> {
    /// Checks a value that is no table and no list; the outer `None` when the shape is of another sort.
    #[expect(clippy::option_option, reason = "not this sort of shape, wrong, or right")]
    pub(crate) fn scalar(&mut self, shape: &'static Shape, subject: Subject<'_>) -> Option<Option<Value>> {
        let text = match &subject.node.value {
            NodeValue::Text(text) => Some(text.as_str()),
            _ => None,
        };
        Some(match (*shape, text) {
            (Shape::Integer { least, most }, _) => self.integer(shape, subject, least, most.in_profile(self.profile)),
            (Shape::Limit { least, most }, _) => self.limit(shape, subject, least, most),
            (Shape::Number { least, most }, _) => self.number(shape, subject, least, most),
            (Shape::Fraction, _) => self.ratio(shape, subject, true, 1),
            (Shape::Factor { zero, most }, _) => self.ratio(shape, subject, zero, most),
            (Shape::Text, Some(text)) => self.text(subject, text, false),
            (Shape::Prose, Some(text)) => self.text(subject, text, true),
            (Shape::Flag, _) => match subject.node.value {
                NodeValue::Flag(flag) => Some(Value::Flag(flag)),
                _ => self.wrong_type(shape, subject),
            },
            (Shape::Word { words, not_modelled }, Some(text)) => self.word(subject, text, words, not_modelled),
            (Shape::Duration { zero }, Some(text)) => self.duration(subject, text, zero).map(Value::Duration),
            (Shape::Bytes { least, most }, Some(text)) => {
                let most = most.in_profile(self.profile);
                self.size(subject, text, least, most).map(Value::Bytes)
            }
            (Shape::Rate { zero }, Some(text)) => self.rate(subject, text, zero),
            (Shape::Quantity(dimension), Some(text)) => self.quantity(subject, text, dimension).map(Value::Number),
            (Shape::Distribution(dimension), _) => self.distribution(shape, subject, dimension),
            (Shape::Percentiles(dimension), _) => self.percentiles(shape, subject, dimension),
            (Shape::Measure, _) => self.measure(shape, subject),
            (Shape::HashKey, Some(text)) => self.hash_key(subject, text),
            (Shape::Reference(kinds), Some(text)) => self.reference(subject, text, kinds),
            (
                Shape::Text
                | Shape::Prose
                | Shape::Word { .. }
                | Shape::Duration { .. }
                | Shape::Bytes { .. }
                | Shape::Rate { .. }
                | Shape::Quantity(_)
                | Shape::HashKey
                | Shape::Reference(_),
                None,
            ) => self.wrong_type(shape, subject),
            (
                Shape::Table(_)
                | Shape::OneOf(_)
                | Shape::WordOr(..)
                | Shape::List(_)
                | Shape::Pair(..)
                | Shape::Components(_),
                _,
            ) => return None,
        })
    }

    fn fault(&mut self, subject: Subject<'_>, code: Code, title: String, label: &str) {
        self.fault_with(subject, code, title, label, None);
    }
    fn fault_with(&mut self, subject: Subject<'_>, code: Code, title: String, label: &str, help: Option<&str>) {
        let place = subject.node.place;
        let mut fault = Diagnostic::at(code, place, title, label).maybe_help(help);
        if code == Code::OutOfRange
            && let Some(fact) = subject.row.fact
        {
            fault = fault.note(format!("see {fact}"));
        }
        if matches!(code, Code::OutOfRange | Code::UnknownWord)
            && let Some(error) = subject.row.refusal
        {
            fault = fault.note(format!("AWS refuses it with {error}"));
        }
        self.diagnostics.push(place, fault);
    }

    pub(crate) fn wrong_type(&mut self, shape: &Shape, subject: Subject<'_>) -> Option<Value> {
        let name = subject.row.name;
        let title = format!("`{name}` is {}", subject.node.kind());
        let label = format!("expected {}", shape.expected());
        let help = match (&subject.node.value, shape) {
            (NodeValue::Integer(number), Shape::Duration { .. }) => Some(format!("with its unit: \"{number}s\"")),
            (NodeValue::Integer(number), Shape::Bytes { .. }) => Some(format!("with its unit: \"{number}B\"")),
            (NodeValue::Integer(number), Shape::Rate { .. }) => Some(format!("with its unit: \"{number}/s\"")),
            (
                NodeValue::Text(text),
                Shape::Integer { .. } | Shape::Limit { .. } | Shape::Number { .. } | Shape::Fraction,
            ) if Decimal::parse(text).is_some() => Some(format!("without quotes: {text}")),
            (NodeValue::Table(_), Shape::List(Shape::Table(_))) => {
                Some(format!("write [[{name}]], for one of several"))
            }
            _ => None,
        };
        self.fault_with(subject, Code::WrongType, title, &label, help.as_deref());
        None
    }

    fn integer(&mut self, shape: &Shape, subject: Subject<'_>, least: u64, most: u64) -> Option<Value> {
        let NodeValue::Integer(number) = subject.node.value else {
            return self.wrong_type(shape, subject);
        };
        match u64::try_from(number) {
            Ok(number) if (least..=most).contains(&number) => Some(Value::Integer(number)),
            _ => {
                let title = format!("`{}` is out of range", subject.row.name);
                let label = format!("expected {} to {}", grouped(least), grouped(most));
                self.fault(subject, Code::OutOfRange, title, &label);
                None
            }
        }
    }

    /// Minus one stands for no limit, and has no value.
    fn limit(&mut self, shape: &Shape, subject: Subject<'_>, least: u64, most: u64) -> Option<Value> {
        let NodeValue::Integer(number) = subject.node.value else {
            return self.wrong_type(shape, subject);
        };
        match u64::try_from(number) {
            Ok(number) if (least..=most).contains(&number) => Some(Value::Integer(number)),
            Err(_) if number == -1 => Some(Value::Word(UNLIMITED)),
            _ => {
                let title = format!("`{}` is out of range", subject.row.name);
                let label = format!("expected {} to {}, or -1", grouped(least), grouped(most));
                self.fault(subject, Code::OutOfRange, title, &label);
                None
            }
        }
    }

    fn number(&mut self, shape: &Shape, subject: Subject<'_>, least: f64, most: f64) -> Option<Value> {
        let number = match &subject.node.value {
            NodeValue::Integer(number) => *number as f64,
            NodeValue::Float(text) => text.parse().unwrap_or(f64::NAN),
            _ => return self.wrong_type(shape, subject),
        };
        if (least..=most).contains(&number) {
            return Some(Value::Number(number));
        }
        let title = format!("`{}` is out of range", subject.row.name);
        let most = if most < 1e15 {
            most.to_string()
        } else {
            format!("{most:e}")
        };
        self.fault(subject, Code::OutOfRange, title, &format!("expected {least} to {most}"));
        None
    }

    fn ratio(&mut self, shape: &Shape, subject: Subject<'_>, zero: bool, most: u64) -> Option<Value> {
        let ratio = match &subject.node.value {
            NodeValue::Integer(number) => u64::try_from(*number).ok().map(|number| Ratio::new(number, 1)),
            NodeValue::Float(text) => Decimal::parse(text).and_then(Decimal::ratio).or_else(|| {
                let number: f64 = text.parse().unwrap_or(f64::NAN);
                (0.0..=1e9).contains(&number).then(|| Ratio::from_f64(number))
            }),
            _ => return self.wrong_type(shape, subject),
        };
        let fits = |ratio: &Ratio| {
            u128::from(ratio.numerator) <= u128::from(most) * u128::from(ratio.denominator)
                && (zero || !ratio.is_zero())
        };
        if let Some(ratio) = ratio.filter(fits) {
            return Some(Value::Ratio(ratio));
        }
        let title = format!("`{}` is out of range", subject.row.name);
        let from = if zero { "0" } else { "more than 0" };
        self.fault(
            subject,
            Code::OutOfRange,
            title,
            &format!("expected {from} to {}", grouped(most)),
        );
        None
    }

    fn text(&mut self, subject: Subject<'_>, text: &str, lines: bool) -> Option<Value> {
        let breaks_line = |character: char| lines && matches!(character, '\n' | '\r' | '\t');
        if text
            .chars()
            .any(|character| is_control(character) && !breaks_line(character))
        {
            let title = format!("`{}` contains control characters", subject.row.name);
            let help = Some(format!("without them it reads \"{}\"", quoted(&printable(text))));
            self.fault_with(
                subject,
                Code::ControlCharacter,
                title,
                "plain text is expected",
                help.as_deref(),
            );
            return None;
        }
        if text.is_empty() {
            let title = format!("`{}` is empty", subject.row.name);
            self.fault(subject, Code::OutOfRange, title, "some text is expected");
            return None;
        }
        Some(Value::Text(text.to_owned()))
    }

    fn word(
        &mut self,
        subject: Subject<'_>,
        text: &str,
        words: &'static [&'static str],
        not_modelled: &[&str],
    ) -> Option<Value> {
        if let Some(word) = words.iter().find(|&&word| word == text) {
            return Some(Value::Word(word));
        }
        if not_modelled.contains(&text) {
            let title = format!("`{} = \"{text}\"` is not modelled yet", subject.row.name);
            let help = Some(format!("use {}", listed(words.iter().copied(), "or")));
            self.fault_with(subject, Code::NotModelled, title, "AWS has this value", help.as_deref());
            return None;
        }
        self.wrong_word(subject, text, words);
        None
    }

    pub(crate) fn wrong_word(&mut self, subject: Subject<'_>, text: &str, words: &[&str]) {
        let title = format!("`{}` cannot be \"{}\"", subject.row.name, quoted(text));
        let label = match words {
            [_] => format!("expected {}", subject.row.shape.expected()),
            _ => format!("expected {}", listed(words.iter().copied(), "or")),
        };
        let help = nearest(text, words.iter().copied()).map(|near| format!("did you mean \"{near}\"?"));
        self.fault_with(subject, Code::UnknownWord, title, &label, help.as_deref());
    }

    pub(crate) fn duration(&mut self, subject: Subject<'_>, text: &str, zero: bool) -> Option<SimDuration> {
        let name = subject.row.name;
        let duration = quantity::duration(text);
        if duration == Err(Unreadable::Malformed) {
            let help = minutes_or_months(text);
            let title = format!("`{name}` is not a duration");
            let label = "expected a number and ns, us, ms, s, min, h or d, such as \"50ms\"";
            self.fault_with(subject, Code::InvalidDuration, title, label, help.as_deref());
            return None;
        }
        let duration = duration.unwrap_or(SimDuration::from_nanos(u64::MAX));
        if duration.is_zero() && !zero {
            let title = format!("`{name}` is zero");
            self.fault(
                subject,
                Code::ZeroDuration,
                title,
                "a time longer than zero is expected",
            );
            return None;
        }
        if duration > LONGEST {
            let title = format!("`{name}` is out of range");
            self.fault(subject, Code::OutOfRange, title, "expected at most ten years");
            return None;
        }
        Some(duration)
    }

    fn size(&mut self, subject: Subject<'_>, text: &str, least: u64, most: u64) -> Option<u64> {
        let name = subject.row.name;
        let size = quantity::size(text);
        if size == Err(Unreadable::Malformed) {
            let title = format!("`{name}` is not a size");
            let label = "expected a number and B, KB, MB, GB, KiB, MiB or GiB, such as \"600B\"";
            self.fault(subject, Code::InvalidSize, title, label);
            return None;
        }
        if let Ok(size) = size
            && (least..=most).contains(&size)
        {
            return Some(size);
        }
        let title = format!("`{name}` is out of range");
        let label = format!("expected {} to {}", ByteCount(least), ByteCount(most));
        self.fault(subject, Code::OutOfRange, title, &label);
        None
    }

    fn rate(&mut self, subject: Subject<'_>, text: &str, zero: bool) -> Option<Value> {
        let name = subject.row.name;
        let rate = quantity::rate(text);
        if rate == Err(Unreadable::Malformed) {
            let title = format!("`{name}` is not a rate");
            let label = "expected a number, a slash and a time, such as \"2400/s\" or \"1/5min\"";
            self.fault(subject, Code::InvalidRate, title, label);
            return None;
        }
        let title = format!("`{name}` is out of range");
        let Ok(rate) = rate else {
            let label = "expected at most 1,000,000,000/s, over at most ten years";
            self.fault(subject, Code::OutOfRange, title, label);
            return None;
        };
        if rate.is_zero() && !zero {
            self.fault(subject, Code::OutOfRange, title, "expected more than zero");
            return None;
        }
        let per_second = u128::from(rate.count) * 1_000_000_000 / u128::from(rate.per.as_nanos());
        if per_second > u128::from(FASTEST_PER_SECOND) || rate.count > MOST_IN_A_SPAN || rate.per > LONGEST {
            self.fault(subject, Code::OutOfRange, title, "expected at most 1,000,000,000/s");
            return None;
        }
        Some(Value::Rate(rate))
    }

    pub(crate) fn quantity(&mut self, subject: Subject<'_>, text: &str, dimension: Dimension) -> Option<f64> {
        match dimension {
            Dimension::Time => self
                .duration(subject, text, true)
                .map(|duration| duration.as_nanos() as f64),
            Dimension::Bytes => self.size(subject, text, 0, TERABYTE).map(|bytes| bytes as f64),
        }
    }

    fn measure(&mut self, shape: &Shape, subject: Subject<'_>) -> Option<Value> {
        match &subject.node.value {
            NodeValue::Integer(_) | NodeValue::Float(_) => self.number(shape, subject, 0.0, 1e18),
            NodeValue::Text(text) => match (quantity::duration(text), quantity::size(text)) {
                (Ok(duration), _) => Some(Value::Duration(duration)),
                (_, Ok(bytes)) => Some(Value::Bytes(bytes)),
                (Err(Unreadable::TooLarge), _) | (_, Err(Unreadable::TooLarge)) => {
                    let title = format!("`{}` is out of range", subject.row.name);
                    self.fault(
                        subject,
                        Code::OutOfRange,
                        title,
                        "expected a number that 64 bits can hold",
                    );
                    None
                }
                (Err(_), Err(_)) => self.wrong_type(shape, subject),
            },
            _ => self.wrong_type(shape, subject),
        }
    }

    fn hash_key(&mut self, subject: Subject<'_>, text: &str) -> Option<Value> {
        let canonical = text == "0" || (!text.starts_with('0') && text.bytes().all(|byte| byte.is_ascii_digit()));
        if canonical && let Ok(hash) = text.parse() {
            return Some(Value::Hash(hash));
        }
        let title = format!("`{}` is not an explicit hash key", subject.row.name);
        let label = "expected a decimal number below 2^128 without leading zeros (KDS-REC-10)";
        self.fault(subject, Code::InvalidHashKey, title, label);
        None
    }

    fn reference(&mut self, subject: Subject<'_>, text: &str, kinds: &[Kind]) -> Option<Value> {
        let name = subject.row.name;
        let shown = quoted(text);
        let (kind, component) = match text.split_once('.') {
            Some((kind, component)) => (Kind::from_name(kind), component),
            None => (None, text),
        };
        if let Some(kind) = kind {
            if !kinds.contains(&kind) {
                let title = format!("`{name}` cannot be a {kind}");
                let label = format!("expected {}", Shape::expected(&subject.row.shape));
                let help = self.nearest_component(component, kinds);
                self.fault_with(subject, Code::WrongComponent, title, &label, help.as_deref());
                return None;
            }
            let exists = self
                .names
                .get(&kind)
                .is_some_and(|names| names.iter().any(|name| name == component));
            if exists {
                return Some(Value::Reference(kind, component.to_owned()));
            }
        }
        let help = self.nearest_component(component, kinds).or_else(|| {
            text.starts_with("arn:")
                .then(|| "where AWS has an ARN, a scenario names its component".to_owned())
        });
        let title = format!("`{name}` refers to `{shown}`, which does not exist");
        let label = format!(
            "no such {}",
            kind.or(kinds.first().copied()).map_or("component", Kind::name)
        );
        let place = subject.node.place;
        let mut fault = Diagnostic::at(Code::UnknownComponent, place, title, label);
        let names = self.full_names(kinds);
        if help.is_none() && !names.is_empty() {
            fault = fault.note(format!("there is {}", some_of(&names)));
        }
        self.diagnostics.push(place, fault.maybe_help(help.as_deref()));
        None
    }

    fn full_names(&self, kinds: &[Kind]) -> Vec<String> {
        kinds
            .iter()
            .flat_map(|kind| {
                let names = self.names.get(kind).map(Vec::as_slice).unwrap_or_default();
                names.iter().map(move |name| quoted(&format!("{kind}.{name}")))
            })
            .collect()
    }

    fn nearest_component(&self, component: &str, kinds: &[Kind]) -> Option<String> {
        let names = self.full_names(kinds);
        let near = names
            .iter()
            .find(|name| name.split_once('.').is_some_and(|(_, name)| name == component));
        let candidates = names.iter().map(String::as_str);
        let near = match near {
            Some(name) => Some(name.as_str()),
            None => kinds
                .iter()
                .find_map(|kind| nearest(&format!("{kind}.{component}"), candidates.clone())),
        };
        near.map(|name| format!("did you mean \"{name}\"?"))
    }
}

/// The names in words; of very many, the first.
fn some_of(names: &[String]) -> String {
    const SHOWN: usize = 20;
    let shown = names.iter().take(SHOWN).map(String::as_str);
    match names.len().checked_sub(SHOWN) {
        Some(more @ 1..) => format!("{}, and {} more", listed(shown, "and"), grouped(more as u64)),
        _ => listed(shown, "and"),
    }
}

/// The commonest slip: `m`, which could be minutes or months.
fn minutes_or_months(text: &str) -> Option<String> {
    let number = text.strip_suffix('m')?.trim_end();
    Decimal::parse(number)?;
    Some(format!("minutes are written \"{number}min\""))
}

/// 1234567 as 1,234,567.
pub(crate) fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut out = String::with_capacity(digits.len() + digits.len() / 3);
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}
