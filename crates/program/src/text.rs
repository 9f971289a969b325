//! Text that people write: items between commas, blanks and line breaks, each with its place.
//!
//! What is not as it should be is refused with line and column, and never read as something else.

use std::fmt;

/// A place in a text. Lines and columns are counted from 1, columns in characters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    /// The line.
    pub line: usize,
    /// The character of the line.
    pub column: usize,
}

impl Place {
    const START: Self = Self { line: 1, column: 1 };

    /// Returns the place behind a character that stands here.
    fn after(self, character: char) -> Self {
        match character {
            '\n' => Self {
                line: self.line + 1,
                column: 1,
            },
            _ => self.right(1),
        }
    }

    /// Returns the place `columns` further on the same line.
    pub(crate) fn right(self, columns: usize) -> Self {
        Self {
            column: self.column + columns,
            ..self
        }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}, column {}", self.line, self.column)
    }
}

/// Why a text is refused, and where.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{place}: {reason}")]
pub struct TextError<E: fmt::Debug + fmt::Display> {
    /// Where the first wrong character stands, or where something is missing.
    pub place: Place,
    /// What is wrong there.
    pub reason: E,
}

/// Why bytes are not a text.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the byte {byte:#04x} is not UTF-8")]
pub struct NotUtf8 {
    /// The first byte that belongs to no character.
    pub byte: u8,
}

/// Reads bytes as UTF-8.
///
/// # Errors
/// Names the first byte that belongs to no character, and its place.
pub fn decode(bytes: &[u8]) -> Result<&str, TextError<NotUtf8>> {
    std::str::from_utf8(bytes).map_err(|error| {
        let (text, rest) = bytes.split_at(error.valid_up_to());
        let text = String::from_utf8_lossy(text);
        TextError {
            place: text.chars().fold(Place::START, Place::after),
            reason: NotUtf8 {
                byte: rest.first().copied().unwrap_or_default(),
            },
        }
    })
}

/// One item of a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Item<'a> {
    pub(crate) text: &'a str,
    /// Where its first character stands.
    pub(crate) place: Place,
    /// Where the comma stands that separates it from the item before.
    pub(crate) comma: Option<Place>,
}

/// The items of a text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Items<'a> {
    pub(crate) items: Vec<Item<'a>>,
    /// The place behind the last character.
    pub(crate) end: Place,
    /// The first place where a comma has no item on one of its sides.
    pub(crate) missing: Option<Place>,
}

/// Splits a text at blanks, line breaks (LF or CRLF) and commas, which may have blanks around them.
/// From `#` to the end of a line is a comment. A byte-order mark in front is left out.
pub(crate) fn split(text: &str) -> Items<'_> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let mut split = Items {
        items: Vec::new(),
        end: Place::START,
        missing: None,
    };
    let mut begun: Option<(usize, Place)> = None;
    let mut comma = None;
    let mut is_comment = false;
    for (offset, character) in text.char_indices() {
        let place = split.end;
        split.end = place.after(character);
        if is_comment {
            is_comment = character != '\n';
            continue;
        }
        is_comment = character == '#';
        if !is_comment && character != ',' && !character.is_whitespace() {
            begun.get_or_insert((offset, place));
            continue;
        }
        if let Some((start, place)) = begun.take() {
            let text = &text[start..offset];
            split.items.push(Item {
                text,
                place,
                comma: comma.take(),
            });
        }
        if character == ',' {
            if comma.is_some() || split.items.is_empty() {
                split.missing.get_or_insert(place);
            }
            comma = Some(place);
        }
    }
    if let Some((start, place)) = begun {
        let text = &text[start..];
        split.items.push(Item { text, place, comma });
    } else if comma.is_some() {
        split.missing.get_or_insert(split.end);
    }
    split
}

/// Shortens what is shown of an item.
pub(crate) fn shorten(item: &str) -> String {
    const MOST: usize = 40;
    match item.char_indices().nth(MOST) {
        None => item.to_owned(),
        Some((end, _)) => format!("{}…", &item[..end]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(line: usize, column: usize) -> Place {
        Place { line, column }
    }

    #[test]
    fn items_have_places() {
        let text = "\u{feff}1, é 3\r\n# a comment, 4\n 5 ,#\n\t6#7\n";
        let split = split(text);
        assert_eq!(split.missing, None);
        assert_eq!(split.end, at(5, 1));
        let items: Vec<_> = split
            .items
            .iter()
            .map(|item| (item.text, item.place, item.comma))
            .collect();
        assert_eq!(
            items,
            [
                ("1", at(1, 1), None),
                ("é", at(1, 4), Some(at(1, 2))),
                ("3", at(1, 6), None),
                ("5", at(3, 2), None),
                ("6", at(4, 2), Some(at(3, 4))),
            ]
        );
    }

    #[test]
    fn commas_stand_between_items() {
        for (text, missing) in [
            ("", None),
            (" \n#,\n", None),
            ("1,2", None),
            (",1", Some(at(1, 1))),
            ("1,,2", Some(at(1, 3))),
            ("1,\n,2", Some(at(2, 1))),
            ("1,2,", Some(at(1, 5))),
            ("1,2,\n", Some(at(2, 1))),
            (",", Some(at(1, 1))),
        ] {
            assert_eq!(split(text).missing, missing, "{text:?}");
        }
    }

    #[test]
    fn bytes_that_are_no_text_have_a_place() {
        assert_eq!(decode("é\n".as_bytes()), Ok("é\n"));
        let error = decode(b"1\n\xc3\xa9 \xff\xfe").unwrap_err();
        assert_eq!(
            error.to_string(),
            "line 2, column 3: the byte 0xff is not UTF-8"
        );
    }
}
